/** Compose other outputs from the transparent cut-out, with the same pixels as the service's. */

import { marginPixels, needsService, settled } from "./output.js";
import { decodePng, encodePng } from "./png.js";

/** @typedef {import("./output.js").Options} Options */
/** @typedef {import("./png.js").Pixels} Pixels */
/** @typedef {import("./send.js").Answer} Answer */
/** @typedef {import("./send.js").Box} Box */

const OPAQUE = 128; // alpha from which the mask is white
const JPEG_QUALITY = 0.92;

/**
 * Compose an output.
 * @param {Answer} cutout the transparent answer at full size, original or edited
 * @param {Options} options
 * @returns {Promise<Answer>}
 */
export async function compose(cutout, options) {
  const wanted = settled(options);
  const pixels = await decodePng(cutout.blob);
  if (wanted.extent === "mask") {
    const mask = maskOf(pixels);
    return { ...cutout, blob: await encodePng(mask, pixels.width, pixels.height) };
  }
  const view = viewOf(wanted, cutout);
  if (needsService(wanted)) return drawn(cutout, pixels, wanted, view);
  const [width, height] = [view.width, view.height];
  const part = windowOf(pixels, view);
  const laid = wanted.ground ? onGround(part, rgb(wanted.ground)) : part;
  const blob = await encodePng(laid, width, height, pixels.kept);
  return { ...cutout, blob, width, height, view };
}

/**
 * The part of the picture that an output shows, in pixels of the picture; it may extend beyond the picture.
 * @param {Options} options
 * @param {{width: number, height: number, box: Box}} cutout
 * @returns {Box}
 */
export function viewOf(options, { width, height, box }) {
  const wanted = settled(options);
  if (wanted.extent !== "cut") return { left: 0, top: 0, width, height };
  if (!wanted.canvas) {
    const margin = marginPixels(wanted, box);
    const size = { width: box.width + 2 * margin, height: box.height + 2 * margin };
    return { left: box.left - margin, top: box.top - margin, ...size };
  }
  const [across, down] = wanted.canvas.split("x").map(Number);
  const around = 2 * (wanted.margin / 100) * Math.max(box.width, box.height);
  const scale = Math.min(across / (box.width + around), down / (box.height + around));
  const [wide, high] = [across / scale, down / scale];
  return { left: box.left + (box.width - wide) / 2, top: box.top + (box.height - high) / 2, width: wide, height: high };
}

/** @param {Pixels} pixels @returns {Uint8Array} gray, 0 or 255 */
function maskOf({ rgba }) {
  const mask = new Uint8Array(rgba.length / 4);
  for (let at = 0; at < mask.length; at += 1) mask[at] = rgba[4 * at + 3] >= OPAQUE ? 255 : 0;
  return mask;
}

/** Crop to a window, transparent outside of the picture. @param {Pixels} pixels @param {Box} view */
function windowOf({ width, height, rgba }, view) {
  if (view.left === 0 && view.top === 0 && view.width === width && view.height === height) return rgba;
  const part = new Uint8ClampedArray(view.width * view.height * 4);
  const [first, last] = [Math.max(0, view.left), Math.min(width, view.left + view.width)];
  for (let row = Math.max(0, view.top); row < Math.min(height, view.top + view.height); row += 1) {
    const cells = rgba.subarray(4 * (row * width + first), 4 * (row * width + last));
    part.set(cells, 4 * ((row - view.top) * view.width + first - view.left));
  }
  return part;
}

/** @param {Uint8ClampedArray} rgba straight @param {number[]} ground @returns {Uint8Array} RGB */
function onGround(rgba, ground) {
  const laid = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const share = rgba[from + 3];
    for (let channel = 0; channel < 3; channel += 1) {
      laid[to + channel] = Math.floor((rgba[from + channel] * share + ground[channel] * (255 - share) + 127) / 255);
    }
  }
  return laid;
}

/** @param {string} colour #rrggbb @returns {number[]} */
function rgb(colour) {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/**
 * Draw an output that was edited by hand. The service does not have the edit, so the browser scales and encodes it.
 * @param {Answer} cutout @param {Pixels} pixels @param {Options} options @param {Box} view
 * @returns {Promise<Answer>}
 */
async function drawn(cutout, pixels, options, view) {
  const [width, height] = options.canvas ? options.canvas.split("x").map(Number) : [view.width, view.height];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw");
  if (options.ground) {
    context.fillStyle = options.ground;
    context.fillRect(0, 0, width, height);
  }
  const bitmap = await createImageBitmap(new ImageData(pixels.rgba, pixels.width, pixels.height));
  const scale = width / view.width;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, -view.left * scale, -view.top * scale, pixels.width * scale, pixels.height * scale);
  bitmap.close();
  const blob =
    options.ground && options.type === "png" // the browser's own PNG would have an alpha channel
      ? await encodePng(onGround(context.getImageData(0, 0, width, height).data, [0, 0, 0]), width, height, pixels.kept)
      : await canvas.convertToBlob({ type: `image/${options.type}`, quality: JPEG_QUALITY });
  const warnings = scale > 1 ? [...cutout.warnings, "enlarged"] : cutout.warnings;
  return { ...cutout, blob, width, height, view, warnings };
}
