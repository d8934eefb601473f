/** Shrink a picture in the browser to fit the limits of an upload. */

import { maxPixels, maxUploadBytes } from "./config.js";

const QUALITY = 0.92;
const TRIES = 8;
const MARGIN = 0.95; // of the limit: the target of the next try

/**
 * Shrink a picture until it is within the service's limits.
 * @param {File} file
 * @returns {Promise<{file: File, words: string}>} `words` give the size before and after
 */
export async function shrink(file) {
  const bitmap = await createImageBitmap(file);
  const { width, height } = bitmap;
  const mayBeTransparent = file.type === "image/png" || file.type === "image/webp";
  const type = mayBeTransparent ? "image/webp" : "image/jpeg"; // a JPEG has no transparency
  let scale = Math.min(1, Math.sqrt((maxPixels * MARGIN) / (width * height)));
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
      const canvas = new OffscreenCanvas(across, down);
      const context = canvas.getContext("2d");
      if (!context) break;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, 0, 0, across, down);
      const blob = await canvas.convertToBlob({ type, quality: QUALITY });
      if (blob.size <= maxUploadBytes) return { file: named(file, blob), words: words(width, height, across, down) };
      scale *= Math.sqrt((maxUploadBytes * MARGIN) / blob.size);
    }
  } finally {
    bitmap.close();
  }
  throw new Error("The picture could not be made small enough");
}

/** @param {File} file @param {Blob} blob */
function named(file, blob) {
  const ending = blob.type === "image/webp" ? "webp" : blob.type === "image/png" ? "png" : "jpg";
  return new File([blob], `${file.name.replace(/\.\w{1,5}$/, "")}.${ending}`, { type: blob.type });
}

/** @param {number} width @param {number} height @param {number} across @param {number} down */
function words(width, height, across, down) {
  const size = (/** @type {number} */ x, /** @type {number} */ y) =>
    `${x.toLocaleString("en")} × ${y.toLocaleString("en")}`;
  if (across === width && down === height) return `Packed again at ${size(width, height)} pixels to fit the limit`;
  return `Shrunk here from ${size(width, height)} to ${size(across, down)} pixels`;
}
