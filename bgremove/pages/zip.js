/** Write files to a ZIP without compression: pictures are already compressed. */

import { crc32 } from "./png.js";

const UTF8 = 0x0800; // names are UTF-8
const VERSION = 20;
const EPOCH_DATE = 0x21; // 1980-01-01, the earliest date of a ZIP

/**
 * @param {{name: string, blob: Blob}[]} files
 * @returns {Promise<Blob>}
 */
export async function zip(files) {
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const directory = [];
  let offset = 0;
  for (const { name, blob } of unique(files)) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const label = new TextEncoder().encode(name);
    const about = [VERSION, UTF8, 0, 0, EPOCH_DATE, [crc32(bytes)], [bytes.length], [bytes.length], label.length, 0];
    const local = record(0x04034b50, about, label);
    directory.push(record(0x02014b50, [VERSION, ...about, 0, 0, 0, [0], [offset]], label));
    parts.push(local, blob);
    offset += local.length + bytes.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = record(0x06054b50, [0, 0, directory.length, directory.length, [size], [offset], 0], new Uint8Array(0));
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Number duplicate names. @param {{name: string, blob: Blob}[]} files */
function unique(files) {
  const taken = new Set();
  return files.map(({ name, blob }) => {
    const dot = name.lastIndexOf(".");
    let free = name;
    for (let count = 2; taken.has(free.toLowerCase()); count += 1) {
      free = `${name.slice(0, dot)}-${count}${name.slice(dot)}`;
    }
    taken.add(free.toLowerCase());
    return { name: free, blob };
  });
}

/**
 * Write a record of little-endian numbers: two bytes each, or four for those in brackets.
 * @param {number} signature
 * @param {(number | number[])[]} numbers
 * @param {Uint8Array} name
 */
function record(signature, numbers, name) {
  const length = 4 + numbers.reduce((/** @type {number} */ sum, value) => sum + (Array.isArray(value) ? 4 : 2), 0);
  const bytes = new Uint8Array(length + name.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  for (const value of numbers) {
    if (Array.isArray(value)) view.setUint32(at, value[0], true);
    else view.setUint16(at, value, true);
    at += Array.isArray(value) ? 4 : 2;
  }
  bytes.set(name, length);
  return bytes;
}
