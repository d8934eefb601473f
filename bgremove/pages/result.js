/** The result of a picture: its download, its facts, and the equivalent curl command. */

import { copyPicture, copyText } from "./clipboard.js";
import { byId, make } from "./dom.js";
import { curlLine, downloadName } from "./names.js";
import { bytesWords, timeWords, warningWords } from "./words.js";

/** @typedef {import("./send.js").Answer} Answer */
/** @typedef {import("./output.js").Options} Options */

export class Result {
  #panel = byId("result", HTMLElement);
  #download = byId("download", HTMLAnchorElement);
  #curl = byId("curl", HTMLElement);
  /** @type {Answer | null} */
  #answer = null;

  /** @param {import("./keys.js").Keys} keys */
  constructor(keys) {
    this.keys = keys;
    const copyButton = byId("copy-picture", HTMLButtonElement);
    copyButton.addEventListener("click", () => {
      if (this.#answer) copyPicture(copyButton, this.#answer.blob);
    });
    const curlButton = byId("copy-curl", HTMLButtonElement);
    curlButton.addEventListener("click", () => copyText(curlButton, this.#curl.textContent ?? ""));
  }

  /** @param {Answer | null} answer @param {Options | null} options @param {string} name of the file that was sent */
  show(answer, options, name) {
    if (answer === this.#answer) return;
    if (this.#download.href) URL.revokeObjectURL(this.#download.href);
    this.#answer = answer;
    this.#panel.hidden = answer === null;
    if (!answer || !options) return this.#download.removeAttribute("href");
    this.#download.href = URL.createObjectURL(answer.blob);
    this.#download.download = downloadName(name, options);
    byId("size-words", HTMLElement).textContent = sizeWords(answer);
    this.#curl.textContent = curlLine(name, options, this.keys.current !== "");
    const sentences = answer.warnings.map(warningWords).filter((words) => words !== "");
    const warnings = sentences.map((words) => make("li", {}, words));
    byId("warnings", HTMLElement).replaceChildren(...warnings);
    byId("facts", HTMLElement).replaceChildren(...facts(answer));
  }
}

/** @param {Answer} answer */
function sizeWords({ width, height, blob }) {
  const kind = blob.type.replace("image/", "").toUpperCase();
  return `${width} × ${height} px, ${kind}, ${bytesWords(blob.size)}`;
}

/** @param {Answer} answer @returns {HTMLElement[]} */
function facts(answer) {
  const { model, confidence, serverMs, totalMs, requestId } = answer;
  /** @type {[string, string][]} */
  const rows = [
    ["Size", sizeWords(answer)],
    ["Confidence", `${Math.round(confidence * 100)} %`],
    ["Time", `${timeWords(serverMs)} on the server, ${timeWords(totalMs)} in all`],
    ["Model", model],
    ["Request", requestId],
  ];
  return rows.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value)));
}
