/** The API key, if the server requires one: kept in memory, and in the tab's storage only on request. */

import { byId } from "./dom.js";

const STORED = "bgremove-key";
const KEY = /^[\x21-\x7e]+$/; // printable ASCII, valid in an HTTP header

export class Keys {
  #tab = tabStorage();
  current = this.#tab?.getItem(STORED) ?? "";
  #opener = byId("key-open", HTMLButtonElement);
  #dialog = byId("key-dialog", HTMLDialogElement);
  #words = byId("key-words", HTMLElement);
  #input = byId("key", HTMLInputElement);
  #keep = byId("key-keep", HTMLInputElement);
  #forget = byId("key-forget", HTMLButtonElement);
  /** @type {Promise<boolean> | null} */
  #asking = null;

  constructor() {
    this.#opener.hidden = this.current === "";
    this.#keep.disabled = this.#tab === null;
    this.#opener.addEventListener("click", () => this.ask("This key is sent with every picture."));
    this.#input.addEventListener("input", () => this.#input.setCustomValidity(""));
    byId("key-cancel", HTMLElement).addEventListener("click", () => this.#dialog.close());
    byId("key-form", HTMLFormElement).addEventListener("submit", (event) => this.#use(event));
    this.#forget.addEventListener("click", () => {
      this.#set("", false);
      this.#dialog.close("forgot");
    });
  }

  /**
   * Open the dialog; calls while it is open wait for the same answer.
   * @param {string} words the reason, shown in the dialog
   * @returns {Promise<boolean>} whether a key was given
   */
  ask(words) {
    this.#asking ??= new Promise((resolve) => {
      this.#words.textContent = words;
      this.#opener.hidden = false;
      this.#forget.hidden = this.current === "";
      this.#input.value = "";
      this.#keep.checked = this.#tab !== null && this.#tab.getItem(STORED) !== null;
      this.#dialog.returnValue = "";
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "given"), { once: true });
      this.#dialog.showModal();
      this.#input.focus();
    }).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** @param {SubmitEvent} event */
  #use(event) {
    event.preventDefault();
    const key = this.#input.value.trim();
    if (!KEY.test(key)) {
      this.#input.setCustomValidity("A key is made of plain letters, digits and signs, without spaces");
      this.#input.reportValidity();
      return;
    }
    this.#set(key, this.#keep.checked);
    this.#dialog.close("given");
  }

  /** @param {string} key @param {boolean} keep */
  #set(key, keep) {
    this.current = key;
    if (keep) this.#tab?.setItem(STORED, key);
    else this.#tab?.removeItem(STORED);
  }
}

/** The storage of this tab; null if the browser blocks it, for example together with cookies. */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
