/** Edit a cut-out by hand: a brush that keeps or erases pixels. */

import { byId } from "./dom.js";
import { decodePng, encodePng } from "./png.js";

/** @typedef {import("./png.js").Pixels} Pixels */
/** @typedef {import("./send.js").Answer} Answer */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Area */
/** @typedef {{x: number, y: number}} Point */

const MAX_UNDO = 50;
const SOFT = 0.15; // part of the brush's radius over which its edge fades

export class Brush {
  #stage = byId("stage", HTMLElement);
  #canvas = byId("retouch", HTMLCanvasElement);
  #tools = byId("brush-tools", HTMLElement);
  #opener = byId("mend", HTMLButtonElement);
  #size = byId("brush-size", HTMLInputElement);
  #undoButton = byId("brush-undo", HTMLButtonElement);
  #cursor = byId("brush-cursor", HTMLElement);
  /** @type {Pixels | null} */
  #pixels = null;
  /** @type {Uint8ClampedArray<ArrayBuffer> | null} of the original picture; null if the browser cannot read it */
  #source = null;
  /** @type {{area: Area, rgba: Uint8ClampedArray}[]} */
  #undo = [];
  /** @type {Point | null} */
  #last = null;

  /**
   * @param {import("./stage.js").Stage} stage
   * @param {(edited: Blob | null) => void} done called with the edited cut-out as PNG; null: unchanged
   */
  constructor(stage, done) {
    this.stage = stage;
    this.done = done;
    const press = (/** @type {string} */ id, /** @type {() => void} */ deed) =>
      byId(id, HTMLButtonElement).addEventListener("click", deed);
    press("brush-undo", () => this.#takeBack());
    press("brush-done", () => this.finish());
    this.#listenForPointers();
    document.addEventListener("keydown", (event) => {
      if (!this.isOpen || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.#takeBack();
    });
  }

  get isOpen() {
    return this.#pixels !== null;
  }

  /** Start editing a cut-out. @param {Answer} cutout */
  async open(cutout) {
    this.#pixels = await decodePng(cutout.blob);
    const { width, height } = this.#pixels;
    this.#source = sourcePixels(this.stage.source, width, height);
    this.#undo = [];
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#show({ left: 0, top: 0, right: width, bottom: height });
    this.#toggle(true);
    byId("brush-erase", HTMLInputElement).focus();
  }

  /** Stop editing, and pass on the result. */
  async finish() {
    const pixels = this.#pixels;
    if (!pixels) return;
    const edited = this.#undo.length > 0;
    this.#toggle(false);
    this.#opener.focus();
    const { rgba, width, height, kept } = pixels;
    this.done(edited ? await encodePng(rgba, width, height, kept) : null);
  }

  /** Stop editing without a result, when another picture is selected. */
  abandon() {
    if (this.isOpen) this.#toggle(false);
  }

  /** @param {boolean} open */
  #toggle(open) {
    if (!open) {
      this.#pixels = this.#source = this.#last = null;
      this.#canvas.width = this.#canvas.height = 0; // frees the memory of a large canvas
    }
    this.#tools.hidden = !open;
    this.#opener.setAttribute("aria-expanded", String(open));
    this.#stage.toggleAttribute("data-retouch", open);
    this.#undoButton.disabled = this.#undo.length === 0;
  }

  #listenForPointers() {
    const canvas = this.#canvas;
    /** @type {Uint8ClampedArray<ArrayBuffer> | null} */
    let before = null;
    /** @type {Area | null} */
    let touched = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.#pixels || event.button !== 0 || !event.isPrimary) return;
      event.stopPropagation(); // otherwise the stage would move the picture
      canvas.setPointerCapture(event.pointerId);
      before = this.#pixels.rgba.slice();
      this.#last = this.#at(event);
      touched = this.#stroke(this.#last, this.#last);
    });
    canvas.addEventListener("pointermove", (event) => {
      this.#follow(event);
      if (!before || !this.#last || !touched) return;
      const at = this.#at(event);
      touched = joined(touched, this.#stroke(this.#last, at));
      this.#last = at;
    });
    const lift = () => {
      if (before && touched && this.#pixels) {
        this.#undo.push({ area: touched, rgba: part(before, this.#pixels.width, touched) });
        this.#undo = this.#undo.slice(-MAX_UNDO);
        this.#undoButton.disabled = false;
      }
      before = touched = this.#last = null;
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("pointerleave", () => {
      this.#cursor.hidden = true;
    });
  }

  /** @param {PointerEvent} event @returns {Point} in pixels of the picture */
  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.#canvas.width,
      y: ((event.clientY - box.top) / box.height) * this.#canvas.height,
    };
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    const { left, top } = this.#stage.getBoundingClientRect();
    this.#cursor.hidden = false;
    this.#cursor.style.setProperty("--x", `${event.clientX - left}px`);
    this.#cursor.style.setProperty("--y", `${event.clientY - top}px`);
    this.#cursor.style.setProperty("--size", `${this.#size.valueAsNumber}px`);
  }

  /** Draw a line with the brush; returns the changed area. @param {Point} from @param {Point} to @returns {Area} */
  #stroke(from, to) {
    const pixels = /** @type {Pixels} */ (this.#pixels);
    const radius = Math.max(0.75, this.#size.valueAsNumber / 2 / this.stage.zoom.scale);
    const keeps = byId("brush-keep", HTMLInputElement).checked;
    const area = {
      left: Math.max(0, Math.floor(Math.min(from.x, to.x) - radius - 1)),
      top: Math.max(0, Math.floor(Math.min(from.y, to.y) - radius - 1)),
      right: Math.min(pixels.width, Math.ceil(Math.max(from.x, to.x) + radius + 1)),
      bottom: Math.min(pixels.height, Math.ceil(Math.max(from.y, to.y) + radius + 1)),
    };
    const fade = Math.max(1, radius * SOFT);
    for (let y = area.top; y < area.bottom; y += 1) {
      for (let x = area.left; x < area.right; x += 1) {
        const cover = Math.min(1, (radius - away({ x: x + 0.5, y: y + 0.5 }, from, to)) / fade + 0.5);
        if (cover > 0) touch(pixels.rgba, this.#source, 4 * (y * pixels.width + x), keeps, Math.round(255 * cover));
      }
    }
    this.#show(area);
    return area;
  }

  #takeBack() {
    const step = this.#undo.pop();
    if (!step || !this.#pixels) return;
    const { area, rgba } = step;
    const wide = 4 * (area.right - area.left);
    for (let y = area.top, from = 0; y < area.bottom; y += 1, from += wide) {
      this.#pixels.rgba.set(rgba.subarray(from, from + wide), 4 * (y * this.#pixels.width + area.left));
    }
    this.#show(area);
    this.#undoButton.disabled = this.#undo.length === 0;
  }

  /** @param {Area} area */
  #show({ left, top, right, bottom }) {
    const pixels = this.#pixels;
    if (!pixels || right <= left || bottom <= top) return;
    const shown = new ImageData(part(pixels.rgba, pixels.width, { left, top, right, bottom }), right - left);
    this.#canvas.getContext("2d")?.putImageData(shown, left, top);
  }
}

/**
 * Erase or keep a pixel. Repeating it has no further effect, so that slow and fast strokes give the same result.
 * @param {Uint8ClampedArray} rgba
 * @param {Uint8ClampedArray | null} source
 * @param {number} at
 * @param {boolean} keeps
 * @param {number} cover 0 to 255
 */
function touch(rgba, source, at, keeps, cover) {
  if (!keeps) {
    rgba[at + 3] = Math.min(rgba[at + 3], 255 - cover);
  } else if (source && cover > rgba[at + 3]) {
    for (let channel = 0; channel < 3; channel += 1) rgba[at + channel] = source[at + channel];
    rgba[at + 3] = cover;
  }
}

/** @param {HTMLImageElement | null} image @param {number} width @param {number} height */
function sourcePixels(image, width, height) {
  if (!image) return null;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context?.drawImage(image, 0, 0, width, height);
  return context?.getImageData(0, 0, width, height).data ?? null;
}

/** @param {Uint8ClampedArray} rgba @param {number} width @param {Area} area @returns {Uint8ClampedArray<ArrayBuffer>} */
function part(rgba, width, { left, top, right, bottom }) {
  const copy = new Uint8ClampedArray(4 * (right - left) * (bottom - top));
  for (let y = top, to = 0; y < bottom; y += 1, to += 4 * (right - left)) {
    copy.set(rgba.subarray(4 * (y * width + left), 4 * (y * width + right)), to);
  }
  return copy;
}

/** @param {Area} a @param {Area} b @returns {Area} */
function joined(a, b) {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** @param {Point} point @param {Point} from @param {Point} to @returns {number} distance to the line between two points */
function away(point, from, to) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const length = x * x + y * y;
  const along = length === 0 ? 0 : ((point.x - from.x) * x + (point.y - from.y) * y) / length;
  const nearest = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - from.x - nearest * x, point.y - from.y - nearest * y);
}
