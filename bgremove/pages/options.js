/** The form with the options of all pictures. */

import { byId } from "./dom.js";

/** @typedef {import("./output.js").Options} Options */

const CALM_MS = 350; // arrow keys pass through several choices: only the last one counts
const GROUNDS = new Map([
  ["check", ""],
  ["white", "#ffffff"],
  ["black", "#000000"],
]);

export class OptionsForm {
  #form = byId("options", HTMLFormElement);
  #colour = byId("ground-colour", HTMLInputElement);
  #subject = "";

  /**
   * @param {() => void} touched called on each change
   * @param {(subjectChanged: boolean) => void} changed called after the last of several quick changes
   */
  constructor(touched, changed) {
    let timer = 0;
    const settle = () => {
      this.#show();
      touched();
      clearTimeout(timer);
      timer = setTimeout(() => {
        const { subject } = this.value;
        changed(subject !== this.#subject);
        this.#subject = subject;
      }, CALM_MS);
    };
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", settle);
    this.#form.addEventListener("input", (event) => event.target === this.#colour && this.#chooseColour(settle));
    this.#colour.addEventListener("click", () => this.#chooseColour(settle));
    this.#show(); // a browser may restore the choices after a reload
    this.#subject = this.value.subject;
  }

  /** @returns {Options} */
  get value() {
    const data = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
    return {
      subject: text("subject"),
      extent: /** @type {Options["extent"]} */ (text("extent")),
      ground: GROUNDS.get(text("ground")) ?? this.#colour.value,
      margin: Number(text("margin")),
      canvas: text("canvas"),
      type: text("type") === "jpeg" ? "jpeg" : "png",
    };
  }

  /** Set up the colour field: its colour is the ground while no other ground is selected. @param {() => void} settle */
  #chooseColour(settle) {
    for (const radio of this.#form.querySelectorAll("input[name=ground]")) {
      if (radio instanceof HTMLInputElement) radio.checked = false;
    }
    settle();
  }

  #show() {
    const { extent, ground } = this.value;
    this.#colour.classList.toggle("chosen", !new FormData(this.#form).has("ground"));
    byId("grounds", HTMLElement).hidden = extent === "mask";
    byId("placing", HTMLElement).hidden = extent !== "cut";
    byId("file-type", HTMLElement).hidden = extent === "mask" || ground === "";
  }
}
