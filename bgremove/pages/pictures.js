/** The pictures on the page, and the one that is looked at. Views listen for "change". */

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
 * @property {Map<string, Answer>} cutouts transparent, at full size, as the service gave them, by subject
 * @property {Map<string, Answer>} answers other outputs received or composed so far, by `keyOf` their options
 * @property {Map<string, Answer>} edits cut-outs edited by hand, by subject
 * @property {string} subject chosen for this picture alone; empty: the one of the form
 * @property {string} note on what the page did to the file
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
    const [cutouts, answers, edits] = [new Map(), new Map(), new Map()];
    return { id: this.#nextId++, file, state: { phase: "waiting" }, cutouts, answers, edits, subject: "", note: "" };
  }

  /** @param {Picture} picture @param {State} state */
  set(picture, state) {
    picture.state = state;
    this.changed();
  }

  /** Put another file in the place of a picture's. @param {Picture} picture @param {File} file @param {string} note */
  replace(picture, file, note) {
    picture.file = file;
    picture.note = note;
    for (const known of [picture.cutouts, picture.answers, picture.edits]) known.clear();
    this.changed();
  }

  /**
   * Keep a cut-out edited by hand, or go back to the service's.
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
