/** Problems in words, from an error envelope of the server or a failed connection. */

import { maxUploadBytes, required } from "./config.js";
import { bytesWords } from "./words.js";

/** @typedef {{field: string, issue: string}} Detail */
/**
 * @typedef {{status?: number, code?: string, details?: Detail[], requestId?: string, retryAfterS?: number | null,
 *   final?: boolean, tooLarge?: boolean}} More
 */

const TOO_LARGE = /more than the limit of [\d,]+( pixels| bytes)?|longest side/;
const NO_WORDS = "The server did not say why";
const MIB = 1024 * 1024;
const MAX_WAIT_S = 120; // a longer Retry-After is shown, without an automatic retry

export class Problem extends Error {
  /**
   * @param {string} message a sentence for the user
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
    /** The error code of the envelope, such as NO_SUBJECT_DETECTED. */
    this.code = code;
    /** The requested subject. */
    this.subject = "";
    /** Whether a smaller version of the picture would be accepted. */
    this.tooLarge = tooLarge;
    this.details = details;
    this.requestId = requestId;
    /** Seconds until an automatic retry; null: no automatic retry. */
    this.retryAfterS = retryAfterS;
    /** Whether a retry of the same picture would fail again. */
    this.final = final || status === 400;
  }
}

/**
 * Return the problem of a file that the server would refuse, with its message; null if it may be sent.
 * @param {File} file
 * @returns {Problem | null}
 */
export function refusal(file) {
  if (file.size === 0) return new Problem(required, { final: true });
  if (file.size <= maxUploadBytes) return null;
  const size = (Math.ceil((file.size / MIB) * 10) / 10).toLocaleString("en"); // never equal to the limit
  const words = `The picture has ${size} MB, more than the limit of ${bytesWords(maxUploadBytes)}`;
  return new Problem(words, { final: true, tooLarge: true });
}

/**
 * Read an answer that is not a picture.
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
 * Parse code, message and details of an error envelope; null if it is not an envelope.
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
 * Parse a Retry-After header: seconds, or a date.
 * @param {string | null} header
 * @returns {number | null} seconds; null if it is missing or longer than MAX_WAIT_S
 */
export function secondsUntil(header) {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? (Date.parse(header) - Date.now()) / 1000 : seconds;
  if (Number.isNaN(wait) || wait > MAX_WAIT_S) return null;
  return Math.max(0, wait);
}
