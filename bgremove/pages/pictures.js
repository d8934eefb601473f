/** The pictures on the page, and the selected one. Views listen for "change". */

/** @typedef {import("./send.js").Answer} Answer */
/** @typedef {import("./output.js").Options} Options */
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
 * @property {Map<string, Answer>} cutouts the service's transparent answers at full size, by subject
 * @property {Map<string, Answer>} answers other outputs received or composed so far, by `keyOf` their options
 * @property {Map<string, Answer>} edits cut-outs edited by hand, by subject
 * @property {string} subject chosen for this picture only; empty: the form's
 * @property {string} note on changes that the page made to the file
 */

export const MAX_PICTURES = 100;
const UNDERWAY = new Set(["waiting", "uploading", "working", "held"]);

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
   * Add files and select the first one.
   * @param {File[]} files
   * @returns {Picture[]} the new pictures, at most up to MAX_PICTURES in total
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
    const [cutouts, answers, edits] = [new Map(), new Map(), new Map()];
    return { id: this.#nextId++, file, state: { phase: "waiting" }, cutouts, answers, edits, subject: "", note: "" };
  }

  /** @param {Picture} picture @param {State} state */
  set(picture, state) {
    picture.state = state;
    this.changed();
  }

  /** Replace the file of a picture. @param {Picture} picture @param {File} file @param {string} note */
  replace(picture, file, note) {
    picture.file = file;
    picture.note = note;
    for (const known of [picture.cutouts, picture.answers, picture.edits]) known.clear();
    this.changed();
  }

  /**
   * Store a cut-out edited by hand, or restore the service's.
   * @param {Picture} picture
   * @param {string} subject
   * @param {Answer | null} edited
   */
  edit(picture, subject, edited) {
    if (edited) picture.edits.set(subject, edited);
    else picture.edits.delete(subject);
    picture.answers.clear(); // they were composed from another cut-out
  }

  /** @param {Picture} picture */
  select(picture) {
    this.selected = picture;
    this.changed();
  }

  /** Remove a picture, and select the next one. @param {Picture} picture */
  remove(picture) {
    const at = this.all.indexOf(picture);
    if (at === -1) return; // its row stays until the next frame, and may be clicked again
    this.all.splice(at, 1);
    if (this.selected === picture) this.selected = this.all[at] ?? this.all[at - 1] ?? null;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
