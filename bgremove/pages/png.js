/** Read and write PNG with straight alpha. A canvas premultiplies colours, which loses those of faint pixels. */

/**
 * @typedef {object} Pixels
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray<ArrayBuffer>} rgba straight, 4 bytes a pixel
 * @property {Chunk[]} kept chunks copied to pictures made from this one: profile and density
 */
/** @typedef {{name: string, body: Uint8Array<ArrayBuffer>}} Chunk */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [4, 2],
  [6, 4],
]); // by colour type
const KEPT = ["iCCP", "sRGB", "gAMA", "cHRM", "pHYs"];

/**
 * Read a PNG as the service writes it: 8 bits a channel, not interlaced.
 * @param {Blob} blob
 * @returns {Promise<Pixels>}
 */
export async function decodePng(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const chunks = [...chunksOf(bytes)];
  const header = chunks.find(({ name }) => name === "IHDR")?.body;
  if (!header || SIGNATURE.some((value, at) => bytes[at] !== value)) throw new Error("The answer is not a PNG");
  const view = new DataView(header.buffer, header.byteOffset);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const channels = CHANNELS.get(header[9]);
  if (header[8] !== 8 || header[12] !== 0 || !channels) throw new Error("The PNG is of a kind this page cannot read");
  const packed = new Blob(chunks.filter(({ name }) => name === "IDAT").map(({ body }) => body));
  const rows = new Uint8Array(await through(packed, new DecompressionStream("deflate")));
  unfilter(rows, width * channels, height, channels);
  const rgba = spread(rows, width, height, channels);
  return { width, height, rgba, kept: chunks.filter(({ name }) => KEPT.includes(name)) };
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Generator<Chunk>} */
function* chunksOf(bytes) {
  const view = new DataView(bytes.buffer);
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { name, body: bytes.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}

/** Undo the filters of all rows in place. @param {Uint8Array} rows @param {number} stride @param {number} height @param {number} step */
function unfilter(rows, stride, height, step) {
  for (let row = 0; row < height; row += 1) {
    const start = row * (stride + 1) + 1;
    const up = start - stride - 1;
    const filter = rows[start - 1];
    for (let at = 0; at < stride; at += 1) {
      const left = at >= step ? rows[start + at - step] : 0;
      const above = row > 0 ? rows[up + at] : 0;
      const corner = row > 0 && at >= step ? rows[up + at - step] : 0;
      rows[start + at] += predicted(filter, left, above, corner);
    }
  }
}

/** @param {number} filter @param {number} left @param {number} above @param {number} corner */
function predicted(filter, left, above, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** @param {Uint8Array} rows each preceded by its filter byte @param {number} width @param {number} height @param {number} channels */
function spread(rows, width, height, channels) {
  const rgba = new Uint8ClampedArray(width * height * 4);
  const colours = channels >= 3;
  let to = 0;
  for (let row = 0; row < height; row += 1) {
    let from = row * (width * channels + 1) + 1;
    for (let column = 0; column < width; column += 1, from += channels, to += 4) {
      rgba[to] = rows[from];
      rgba[to + 1] = rows[colours ? from + 1 : from];
      rgba[to + 2] = rows[colours ? from + 2 : from];
      rgba[to + 3] = channels % 2 === 0 ? rows[from + channels - 1] : 255;
    }
  }
  return rgba;
}

/**
 * Write pixels as PNG.
 * @param {Uint8Array | Uint8ClampedArray} pixels gray, RGB or RGBA, 8 bits a channel
 * @param {number} width
 * @param {number} height
 * @param {Chunk[]} [kept]
 * @returns {Promise<Blob>}
 */
export async function encodePng(pixels, width, height, kept = []) {
  const channels = pixels.length / (width * height);
  const stride = width * channels;
  const rows = new Uint8Array((stride + 1) * height);
  for (let row = 0; row < height; row += 1) {
    const [from, to] = [row * stride, row * (stride + 1)];
    rows[to] = row > 0 ? 2 : 0; // filter "up", the difference to the row above: small numbers compress well
    for (let at = 0; at < stride; at += 1) {
      rows[to + 1 + at] = pixels[from + at] - (row > 0 ? pixels[from + at - stride] : 0);
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 1 ? 0 : channels === 3 ? 2 : 6], 8);
  const packed = new Uint8Array(await through(new Blob([rows]), new CompressionStream("deflate")));
  const chunks = [{ name: "IHDR", body: header }, ...kept, { name: "IDAT", body: packed }];
  const end = { name: "IEND", body: new Uint8Array(0) };
  return new Blob([new Uint8Array(SIGNATURE), ...[...chunks, end].map(chunk)], { type: "image/png" });
}

/** @param {Chunk} chunk @returns {Blob} */
function chunk({ name, body }) {
  const named = new Uint8Array(body.length + 4);
  named.set([...name].map((letter) => letter.charCodeAt(0)));
  named.set(body, 4);
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, body.length);
  ends.setUint32(4, crc32(named));
  return new Blob([ends.buffer.slice(0, 4), named, ends.buffer.slice(4)]);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** @param {Uint8Array} bytes @returns {number} the checksum of PNG and ZIP */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** @param {Blob} blob @param {CompressionStream | DecompressionStream} stream @returns {Promise<ArrayBuffer>} */
function through(blob, stream) {
  return new Response(blob.stream().pipeThrough(stream)).arrayBuffer();
}
