/** Queue requests: a few at a time, delayed on a Retry-After, repeated with a key after a 401. */

import { compose } from "./compose.js";
import { announce } from "./dom.js";
import { isMaster, keyOf, master, needsService } from "./output.js";
import { Problem, refusal } from "./problem.js";
import { send } from "./send.js";
import { until } from "./until.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./pictures.js").State} State */
/** @typedef {import("./output.js").Options} Options */
/** @typedef {import("./send.js").Answer} Answer */
/** @typedef {{picture: Picture, options: Options, stop: AbortController}} Job */

const AT_ONCE = 2; // requests of this page: one is uploaded while the other is processed
const MAX_TRIES = 6; // of a picture, when the server answers with a Retry-After

export class Work {
  /** @type {Job[]} */
  #waiting = [];
  /** @type {Map<Picture, Job>} */
  #jobs = new Map();
  #running = 0;
  #holdUntil = 0; // ms of Date.now; no requests before it, because of a Retry-After

  /**
   * @param {import("./pictures.js").Pictures} pictures
   * @param {import("./keys.js").Keys} keys
   */
  constructor(pictures, keys) {
    this.pictures = pictures;
    this.keys = keys;
  }

  /**
   * Request the answer for a picture with these options.
   * @param {Picture} picture
   * @param {Options} options
   */
  want(picture, options) {
    this.#drop(picture);
    const known = isMaster(options) ? cutoutOf(picture, options.subject) : picture.answers.get(keyOf(options));
    if (known) return this.pictures.set(picture, { phase: "done", answer: known, options });
    const problem = refusal(picture.file);
    if (problem) return this.#fail(picture, problem);
    const job = { picture, options, stop: new AbortController() };
    this.#jobs.set(picture, job);
    this.#waiting.push(job);
    if (needsService(options) || !cutoutOf(picture, options.subject)) this.pictures.set(picture, { phase: "waiting" });
    this.#next();
  }

  /** @param {Picture} picture */
  cancel(picture) {
    if (this.#drop(picture)) this.pictures.set(picture, { phase: "cancelled" });
  }

  /** Abort the request of a picture. @param {Picture} picture @returns {boolean} whether there was one */
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
      const answer = await this.#answer(job);
      stop.signal.throwIfAborted();
      this.#jobs.delete(picture);
      if (!isMaster(options)) picture.answers.set(keyOf(options), answer);
      this.pictures.set(picture, { phase: "done", answer, options });
      announce(`${picture.file.name}: done`);
    } catch (error) {
      if (stop.signal.aborted) return; // reported by the code that aborted it
      this.#jobs.delete(picture);
      const problem = error instanceof Problem ? error : new Problem(`This page failed: ${error}`);
      problem.subject = options.subject;
      this.#fail(picture, problem);
    }
  }

  /** Compose the answer if that gives the service's pixels, else request it. @param {Job} job @returns {Promise<Answer>} */
  async #answer(job) {
    const { picture, options } = job;
    const { subject } = options;
    if (needsService(options) && !picture.edits.has(subject)) return this.#ask(job, options);
    let cutout = cutoutOf(picture, subject);
    if (!cutout) {
      cutout = await this.#ask(job, master(subject));
      picture.cutouts.set(subject, cutout);
    }
    return isMaster(options) ? cutout : compose(cutout, options);
  }

  /** Send until there is an answer or a final problem. @param {Job} job @param {Options} options @returns {Promise<Answer>} */
  async #ask({ picture, stop: { signal } }, options) {
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
   * Get another key than the refused one, or fail all open requests, which would ask for a key again.
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

/**
 * Return the cut-out of a picture, with any edits.
 * @param {Picture} picture
 * @param {string} subject
 */
export function cutoutOf(picture, subject) {
  return picture.edits.get(subject) ?? picture.cutouts.get(subject);
}

/** @param {number} share of the upload @returns {State} */
function way(share) {
  return share < 1 ? { phase: "uploading", share } : { phase: "working", since: performance.now() };
}
