/** The divider between the pictures before and after: a range input for the keyboard, a handle for pointers. */

import { byId } from "./dom.js";

const REVEALED = 50; // percent of the picture that shows the original

export class Split {
  #range = byId("split", HTMLInputElement);
  #handle = byId("handle", HTMLElement);

  /** @param {HTMLElement} stage @param {() => {left: number, right: number}} visible part of the stage with picture */
  constructor(stage, visible) {
    this.stage = stage;
    this.visible = visible;
    this.#range.addEventListener("input", () => {
      stage.classList.remove("revealing");
      this.place();
    });
  }

  /** @param {boolean} shown */
  set shown(shown) {
    this.#range.hidden = this.#handle.hidden = !shown;
  }

  /** @param {EventTarget | null} target */
  isHandle(target) {
    return target instanceof Node && this.#handle.contains(target);
  }

  /** Reveal the result from the right. */
  reveal() {
    this.stage.classList.remove("revealing");
    this.#set(100);
    void this.stage.offsetWidth; // forces a layout, so that the browser animates between both positions
    this.stage.classList.add("revealing");
    this.#set(REVEALED);
  }

  /** Show only one of the two pictures. @param {"before" | "after"} which */
  only(which) {
    this.stage.classList.remove("revealing");
    this.#set(which === "before" ? 100 : 0);
  }

  /** Move the divider to a pointer. @param {number} x in pixels of the stage */
  to(x) {
    if (this.#range.hidden) return;
    this.stage.classList.remove("revealing");
    const { left, right } = this.visible();
    this.#set(((x - left) / (right - left)) * 100);
  }

  /** @param {number} percent */
  #set(percent) {
    this.#range.value = String(percent);
    this.place();
  }

  /** Publish the divider's position to the style sheet and screen readers. */
  place() {
    const percent = this.#range.valueAsNumber;
    const { left, right } = this.visible();
    this.stage.style.setProperty("--split", `${left + ((right - left) * percent) / 100}px`);
    this.#range.setAttribute("aria-valuetext", `${Math.round(percent)} % before, ${Math.round(100 - percent)} % after`);
  }
}
