/** The list of pictures: a thumbnail, the state in words, and a button to remove each. */

import { byId, make } from "./dom.js";
import { isUnderway } from "./pictures.js";
import { stateWords } from "./words.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {{item: HTMLLIElement, pick: HTMLButtonElement, state: HTMLElement, thumb: HTMLCanvasElement, drawn: Blob | null}} Row */

const THUMB_PX = 96;
const TICK_MS = 200;

export class List {
  #section = byId("pictures", HTMLElement);
  #list = byId("list", HTMLUListElement);
  #title = byId("pictures-title", HTMLElement);
  #cancelAll = byId("cancel-all", HTMLButtonElement);
  /** @type {Map<Picture, Row>} */
  #rows = new Map();
  #thumbs = Promise.resolve(); // one at a time: a decoded photograph is large

  /**
   * @param {import("./pictures.js").Pictures} pictures
   * @param {(picture: Picture) => void} picked
   * @param {(picture: Picture) => void} remove
   */
  constructor(pictures, picked, remove) {
    this.pictures = pictures;
    this.picked = picked;
    this.remove = remove;
    setInterval(() => this.#tick(), TICK_MS);
  }

  show() {
    const { all, selected } = this.pictures;
    this.#section.hidden = all.length === 0;
    this.#section.dataset.single = String(all.length === 1);
    this.#title.textContent = titleWords(all);
    this.#cancelAll.hidden = !all.some(isUnderway);
    for (const [picture, row] of this.#rows) {
      if (!all.includes(picture)) this.#forget(picture, row);
    }
    for (const picture of all) {
      const row = this.#rows.get(picture) ?? this.#add(picture);
      tell(row, picture);
      row.item.dataset.phase = picture.state.phase;
      row.item.toggleAttribute("data-doubtful", isDoubtful(picture));
      this.#drawThumb(row, picture.state.phase === "done" ? picture.state.answer.blob : picture.file);
      if (picture === selected) row.pick.setAttribute("aria-current", "true");
      else row.pick.removeAttribute("aria-current");
    }
  }

  /** @param {Picture} picture @returns {Row} */
  #add(picture) {
    const { name } = picture.file;
    const thumb = make("canvas", { "aria-hidden": "true", class: "thumb", width: "1", height: "1" });
    const state = make("span", { class: "small row-state" });
    const words = make("span", { class: "row-words" }, make("bdi", { class: "row-name", title: name }, name), state);
    const pick = make("button", { type: "button", class: "pick" }, thumb, words);
    const cross = make("button", { type: "button", class: "cross", "aria-label": `Remove ${name} from the list` }, "×");
    const row = { item: make("li", {}, pick, cross), pick, state, thumb, drawn: null };
    pick.addEventListener("click", () => this.picked(picture));
    cross.addEventListener("click", () => this.remove(picture));
    this.#rows.set(picture, row);
    this.#list.append(row.item);
    return row;
  }

  /** @param {Row} row @param {Blob} blob the result if there is one, else the source */
  #drawThumb(row, blob) {
    if (row.drawn === blob) return;
    row.drawn = blob;
    this.#thumbs = this.#thumbs.then(() => (row.drawn === blob ? draw(row.thumb, blob) : undefined));
  }

  /** Update the countdowns of pictures that wait for a Retry-After. */
  #tick() {
    for (const [picture, row] of this.#rows) {
      if (picture.state.phase === "held") tell(row, picture);
    }
  }

  /** Remove a row; its focus moves to the next row. @param {Picture} picture @param {Row} row */
  #forget(picture, row) {
    const next = (row.item.nextElementSibling ?? row.item.previousElementSibling)?.querySelector("button");
    const focused = row.item.contains(document.activeElement);
    row.item.remove();
    this.#rows.delete(picture);
    if (focused) (next ?? byId("choose", HTMLButtonElement)).focus();
  }
}

/** @param {Row} row @param {Picture} picture */
function tell(row, picture) {
  const words = stateWords(picture.state);
  if (row.state.textContent !== words) row.state.textContent = row.state.title = words;
}

/** @param {Picture[]} all */
function titleWords(all) {
  if (all.length < 2) return "Picture";
  const count = (/** @type {string} */ phase) => all.filter(({ state }) => state.phase === phase).length;
  const [done, failed, doubtful] = [count("done"), count("failed"), all.filter(isDoubtful).length];
  if (done + failed < all.length) return `${done + failed} of ${all.length} done`;
  const parts = [`${done} done`];
  if (doubtful > 0) parts.push(`${doubtful} to check`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(", ");
}

/** @param {Picture} picture */
function isDoubtful({ state }) {
  return state.phase === "done" && state.answer.warnings.includes("low-confidence");
}

/**
 * Draw an upright square thumbnail of a picture; nothing if the browser cannot read it.
 * @param {HTMLCanvasElement} canvas
 * @param {Blob} blob
 */
async function draw(canvas, blob) {
  if (!canvas.isConnected) return;
  try {
    const bitmap = await createImageBitmap(blob);
    const side = Math.min(bitmap.width, bitmap.height);
    const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
    canvas.width = canvas.height = THUMB_PX;
    const context = canvas.getContext("2d");
    if (context) context.imageSmoothingQuality = "high";
    context?.drawImage(bitmap, left, top, side, side, 0, 0, THUMB_PX, THUMB_PX);
    bitmap.close();
  } catch {
    canvas.dataset.broken = "";
  }
}
