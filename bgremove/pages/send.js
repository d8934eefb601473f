/** Send one request: upload a picture and return the answer, or throw a Problem. */

import { viewOf } from "./compose.js";
import { endpoint, timeoutS } from "./config.js";
import { accepted, fields, settled } from "./output.js";
import { Problem, problemOf } from "./problem.js";

/** @typedef {import("./output.js").Options} Options */
/** @typedef {{left: number, top: number, width: number, height: number}} Box */
/**
 * @typedef {object} Answer
 * @property {Blob} blob
 * @property {number} width of the returned picture, in pixels
 * @property {number} height
 * @property {Box} box of the subject, in pixels of the source
 * @property {Box} view the part of the source that the answer shows; it may extend beyond the source
 * @property {string} model
 * @property {number} confidence 0 to 1
 * @property {number} serverMs time reported by the server
 * @property {number} totalMs time including upload and download
 * @property {string[]} warnings
 * @property {string} requestId
 */
/**
 * @typedef {object} Way
 * @property {string} key API key; empty: no key is sent
 * @property {AbortSignal} signal
 * @property {(share: number) => void} uploading called with 0 to 1; at 1 the wait for the answer begins
 */

const STALL_S = 30; // without progress of an upload or a download
const MARGIN_S = 30; // added to the server's timeout, which starts after the request is read

/**
 * @param {File} file
 * @param {Options} options
 * @param {Way} way
 * @returns {Promise<Answer>}
 */
export async function send(file, options, way) {
  await mustBeReadable(file);
  way.signal.throwIfAborted();
  const started = performance.now();
  const request = await exchange(file, options, way);
  if (request.status !== 200 || !isPicture(request.response)) throw await problemOf(request);
  return answerOf(request, options, performance.now() - started);
}

/**
 * Throw if a file was moved or changed since it was chosen; sending it would look like a lost connection.
 * @param {File} file
 */
async function mustBeReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Problem("This file can no longer be read; it may have been moved or changed. Choose it again");
  }
}

/**
 * @param {File} file
 * @param {Options} options
 * @param {Way} way
 * @returns {Promise<XMLHttpRequest>} finished, with any status
 */
function exchange(file, options, { key, signal, uploading }) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("image", file);
  for (const [name, value] of fields(options)) form.append(name, value);
  return new Promise((resolve, reject) => {
    let timer = 0;
    const patience = (/** @type {number} */ seconds, /** @type {string} */ words) => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(new Problem(`${words} within ${seconds} seconds`)), seconds * 1000);
    };
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    const fail = (/** @type {unknown} */ reason) => {
      settle();
      reject(reason);
      request.abort();
    };
    const stop = () => fail(signal.reason);
    signal.addEventListener("abort", stop);
    const stalled = () => patience(STALL_S, "The upload stalled: the server took nothing more");
    request.upload.onprogress = (event) => {
      if (event.loaded < event.total) uploading(event.loaded / event.total);
      stalled();
    };
    request.upload.onload = () => {
      uploading(1);
      patience(timeoutS + MARGIN_S, "The server did not answer");
    };
    request.onprogress = () => patience(STALL_S, "The answer stalled: nothing more came");
    request.onerror = () =>
      fail(new Problem("The server could not be reached, or the connection was lost. Is it still running?"));
    request.onload = () => {
      settle();
      resolve(request);
    };
    request.open("POST", endpoint);
    request.responseType = "blob";
    request.setRequestHeader("Accept", accepted(options));
    if (key) request.setRequestHeader("X-Api-Key", key);
    stalled();
    request.send(form);
  });
}

/** Return whether a body is a picture; a proxy may answer 200 with an HTML page. @param {unknown} body */
function isPicture(body) {
  return body instanceof Blob && body.type.startsWith("image/");
}

/**
 * @param {XMLHttpRequest} request
 * @param {Options} options
 * @param {number} totalMs
 * @returns {Answer}
 */
function answerOf(request, options, totalMs) {
  const text = (/** @type {string} */ name) => request.getResponseHeader(name) ?? "";
  const number = (/** @type {string} */ name) => Number(text(name));
  const [width, height] = [number("X-Width"), number("X-Height")];
  const box = {
    left: number("X-Foreground-Left"),
    top: number("X-Foreground-Top"),
    width: number("X-Foreground-Width"),
    height: number("X-Foreground-Height"),
  };
  return {
    blob: request.response,
    width,
    height,
    box,
    view: viewOf(settled(options), { width, height, box }),
    model: text("X-Model"),
    confidence: number("X-Confidence"),
    serverMs: number("X-Processing-Ms"),
    totalMs,
    warnings: text("X-Warnings").split(", ").filter(Boolean),
    requestId: text("X-Request-Id"),
  };
}
