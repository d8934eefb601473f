/** Who is sent when: a few at a time, later where the server asks for that, again with a key. */

import { announce } from "./dom.js";
import { keyOf } from "./pictures.js";
import { Problem, refusal } from "./problem.js";
import { send } from "./send.js";
import { until } from "./until.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./pictures.js").State} State */
/** @typedef {import("./send.js").Options} Options */
/** @typedef {{picture: Picture, options: Options, stop: AbortController}} Job */

const AT_ONCE = 2; // requests of this page: one is worked on while the next is on its way
const MAX_TRIES = 6; // of a picture, where the server says "later"

export class Work {
  /** @type {Job[]} */
  #waiting = [];
  /** @type {Map<Picture, Job>} */
  #jobs = new Map();
  #running = 0;
  #holdUntil = 0; // ms of Date.now; the server asked for peace until then

  /**
   * @param {import("./pictures.js").Pictures} pictures
   * @param {import("./keys.js").Keys} keys
   */
  constructor(pictures, keys) {
    this.pictures = pictures;
    this.keys = keys;
  }

  /**
   * See to it that a picture has its answer for these options.
   * @param {Picture} picture
   * @param {Options} options
   */
  want(picture, options) {
    this.#drop(picture);
    const known = picture.answers.get(keyOf(options));
    if (known) return this.pictures.set(picture, { phase: "done", answer: known, options });
    const problem = refusal(picture.file);
    if (problem) return this.#fail(picture, problem);
    const job = { picture, options, stop: new AbortController() };
    this.#jobs.set(picture, job);
    this.#waiting.push(job);
    this.pictures.set(picture, { phase: "waiting" });
    this.#next();
  }

  /** @param {Picture} picture */
  cancel(picture) {
    if (this.#drop(picture)) this.pictures.set(picture, { phase: "cancelled" });
  }

  /** Stop what is under way for a picture. @param {Picture} picture @returns {boolean} whether anything was */
  #drop(picture) {
    const job = this.#jobs.get(picture);
    if (!job) return false;
    this.#jobs.delete(picture);
    this.#waiting = this.#waiting.filter((other) => other !== job);
    job.stop.abort();
    return true;
  }

  #next() {
    while (this.#running < AT_ONCE && this.#waiting.length > 0) {
      const job = /** @type {Job} */ (this.#waiting.shift());
      this.#running += 1;
      this.#run(job).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  /** @param {Job} job */
  async #run(job) {
    const { picture, options, stop } = job;
    try {
      const answer = await this.#ask(job);
      stop.signal.throwIfAborted();
      this.#jobs.delete(picture);
      picture.answers.set(keyOf(options), answer);
      this.pictures.set(picture, { phase: "done", answer, options });
      announce(`${picture.file.name}: done`);
    } catch (error) {
      if (stop.signal.aborted) return; // whoever stopped it has said so
      this.#jobs.delete(picture);
      this.#fail(picture, error instanceof Problem ? error : new Problem(`This page failed: ${error}`));
    }
  }

  /** Send until there is an answer or nothing more to try. @param {Job} job */
  async #ask({ picture, options, stop: { signal } }) {
    for (let tries = 1; ; tries += 1) {
      await until(this.#holdUntil, signal);
      const key = this.keys.current;
      try {
        return await send(picture.file, options, {
          key,
          signal,
          uploading: (share) => this.pictures.set(picture, way(share)),
        });
      } catch (error) {
        if (!(error instanceof Problem) || signal.aborted) throw error;
        if (error.status === 401) await this.#needKey(key, error);
        else if (error.retryAfterS === null || tries === MAX_TRIES) throw error;
        else this.#hold(picture, error, error.retryAfterS);
      }
    }
  }

  /**
   * Get another key than the one refused, or give up on all that is under way: it would only ask again.
   * @param {string} refused
   * @param {Problem} problem
   */
  async #needKey(refused, problem) {
    if (this.keys.current !== refused || (await this.keys.ask(problem.message))) return;
    for (const picture of [...this.#jobs.keys()]) {
      this.#drop(picture);
      this.#fail(picture, problem);
    }
    throw problem;
  }

  /** @param {Picture} picture @param {Problem} problem @param {number} seconds */
  #hold(picture, problem, seconds) {
    this.#holdUntil = Math.max(this.#holdUntil, Date.now() + seconds * 1000);
    this.pictures.set(picture, { phase: "held", until: this.#holdUntil, problem });
  }

  /** @param {Picture} picture @param {Problem} problem */
  #fail(picture, problem) {
    this.pictures.set(picture, { phase: "failed", problem });
    announce(`${picture.file.name}: ${problem.message}`);
  }
}

/** @param {number} share of the upload @returns {State} */
function way(share) {
  return share < 1 ? { phase: "uploading", share } : { phase: "working", since: performance.now() };
}
