/** Copy pictures and text; show a message if the browser does not allow it. */

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
    // A promise, because Safari requires the item to be created before the first await.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": asPng(blob) })]);
    flash(button, "Copied");
  } catch {
    flash(button, refused());
  }
}

function refused() {
  return window.isSecureContext ? "Not allowed here" : "Needs https";
}

/** Convert a picture to PNG, the only type that clipboards accept. @param {Blob} blob @returns {Promise<Blob>} */
async function asPng(blob) {
  if (blob.type === "image/png") return blob;
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
