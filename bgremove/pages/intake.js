/** Take pictures from drops, the clipboard, the file chooser and the examples. */

import { maxUploadBytes } from "./config.js";
import { byId } from "./dom.js";
import { bytesWords } from "./words.js";

/**
 * @param {(files: File[]) => void} take
 * @param {(words: string) => void} notice called with a message if no file can be taken
 */
export function listenForPictures(take, notice) {
  byId("limit", HTMLElement).textContent = bytesWords(maxUploadBytes);
  listenForChoice(take, notice);
  listenForDrop(take, notice);
  listenForExamples(take, notice);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return; // text, perhaps for an input field
    event.preventDefault();
    take(files);
  });
}

/** @param {(files: File[]) => void} take @param {(words: string) => void} notice */
function listenForChoice(take, notice) {
  const input = byId("files", HTMLInputElement);
  byId("choose", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    if (files.length > 0) take(files);
  });
  const folder = byId("folder", HTMLInputElement);
  byId("choose-folder", HTMLButtonElement).addEventListener("click", () => folder.click());
  folder.addEventListener("change", () => {
    const files = [...(folder.files ?? [])].filter(isPicture);
    folder.value = "";
    if (files.length > 0) take(files);
    else notice("There are no pictures in this folder.");
  });
}

/** @param {(files: File[]) => void} take @param {(words: string) => void} notice */
function listenForDrop(take, notice) {
  const page = document.documentElement;
  const shown = (/** @type {boolean} */ over) => page.toggleAttribute("data-dragging", over);
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // a drop beside the drop zone must not leave the page
    shown(event.dataTransfer?.types.includes("Files") ?? false);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) shown(false);
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    shown(false);
    const files = await filesIn(event.dataTransfer);
    if (files.length > 0) take(files);
    else notice("There was no picture in that: drop files or folders of pictures, not links.");
  });
}

/** @param {DataTransfer | null} dropped @returns {Promise<File[]>} the dropped files, and the pictures in dropped folders */
async function filesIn(dropped) {
  const items = [...(dropped?.items ?? [])].filter((item) => item.kind === "file");
  // Both are read before the first await: afterwards the browser clears the drop.
  const found = items.map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.() ?? null }));
  const lists = found.map(({ file, entry }) => (entry?.isDirectory ? picturesIn(entry) : file ? [file] : []));
  return (await Promise.all(lists)).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} the pictures of a folder and those below it, by name */
async function picturesIn(entry) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((resolve, reject) =>
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject),
    );
    return isPicture(file) ? [file] : [];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (let more = true; more; ) {
    /** @type {FileSystemEntry[]} */
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 per call
    entries.push(...batch);
    more = batch.length > 0;
  }
  entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (await Promise.all(entries.map(picturesIn))).flat();
}

/** Return whether a file of a folder is a visible picture. @param {File} file */
function isPicture({ name, type }) {
  return type.startsWith("image/") && !name.startsWith(".");
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
