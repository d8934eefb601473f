/** Where pictures come from: a drop, the clipboard, the file chooser, or an example. */

import { maxUploadBytes } from "./config.js";
import { byId } from "./dom.js";
import { bytesWords } from "./words.js";

/**
 * @param {(files: File[]) => void} take
 * @param {(words: string) => void} notice shown where nothing could be taken
 */
export function listenForPictures(take, notice) {
  byId("limit", HTMLElement).textContent = bytesWords(maxUploadBytes);
  listenForChoice(take);
  listenForDrop(take, notice);
  listenForExamples(take, notice);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return; // text, into a field perhaps
    event.preventDefault();
    take(files);
  });
}

/** @param {(files: File[]) => void} take */
function listenForChoice(take) {
  const input = byId("files", HTMLInputElement);
  byId("choose", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    if (files.length > 0) take(files);
  });
}

/** @param {(files: File[]) => void} take @param {(words: string) => void} notice */
function listenForDrop(take, notice) {
  const page = document.documentElement;
  const shown = (/** @type {boolean} */ over) => page.toggleAttribute("data-dragging", over);
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // a drop beside the mark must not leave the page
    shown(event.dataTransfer?.types.includes("Files") ?? false);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) shown(false);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    shown(false);
    const files = filesIn(event.dataTransfer);
    if (files.length > 0) take(files);
    else notice("There was no picture in that: drop files, not folders or links.");
  });
}

/** @param {DataTransfer | null} dropped @returns {File[]} without folders */
function filesIn(dropped) {
  const items = [...(dropped?.items ?? [])].filter((item) => item.kind === "file");
  return items
    .filter((item) => !item.webkitGetAsEntry?.()?.isDirectory)
    .map((item) => item.getAsFile())
    .filter((file) => file !== null);
}

/** @param {(files: File[]) => void} take @param {(words: string) => void} notice */
function listenForExamples(take, notice) {
  for (const button of document.querySelectorAll("[data-example]")) {
    const name = /** @type {HTMLElement} */ (button).dataset.example ?? "";
    button.addEventListener("click", async () => {
      try {
        const answer = await fetch(new URL(name, import.meta.url));
        if (!answer.ok) throw new Error(answer.statusText);
        const blob = await answer.blob();
        take([new File([blob], name.replace("example-", ""), { type: blob.type })]);
      } catch {
        notice("The example could not be fetched from the server.");
      }
    });
  }
}
