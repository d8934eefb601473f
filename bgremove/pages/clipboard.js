/** Copying pictures and text, and saying in words where a browser does not let a page do that. */

import { flash } from "./dom.js";

/** @param {HTMLElement} button @param {string} text */
export async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    flash(button, "Copied");
  } catch {
    flash(button, refused());
  }
}

/** @param {HTMLElement} button @param {Blob} blob */
export async function copyPicture(button, blob) {
  try {
    // A promise, because Safari wants the item made before anything is awaited.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": asPng(blob) })]);
    flash(button, "Copied");
  } catch {
    flash(button, refused());
  }
}

function refused() {
  return window.isSecureContext ? "Not allowed here" : "Needs https";
}

/** Clipboards take PNG only. @param {Blob} blob @returns {Promise<Blob>} */
async function asPng(blob) {
  if (blob.type === "image/png") return blob;
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
