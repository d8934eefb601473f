/** The stage: the original picture over the answer, on the chosen ground. */

import { byId } from "./dom.js";
import { listenForGestures } from "./gestures.js";
import { Split } from "./split.js";
import { Zoom } from "./zoom.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./send.js").Answer} Answer */

const KEY_STEP = 1.5;

export class Stage {
  #stage = byId("stage", HTMLElement);
  #before = byId("before", HTMLImageElement);
  #after = byId("after", HTMLImageElement);
  #value = byId("zoom-value", HTMLElement);
  #zoom = new Zoom(this.#stage, () => this.#zoomed());
  #split = new Split(this.#stage, () => ({
    left: Math.max(0, this.#zoom.left),
    right: Math.min(this.#stage.clientWidth, this.#zoom.left + this.#zoom.width * this.#zoom.scale),
  }));
  /** @type {{picture: Picture | null, file: File | null, answer: Answer | null}} */
  #shown = { picture: null, file: null, answer: null };

  constructor() {
    listenForGestures(this.#zoom, this.#split);
    const press = (/** @type {string} */ id, /** @type {() => void} */ deed) =>
      byId(id, HTMLButtonElement).addEventListener("click", deed);
    press("zoom-in", () => this.#zoom.by(KEY_STEP));
    press("zoom-out", () => this.#zoom.by(1 / KEY_STEP));
    press("zoom-fit", () => this.#zoom.fit());
    press("zoom-full", () => this.#zoom.full());
    this.#before.addEventListener("load", () => this.#beforeCame());
    this.#before.addEventListener("error", () => this.#beforeFailed());
  }

  /**
   * Show a picture, and its answer if there is one.
   * @param {Picture} picture
   * @param {Answer | null} answer
   */
  show(picture, answer) {
    const { file } = picture;
    const had = this.#shown;
    if (had.file === file && had.answer === answer) return;
    if (had.file !== file) {
      this.#stage.dataset.before = "coming";
      this.#put(this.#before, file);
    }
    this.#shown = { picture, file, answer };
    this.#stage.dataset.after = String(answer !== null);
    this.#put(this.#after, answer?.blob ?? null);
    if (answer?.warnings.includes("animation-first-frame")) this.#stopAnimation(picture);
    this.#align();
    this.#compare(had.picture !== picture || had.answer === null);
  }

  /** Show the answer on a ground. @param {string} ground colour; empty: a checkerboard */
  set ground(ground) {
    this.#stage.dataset.ground = ground ? "colour" : "check";
    this.#stage.style.setProperty("--ground", ground);
  }

  /** The zoom: size and position of the picture on the stage. */
  get zoom() {
    return this.#zoom;
  }

  /** The original picture, once the browser has read it; null if it cannot. */
  get source() {
    return this.#stage.dataset.before === "shown" ? this.#before : null;
  }

  clear() {
    this.#shown = { picture: null, file: null, answer: null };
    this.#put(this.#before, null);
    this.#put(this.#after, null);
  }

  /** Align the original's pixels with those of the answer. */
  #align() {
    const { answer } = this.#shown;
    const { naturalWidth, naturalHeight, style } = this.#before;
    const [width, height] = answer ? [answer.width, answer.height] : [naturalWidth, naturalHeight];
    if (width > 0) this.#zoom.setPicture(width, height);
    const box = answer && naturalWidth > 0 ? answer.view : null;
    const percent = (/** @type {number} */ part, /** @type {number} */ whole) => `${(part / whole) * 100}%`;
    style.left = box ? percent(-box.left, box.width) : "0";
    style.top = box ? percent(-box.top, box.height) : "0";
    style.width = box ? percent(naturalWidth, box.width) : "100%";
    style.height = box ? percent(naturalHeight, box.height) : "100%";
  }

  #beforeCame() {
    this.#stage.dataset.before = "shown";
    this.#align();
    this.#compare();
  }

  /** Handle a source that the browser cannot show, although the server may support it. */
  #beforeFailed() {
    if (this.#before.getAttribute("src")) this.#stage.dataset.before = "unreadable";
    this.#compare();
  }

  /** @param {boolean} [isNew] whether this is a new answer, not another output of the same picture */
  #compare(isNew = true) {
    const { answer } = this.#shown;
    const both = answer !== null && this.#stage.dataset.before === "shown";
    this.#split.shown = both;
    if (both && isNew) this.#split.reveal();
    else if (both) this.#split.place();
    else this.#split.only(answer ? "after" : "before");
  }

  #zoomed() {
    this.#value.textContent = `${Math.round(this.#zoom.scale * 100)} %`;
    this.#split.place();
  }

  /** Show only the first frame, the one that the server processed. @param {Picture} picture */
  async #stopAnimation(picture) {
    const bitmap = await createImageBitmap(picture.file).catch(() => null);
    if (!bitmap) return; // the browser cannot show the picture at all, and the stage reports it
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const frame = await canvas.convertToBlob();
    if (this.#shown.picture === picture) this.#put(this.#before, frame); // the same file is still shown
  }

  /** Show a blob in an image, and free the previous one. @param {HTMLImageElement} image @param {Blob | null} blob */
  #put(image, blob) {
    const old = image.getAttribute("src");
    if (old) URL.revokeObjectURL(old);
    if (blob) image.src = URL.createObjectURL(blob);
    else image.removeAttribute("src");
  }
}
