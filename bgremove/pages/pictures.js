/** The pictures on the page, and which one is looked at. Whoever shows them listens for "change". */

/** @typedef {import("./send.js").Answer} Answer */
/** @typedef {import("./send.js").Options} Options */
/** @typedef {import("./problem.js").Problem} Problem */
/**
 * @typedef {{phase: "waiting"}
 *   | {phase: "uploading", share: number}
 *   | {phase: "working", since: number}
 *   | {phase: "held", until: number, problem: Problem}
 *   | {phase: "done", answer: Answer, options: Options}
 *   | {phase: "failed", problem: Problem}
 *   | {phase: "cancelled"}} State
 */
/**
 * @typedef {object} Picture
 * @property {number} id
 * @property {File} file
 * @property {State} state
 * @property {Map<string, Answer>} answers those had so far, by `keyOf` their options
 */

export const MAX_PICTURES = 100;
const UNDERWAY = new Set(["waiting", "uploading", "working", "held"]);

/**
 * @param {Options} options
 * @returns {string} the same for options that get the same answer
 */
export function keyOf({ subject, format, white }) {
  return `${subject} ${format} ${format === "white_bg" ? white : ""}`;
}

/** @param {Picture} picture */
export function isUnderway(picture) {
  return UNDERWAY.has(picture.state.phase);
}

export class Pictures extends EventTarget {
  /** @type {Picture[]} */
  all = [];
  /** @type {Picture | null} */
  selected = null;
  #nextId = 1;

  /**
   * Add files and look at the first of them.
   * @param {File[]} files
   * @returns {Picture[]} the new pictures: fewer than the files where there are too many
   */
  add(files) {
    const room = Math.max(0, MAX_PICTURES - this.all.length);
    const added = files.slice(0, room).map((file) => this.#picture(file));
    this.all.push(...added);
    if (added.length > 0) this.selected = added[0];
    this.changed();
    return added;
  }

  /** @param {File} file @returns {Picture} */
  #picture(file) {
    return { id: this.#nextId++, file, state: { phase: "waiting" }, answers: new Map() };
  }

  /** @param {Picture} picture @param {State} state */
  set(picture, state) {
    picture.state = state;
    this.changed();
  }

  /** @param {Picture} picture */
  select(picture) {
    this.selected = picture;
    this.changed();
  }

  /** Forget a picture, and look at the one that takes its place. @param {Picture} picture */
  remove(picture) {
    const at = this.all.indexOf(picture);
    if (at === -1) return; // its row stays until the next frame is drawn, and may be clicked again
    this.all.splice(at, 1);
    if (this.selected === picture) this.selected = this.all[at] ?? this.all[at - 1] ?? null;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
