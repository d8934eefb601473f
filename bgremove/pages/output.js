/** The options of an output, and the requests for outputs that the page cannot compose. */

/**
 * @typedef {object} Options
 * @property {string} subject universal, human or product
 * @property {"whole" | "cut" | "mask"} extent the whole picture, the subject cut to its box, or a mask
 * @property {string} ground colour under the subject as #rrggbb; empty: transparent
 * @property {number} margin around the subject, in percent of its longer side
 * @property {string} canvas WIDTHxHEIGHT of the answer; empty: as large as the subject
 * @property {"png" | "jpeg"} type of file, if there is a ground
 */

/** Return the options of the cut-out that others are composed from. @param {string} subject @returns {Options} */
export function master(subject) {
  return { subject, extent: "whole", ground: "", margin: 0, canvas: "", type: "png" };
}

/** @param {Options} options @returns {Options} without choices that have no effect */
export function settled(options) {
  const { subject, extent, ground, margin, canvas, type } = options;
  if (extent === "mask") return { ...master(subject), extent };
  const placed = extent === "cut" ? { margin, canvas } : { margin: 0, canvas: "" };
  return { subject, extent, ground, ...placed, type: ground ? type : "png" };
}

/** @param {Options} options @returns {string} equal for options that get the same answer */
export function keyOf(options) {
  return Object.values(settled(options)).join(" ");
}

/** @param {Options} options */
export function isMaster(options) {
  return keyOf(options) === keyOf(master(options.subject));
}

/**
 * Return whether an output needs the service: a browser's JPEG encoder and resampling give other pixels.
 * @param {Options} options
 */
export function needsService(options) {
  const { type, canvas } = settled(options);
  return type === "jpeg" || canvas !== "";
}

/**
 * Return the margin field. Without it, the service does not crop a subject on a ground.
 * @param {Options} options
 */
function marginField({ extent, ground, margin }) {
  return extent === "cut" && (margin > 0 || ground) ? `${margin}%` : "";
}

/** @param {Options} options @param {{width: number, height: number}} box @returns {number} pixels, as the service rounds */
export function marginPixels(options, box) {
  return roundHalfEven((options.margin / 100) * Math.max(box.width, box.height));
}

/** Round as Python does. @param {number} value */
function roundHalfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Return the form fields other than the picture. @param {Options} options @returns {[string, string][]} */
export function fields(options) {
  const { subject, extent, ground, canvas } = settled(options);
  const format = extent === "mask" ? "mask" : ground ? "white_bg" : extent === "cut" ? "crop" : "transparent";
  /** @type {[string, string][]} */
  const all = [
    ["subject", subject],
    ["output_format", format],
    ["background", ground && ground !== "#ffffff" ? ground : ""],
    ["margin", marginField(settled(options))],
    ["canvas", canvas],
  ];
  return all.filter(([, value]) => value !== "");
}

/** Return the Accept header that selects the file type. @param {Options} options */
export function accepted(options) {
  return `image/${settled(options).type}`;
}
