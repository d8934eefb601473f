/** The view of the selected picture, in any state. */

import { Brush } from "./brush.js";
import { copyText } from "./clipboard.js";
import { byId, make } from "./dom.js";
import { isUnderway } from "./pictures.js";
import { Result } from "./result.js";
import { Stage } from "./stage.js";
import { doubtWords, otherSubjects, workingWords } from "./words.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./problem.js").Problem} Problem */
/** @typedef {import("./send.js").Answer} Answer */
/**
 * @typedef {object} Deeds
 * @property {(picture: Picture) => void} cancel
 * @property {(picture: Picture) => void} again
 * @property {(picture: Picture, subject: string) => void} tryAs
 * @property {(picture: Picture) => Promise<void>} shrink
 * @property {(picture: Picture) => Answer | undefined} cutout
 * @property {(picture: Picture, edited: Blob) => void} edited
 */

const TICK_MS = 200;
const NARROW = "(max-width: 56rem)"; // as in layout.css: the picture is below the list

export class Viewer {
  #section = byId("viewer", HTMLElement);
  #title = byId("viewer-title", HTMLElement);
  #working = byId("working", HTMLElement);
  #words = byId("working-words", HTMLElement);
  #progress = byId("progress", HTMLProgressElement);
  #problem = byId("problem", HTMLElement);
  #doubt = byId("doubt", HTMLElement);
  #mend = byId("mend", HTMLButtonElement);
  #stage = new Stage();
  /** @type {Result} */
  #result;
  /** @type {Picture | null} */
  #picture = null;

  /**
   * @param {import("./keys.js").Keys} keys
   * @param {Deeds} deeds
   */
  constructor(keys, deeds) {
    this.deeds = deeds;
    this.#result = new Result(keys);
    const press = (/** @type {string} */ id, /** @type {(picture: Picture) => void} */ deed) =>
      byId(id, HTMLButtonElement).addEventListener("click", () => this.#picture && deed(this.#picture));
    press("cancel", deeds.cancel);
    press("again", deeds.again);
    press("shrink", deeds.shrink);
    press("mend", () => this.#openBrush());
    const copyId = byId("copy-id", HTMLButtonElement);
    copyId.addEventListener("click", () => copyText(copyId, byId("problem-request", HTMLElement).textContent ?? ""));
    this.brush = new Brush(this.#stage, (edited) => {
      if (edited && this.#picture) deeds.edited(this.#picture, edited);
      else if (this.#picture) this.show(this.#picture, this.ground);
    });
    this.ground = "";
    setInterval(() => this.#tick(), TICK_MS);
  }

  /**
   * @param {Picture | null} picture
   * @param {string} ground under the cut-out
   */
  show(picture, ground) {
    this.ground = ground;
    if (picture !== this.#picture || picture?.state.phase !== "done") this.brush.abandon();
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
    this.#showDoubt(picture);
    byId("note", HTMLElement).textContent = picture.note;
    byId("tools", HTMLElement).hidden = done === null;
    this.#mend.hidden = !done || done.options.extent === "mask";
    this.#stage.ground = done?.options.extent === "mask" ? "" : ground;
    if (!this.brush.isOpen) this.#stage.show(picture, done?.answer ?? null);
    this.#result.show(done?.answer ?? null, done?.options ?? null, file.name);
    if (focused instanceof HTMLElement && focused.closest("[hidden]")) this.#keepFocus();
  }

  /** Scroll to the picture, which a small screen may not show below the controls. */
  lookAt() {
    if (matchMedia(NARROW).matches) this.#section.scrollIntoView({ block: "nearest" });
  }

  /** Open the brush on the whole cut-out, independent of the chosen output. */
  async #openBrush() {
    if (this.brush.isOpen) return this.brush.finish();
    const picture = this.#picture;
    const cutout = picture && this.deeds.cutout(picture);
    if (!picture || !cutout) return;
    this.#stage.show(picture, cutout);
    await this.brush.open(cutout);
  }

  /** Move the focus away from a button that is hidden. */
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
  #showProblem(picture) {
    const { state } = picture;
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
    byId("shrink", HTMLElement).hidden = !problem?.tooLarge;
    const others = problem?.code === "NO_SUBJECT_DETECTED" ? this.#others(picture, problem.subject) : [];
    byId("problem-others", HTMLElement).replaceChildren(...others);
  }

  /** Warn about a cut-out of low confidence, and offer other subjects. @param {Picture} picture */
  #showDoubt(picture) {
    const { state } = picture;
    const isDoubtful = state.phase === "done" && state.answer.warnings.includes("low-confidence");
    this.#doubt.hidden = !isDoubtful;
    if (!isDoubtful || state.phase !== "done") return;
    byId("doubt-words", HTMLElement).textContent = doubtWords;
    byId("doubt-others", HTMLElement).replaceChildren(...this.#others(picture, state.options.subject));
  }

  /** Make a button for each other kind of subject. @param {Picture} picture @param {string} subject */
  #others(picture, subject) {
    return otherSubjects(subject).map(([value, name]) => {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => this.deeds.tryAs(picture, value));
      return button;
    });
  }
}
