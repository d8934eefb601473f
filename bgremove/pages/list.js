/** The list of pictures: a small view of each, its state in words, a way to drop it. */

import { byId, make } from "./dom.js";
import { isUnderway } from "./pictures.js";
import { stateWords } from "./words.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {{item: HTMLLIElement, pick: HTMLButtonElement, state: HTMLElement}} Row */

const THUMB_PX = 96;
const TICK_MS = 200;

export class List {
  #section = byId("pictures", HTMLElement);
  #list = byId("list", HTMLUListElement);
  #title = byId("pictures-title", HTMLElement);
  #cancelAll = byId("cancel-all", HTMLButtonElement);
  /** @type {Map<Picture, Row>} */
  #rows = new Map();
  #thumbs = Promise.resolve(); // one after the other: a decoded photograph is large

  /**
   * @param {import("./pictures.js").Pictures} pictures
   * @param {(picture: Picture) => void} remove
   */
  constructor(pictures, remove) {
    this.pictures = pictures;
    this.remove = remove;
    setInterval(() => this.#tick(), TICK_MS);
  }

  show() {
    const { all, selected } = this.pictures;
    this.#section.hidden = all.length === 0;
    this.#section.dataset.single = String(all.length === 1);
    const done = all.filter((picture) => picture.state.phase === "done").length;
    this.#title.textContent = all.length > 1 ? `Pictures (${done} of ${all.length} done)` : "Picture";
    this.#cancelAll.hidden = !all.some(isUnderway);
    for (const [picture, row] of this.#rows) {
      if (!all.includes(picture)) this.#forget(picture, row);
    }
    for (const picture of all) {
      const row = this.#rows.get(picture) ?? this.#add(picture);
      tell(row, picture);
      row.item.dataset.phase = picture.state.phase;
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
    const row = { item: make("li", {}, pick, cross), pick, state };
    pick.addEventListener("click", () => this.pictures.select(picture));
    cross.addEventListener("click", () => this.remove(picture));
    this.#rows.set(picture, row);
    this.#list.append(row.item);
    this.#thumbs = this.#thumbs.then(() => draw(thumb, picture.file));
    return row;
  }

  /** Count down where the server has asked for peace. */
  #tick() {
    for (const [picture, row] of this.#rows) {
      if (picture.state.phase === "held") tell(row, picture);
    }
  }

  /** Take a row away; the focus in it goes to the row that follows. @param {Picture} picture @param {Row} row */
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

/**
 * Draw a picture small, upright, cut to a square; nothing where the browser cannot read it.
 * @param {HTMLCanvasElement} canvas
 * @param {File} file
 */
async function draw(canvas, file) {
  if (!canvas.isConnected) return;
  try {
    const bitmap = await createImageBitmap(file);
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
