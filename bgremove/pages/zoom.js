/** The scale and position of the picture on the stage, from the whole picture to single pixels. */

const MAX_SCALE = 16;
const MAX_FIT = 3; // the limit of the scale at which a small picture fills the stage
const SEEN_AS_PIXELS = 3; // the scale from which pixels are shown as squares

/** A picture of width x height pixels on a stage; at scale 1, a picture's pixel is one CSS pixel. */
export class Zoom {
  width = 0;
  height = 0;
  scale = 1;
  left = 0; // of the picture's corner, in pixels of the stage
  top = 0;
  #fits = true; // until the user zooms, the picture fits the stage

  /**
   * @param {HTMLElement} stage
   * @param {() => void} changed
   */
  constructor(stage, changed) {
    this.stage = stage;
    this.changed = changed;
    new ResizeObserver(() => (this.#fits ? this.fit() : this.#place())).observe(stage);
  }

  /** @param {number} width @param {number} height */
  setPicture(width, height) {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.fit();
  }

  fit() {
    if (this.width === 0) return;
    const { clientWidth, clientHeight } = this.stage;
    this.scale = Math.min(clientWidth / this.width, clientHeight / this.height, MAX_FIT);
    this.#fits = true;
    this.#place();
  }

  /** Zoom to one CSS pixel per picture pixel. */
  full() {
    this.by(1 / this.scale);
  }

  /**
   * Zoom around a fixed point, by default the middle of the stage.
   * @param {number} factor
   * @param {number} [x] in pixels of the stage
   * @param {number} [y]
   */
  by(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const { clientWidth, clientHeight } = this.stage;
    const least = Math.min(clientWidth / this.width, clientHeight / this.height, 1);
    const scale = Math.min(MAX_SCALE, Math.max(least, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.#fits = false;
    this.#place();
  }

  /** @param {number} x @param {number} y */
  move(x, y) {
    this.left += x;
    this.top += y;
    this.#place();
  }

  /** Whether the picture is larger than the stage. */
  get movable() {
    const { clientWidth, clientHeight } = this.stage;
    return this.width * this.scale > clientWidth + 1 || this.height * this.scale > clientHeight + 1;
  }

  /** Keep the picture on the stage, and publish its position to the style sheet. */
  #place() {
    const { clientWidth, clientHeight, style, dataset } = this.stage;
    const [wide, high] = [this.width * this.scale, this.height * this.scale];
    this.left = held(this.left, wide, clientWidth);
    this.top = held(this.top, high, clientHeight);
    style.setProperty("--left", `${this.left}px`);
    style.setProperty("--top", `${this.top}px`);
    style.setProperty("--wide", `${wide}px`);
    style.setProperty("--high", `${high}px`);
    dataset.movable = String(this.movable);
    dataset.pixels = String(this.scale >= SEEN_AS_PIXELS && !this.#fits);
    this.changed();
  }
}

/** @param {number} at @param {number} length @param {number} room @returns {number} */
function held(at, length, room) {
  if (length <= room) return (room - length) / 2;
  return Math.min(0, Math.max(room - length, at));
}
