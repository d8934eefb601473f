/** What the cut-out stands on, to check its edges: a checkerboard, white, black or any colour. */

import { byId } from "./dom.js";

export class Ground {
  #stage = byId("stage", HTMLElement);
  #group = byId("grounds", HTMLFieldSetElement);
  #colour = byId("ground-colour", HTMLInputElement);

  constructor() {
    this.#group.addEventListener("change", (event) => {
      if (event.target instanceof HTMLInputElement && event.target.type === "radio") {
        this.#stage.dataset.ground = event.target.value;
        this.#colour.classList.remove("chosen");
      }
    });
    this.#colour.addEventListener("input", () => this.#choose());
    this.#colour.addEventListener("click", () => this.#choose());
    this.#restore();
  }

  /** A browser may have kept the choice through a reload. */
  #restore() {
    const radio = this.#group.querySelector("input:checked");
    if (radio instanceof HTMLInputElement) this.#stage.dataset.ground = radio.value;
    else this.#choose();
  }

  /** Only what lets something through has a ground. @param {boolean} shown */
  set shown(shown) {
    this.#group.hidden = !shown;
  }

  #choose() {
    for (const radio of this.#group.querySelectorAll("input")) radio.checked = false;
    this.#colour.classList.add("chosen");
    this.#stage.dataset.ground = "colour";
    this.#stage.style.setProperty("--ground", this.#colour.value);
  }
}
