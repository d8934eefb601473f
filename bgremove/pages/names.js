/** Names of downloads, and the curl command that repeats a request. */

import { endpoint } from "./config.js";
import { accepted, fields, settled } from "./output.js";

/** @typedef {import("./output.js").Options} Options */

/** @type {Record<string, string>} */
const GROUNDS = { "": "cutout", "#ffffff": "white", "#000000": "black" };

/**
 * Name the answer after its picture: "cat.jpg" on white becomes "cat-white.jpg".
 * @param {string} name
 * @param {Options} options
 */
export function downloadName(name, options) {
  // Replace characters special to file systems and shells; leading dots would hide the file.
  const plain = name.replace(/[\p{Cc}\p{Cf}/\\:*?"<>|]/gu, "_").replace(/^\.+/, "");
  const stem = plain.replace(/\.\w{1,5}$/, "").slice(0, 100) || "picture";
  const { extent, ground } = settled(options);
  const ending = accepted(options) === "image/jpeg" ? "jpg" : "png";
  return `${stem}-${extent === "mask" ? "mask" : (GROUNDS[ground] ?? "colour")}.${ending}`;
}

/**
 * @param {string} name of the file, in the shell's current folder
 * @param {Options} options
 * @param {boolean} withKey
 */
export function curlLine(name, options, withKey) {
  const parts = ["curl"];
  if (withKey) parts.push('-H "X-Api-Key: $API_KEY"');
  const asked = fields(options);
  const isLaid = asked.some(([field, value]) => field === "output_format" && value === "white_bg");
  if (isLaid && accepted(options) === "image/png") parts.push("-H 'Accept: image/png'");
  parts.push(`-F ${quoted(`image=@${formValue(name)}`)}`);
  for (const [field, value] of asked) {
    if (value !== "universal" && value !== "transparent") parts.push(`-F ${quoted(`${field}=${value}`)}`);
  }
  parts.push(quoted(endpoint), `-o ${quoted(fileArgument(downloadName(name, options)))}`);
  return parts.join(" \\\n  ");
}

/** Quote a file's name for curl, which parses commas, semicolons and quotes and trims blanks. @param {string} name */
function formValue(name) {
  const path = fileArgument(name);
  return /[,;"\\]|^\s|\s$/.test(path) ? `"${path.replace(/[\\"]/g, "\\$&")}"` : path;
}

/** Put the folder before a name that curl would read as standard input or an option. @param {string} name */
function fileArgument(name) {
  return name.startsWith("-") ? `./${name}` : name;
}

/**
 * Quote for a POSIX shell. Terminals interpret pasted control characters, so they are written as octal
 * escapes for printf.
 * @param {string} text
 */
function quoted(text) {
  if (/\p{Cc}/u.test(text)) {
    return `"$(printf '${text.replaceAll("%", "%%").replaceAll(/[\p{Cc}\\']/gu, octal)}')"`;
  }
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** @param {string} character */
function octal(character) {
  const bytes = [...new TextEncoder().encode(character)];
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
