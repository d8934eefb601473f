/** The picture that is looked at, whatever state it is in. */

import { copyText } from "./clipboard.js";
import { byId, make } from "./dom.js";
import { Ground } from "./ground.js";
import { isUnderway } from "./pictures.js";
import { Result } from "./result.js";
import { Stage } from "./stage.js";
import { workingWords } from "./words.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./problem.js").Problem} Problem */

const TICK_MS = 200;

export class Viewer {
  #section = byId("viewer", HTMLElement);
  #title = byId("viewer-title", HTMLElement);
  #working = byId("working", HTMLElement);
  #words = byId("working-words", HTMLElement);
  #progress = byId("progress", HTMLProgressElement);
  #problem = byId("problem", HTMLElement);
  #stage = new Stage();
  #ground = new Ground();
  /** @type {Result} */
  #result;
  /** @type {Picture | null} */
  #picture = null;

  /**
   * @param {import("./keys.js").Keys} keys
   * @param {{cancel: (picture: Picture) => void, again: (picture: Picture) => void}} deeds
   */
  constructor(keys, deeds) {
    this.#result = new Result(keys);
    byId("cancel", HTMLButtonElement).addEventListener("click", () => this.#picture && deeds.cancel(this.#picture));
    byId("again", HTMLButtonElement).addEventListener("click", () => this.#picture && deeds.again(this.#picture));
    const copyId = byId("copy-id", HTMLButtonElement);
    copyId.addEventListener("click", () => copyText(copyId, byId("problem-request", HTMLElement).textContent ?? ""));
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** @param {Picture | null} picture */
  show(picture) {
    this.#picture = picture;
    this.#section.hidden = picture === null;
    if (!picture) {
      this.#result.show(null, null, "");
      return this.#stage.clear();
    }
    const { state, file } = picture;
    const done = state.phase === "done" ? state : null;
    this.#title.textContent = file.name;
    this.#section.dataset.phase = state.phase;
    const focused = document.activeElement;
    this.#working.hidden = !isUnderway(picture);
    this.#showProgress();
    this.#showProblem(picture);
    byId("tools", HTMLElement).hidden = done === null;
    this.#ground.shown = done !== null && ["transparent", "crop"].includes(done.options.format);
    this.#stage.show(picture, done?.answer ?? null, done?.options.format === "crop");
    this.#result.show(done?.answer ?? null, done?.options ?? null, file.name);
    if (focused instanceof HTMLElement && focused.closest("[hidden]")) this.#keepFocus();
  }

  /** Bring the picture into sight, where the controls push it off a small screen. */
  lookAt() {
    this.#section.scrollIntoView({ block: "nearest" });
  }

  /** A button that vanishes with its state must not take the focus along. */
  #keepFocus() {
    const again = byId("again", HTMLElement);
    const usable = !this.#problem.hidden && !again.hidden;
    (usable ? again : byId("stage", HTMLElement)).focus({ preventScroll: true });
  }

  #tick() {
    if (this.#picture && isUnderway(this.#picture)) this.#showProgress();
  }

  #showProgress() {
    const state = this.#picture?.state;
    if (!state || this.#working.hidden) return;
    const words = workingWords(state);
    if (this.#words.textContent !== words) this.#words.textContent = words;
    if (state.phase === "uploading") this.#progress.value = state.share * 100;
    else this.#progress.removeAttribute("value");
  }

  /** @param {Picture} picture */
  #showProblem({ state }) {
    this.#problem.hidden = state.phase !== "failed" && state.phase !== "cancelled";
    if (this.#problem.hidden) return;
    const problem = state.phase === "failed" ? state.problem : null;
    const message = problem?.message ?? "Cancelled";
    byId("problem-message", HTMLElement).textContent = message;
    const details = (problem?.details ?? []).filter((detail) => detail.issue !== message);
    const rows = details.map(({ field, issue }) => make("div", {}, make("dt", {}, field), make("dd", {}, issue)));
    byId("problem-details", HTMLElement).replaceChildren(...rows);
    byId("problem-request", HTMLElement).textContent = problem?.requestId ?? "";
    byId("problem-id", HTMLElement).hidden = !problem?.requestId;
    byId("again", HTMLElement).hidden = problem?.final ?? false;
  }
}
