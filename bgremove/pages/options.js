/** The form that says what to do with every picture. */

import { byId } from "./dom.js";

/** @typedef {import("./send.js").Options} Options */

const CALM_MS = 350; // arrow keys walk through choices: only the one they stop at counts

export class OptionsForm {
  #form = byId("options", HTMLFormElement);
  #whiteAs = byId("white-as", HTMLElement);

  /** @param {() => void} changed called once the choice has settled */
  constructor(changed) {
    let timer = 0;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", () => {
      this.#show();
      clearTimeout(timer);
      timer = setTimeout(changed, CALM_MS);
    });
    this.#show(); // a browser may have kept the choices through a reload
  }

  /** @returns {Options} */
  get value() {
    const data = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(data.get(name));
    return { subject: text("subject"), format: text("format"), white: text("white") };
  }

  #show() {
    this.#whiteAs.hidden = this.value.format !== "white_bg";
  }
}
