/** Problems in words: from the server's envelope, or from the way to the server. */

import { maxUploadBytes, sentences } from "./config.js";

/** @typedef {{field: string, issue: string}} Detail */
/**
 * @typedef {{status?: number, code?: string, details?: Detail[], requestId?: string, retryAfterS?: number | null,
 *   final?: boolean, tooLarge?: boolean}} More
 */

const TOO_LARGE = /more than the limit of [\d,]+( pixels| bytes)?|longest side/;
const NO_WORDS = "The server did not say why";
const MAX_WAIT_S = 120; // a longer Retry-After is shown, not waited for

export class Problem extends Error {
  /**
   * @param {string} message a sentence for people
   * @param {More} [more]
   */
  constructor(message, more = {}) {
    const {
      status = 0,
      code = "",
      details = [],
      requestId = "",
      retryAfterS = null,
      final = false,
      tooLarge = false,
    } = more;
    super(message);
    this.name = "Problem";
    this.status = status;
    /** The envelope's, such as NO_SUBJECT_DETECTED. */
    this.code = code;
    /** The subject that was asked for. */
    this.subject = "";
    /** Whether the picture would be taken if it were smaller. */
    this.tooLarge = tooLarge;
    this.details = details;
    this.requestId = requestId;
    /** Seconds after which the server is worth asking again; null: not by itself. */
    this.retryAfterS = retryAfterS;
    /** Whether the same picture can only get the same answer. */
    this.final = final || status === 400;
  }
}

/**
 * Say why a file need not be sent at all, in the server's words; null where it may be sent.
 * @param {File} file
 * @returns {Problem | null}
 */
export function refusal(file) {
  if (file.size === 0) return new Problem(sentences.required, { final: true });
  if (file.size <= maxUploadBytes) return null;
  const [size, limit] = [file.size, maxUploadBytes].map((count) => count.toLocaleString("en-US"));
  const words = sentences.tooLarge.replace("{size}", size).replace("{limit}", limit);
  return new Problem(words, { final: true, tooLarge: true });
}

/**
 * Read an answer that is no picture.
 * @param {XMLHttpRequest} request finished, its body a Blob
 * @returns {Promise<Problem>}
 */
export async function problemOf(request) {
  const status = request.status;
  const body = request.response instanceof Blob ? await request.response.text() : "";
  const waits = status === 429 || status === 503;
  const retryAfterS = waits ? secondsUntil(request.getResponseHeader("Retry-After")) : null;
  const requestId = request.getResponseHeader("X-Request-Id") ?? "";
  const error = errorIn(body);
  if (error === null) {
    const what = status === 200 ? "not a picture" : `HTTP ${status} without an explanation`;
    const words = `The answer was ${what}; something between this page and the service may be at fault`;
    return new Problem(words, { status, requestId, retryAfterS });
  }
  const { code, message, details } = error;
  const tooLarge = status === 400 && details.some(({ issue }) => TOO_LARGE.test(issue));
  return new Problem(message, { status, code, details, requestId, retryAfterS, tooLarge });
}

/**
 * Take code, message and details out of an envelope; null where it is none.
 * @param {string} body
 * @returns {{code: string, message: string, details: Detail[]} | null}
 */
function errorIn(body) {
  try {
    const { error } = JSON.parse(body);
    const details = (error.details ?? []).map((/** @type {Detail} */ detail) => ({
      field: String(detail.field),
      issue: String(detail.issue),
    }));
    return { code: String(error.code ?? ""), message: String(error.message || NO_WORDS), details };
  } catch {
    return null;
  }
}

/**
 * Read a Retry-After: seconds, or a date.
 * @param {string | null} header
 * @returns {number | null} null where there is none, or where it is too long to wait for
 */
export function secondsUntil(header) {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? (Date.parse(header) - Date.now()) / 1000 : seconds;
  if (Number.isNaN(wait) || wait > MAX_WAIT_S) return null;
  return Math.max(0, wait);
}
