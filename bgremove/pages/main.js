/** Connect the parts of the page: pictures are taken in, sent, and shown. */

import { announce, byId, flash } from "./dom.js";
import { listenForPictures } from "./intake.js";
import { Keys } from "./keys.js";
import { List } from "./list.js";
import { downloadName } from "./names.js";
import { OptionsForm } from "./options.js";
import { isUnderway, MAX_PICTURES, Pictures } from "./pictures.js";
import { Problem } from "./problem.js";
import { shrink } from "./shrink.js";
import { Viewer } from "./viewer.js";
import { cutoutOf, Work } from "./work.js";
import { zip } from "./zip.js";

/** @typedef {import("./pictures.js").Picture} Picture */

const keys = new Keys();
const pictures = new Pictures();
const work = new Work(pictures, keys);
const options = new OptionsForm(draw, (subjectChanged) => {
  if (subjectChanged) for (const picture of pictures.all) picture.subject = "";
  viewer.brush.finish();
  wantAll(pictures.all);
});
const list = new List(pictures, pick, remove);
const downloadAll = byId("download-all", HTMLButtonElement);
const viewer = new Viewer(keys, {
  cancel: (picture) => work.cancel(picture),
  again: want,
  tryAs: (picture, subject) => {
    picture.subject = subject;
    want(picture);
  },
  shrink: shrinkAndSend,
  cutout: (picture) => cutoutOf(picture, optionsOf(picture).subject),
  edited: keepEdit,
});

/** Return the options of the form, with those of this picture in their place. @param {Picture} picture */
function optionsOf(picture) {
  const chosen = options.value;
  return { ...chosen, subject: picture.subject || chosen.subject };
}

/** @param {Picture} picture */
function want(picture) {
  work.want(picture, optionsOf(picture));
}

/** Request all pictures, the selected one first. @param {Picture[]} wanted */
function wantAll(wanted) {
  const first = wanted.filter((picture) => picture === pictures.selected);
  const rest = wanted.filter((picture) => picture !== pictures.selected);
  for (const picture of [...first, ...rest]) want(picture);
}

/** @param {Picture} picture */
function pick(picture) {
  pictures.select(picture);
  viewer.lookAt();
}

/** @param {Picture} picture */
function remove(picture) {
  work.cancel(picture);
  pictures.remove(picture);
}

/** @param {Picture} picture */
async function shrinkAndSend(picture) {
  const button = byId("shrink", HTMLButtonElement);
  button.disabled = true;
  try {
    const { file, words } = await shrink(picture.file);
    pictures.replace(picture, file, words);
    announce(words);
    want(picture);
  } catch {
    const problem = new Problem("This browser cannot read the picture, so it cannot shrink it", { final: true });
    pictures.set(picture, { phase: "failed", problem });
  } finally {
    button.disabled = false;
  }
}

/** @param {Picture} picture @param {Blob} blob the cut-out after the brush */
function keepEdit(picture, blob) {
  const { subject } = optionsOf(picture);
  const cutout = cutoutOf(picture, subject);
  if (!cutout) return;
  const warnings = cutout.warnings.filter((warning) => warning !== "low-confidence");
  pictures.edit(picture, subject, { ...cutout, blob, warnings });
  want(picture);
}

/** @param {string} words */
function notice(words) {
  byId("notice", HTMLElement).textContent = words;
}

/** @param {File[]} files */
function take(files) {
  const added = pictures.add(files);
  const left = files.length - added.length;
  notice(left > 0 ? `${left} left out: the page takes ${MAX_PICTURES} pictures at a time.` : "");
  announce(added.length === 1 ? `Sending ${added[0].file.name}` : `Sending ${added.length} pictures`);
  wantAll(added);
  draw();
  viewer.lookAt();
}

let drawn = 0;
pictures.addEventListener("change", () => {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(draw); // progress comes in bursts
});

function draw() {
  const busy = pictures.all.length > 0;
  document.documentElement.toggleAttribute("data-busy", busy);
  byId("choose", HTMLButtonElement).textContent = busy ? "Add pictures" : "Choose pictures";
  downloadAll.hidden = finished().length < 2;
  list.show();
  viewer.show(pictures.selected, options.value.ground);
}

/** @returns {{name: string, blob: Blob}[]} a file for each picture that is done */
function finished() {
  return pictures.all.flatMap(({ file, state }) =>
    state.phase === "done" ? [{ name: downloadName(file.name, state.options), blob: state.answer.blob }] : [],
  );
}

downloadAll.addEventListener("click", async () => {
  downloadAll.disabled = true;
  const files = finished();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await zip(files));
  link.download = "cutouts.zip";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  downloadAll.disabled = false;
  flash(downloadAll, `${files.length} pictures`);
});
byId("cancel-all", HTMLButtonElement).addEventListener("click", () => {
  for (const picture of pictures.all.filter(isUnderway)) work.cancel(picture);
});
byId("clear", HTMLButtonElement).addEventListener("click", () => {
  for (const picture of [...pictures.all]) remove(picture);
  byId("choose", HTMLButtonElement).focus();
});
// Results exist only in this page: confirm before leaving it.
addEventListener("beforeunload", (event) => {
  if (pictures.all.some((picture) => picture.state.phase === "done" || isUnderway(picture))) event.preventDefault();
});
listenForPictures(take, notice);
