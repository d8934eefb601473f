/** Puts the parts together: pictures come in, work is done for them, the views follow. */

import { announce, byId } from "./dom.js";
import { listenForPictures } from "./intake.js";
import { Keys } from "./keys.js";
import { List } from "./list.js";
import { OptionsForm } from "./options.js";
import { isUnderway, MAX_PICTURES, Pictures } from "./pictures.js";
import { Viewer } from "./viewer.js";
import { Work } from "./work.js";

/** @typedef {import("./pictures.js").Picture} Picture */

const keys = new Keys();
const pictures = new Pictures();
const work = new Work(pictures, keys);
const options = new OptionsForm(() => wantAll(pictures.all));
const list = new List(pictures, remove);
const viewer = new Viewer(keys, {
  cancel: (picture) => work.cancel(picture),
  again: (picture) => work.want(picture, options.value),
});

/** Ask for all of them, the one that is looked at first. @param {Picture[]} wanted */
function wantAll(wanted) {
  const first = wanted.filter((picture) => picture === pictures.selected);
  const rest = wanted.filter((picture) => picture !== pictures.selected);
  for (const picture of [...first, ...rest]) work.want(picture, options.value);
}

/** @param {Picture} picture */
function remove(picture) {
  work.cancel(picture);
  pictures.remove(picture);
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
  list.show();
  viewer.show(pictures.selected);
}

byId("cancel-all", HTMLButtonElement).addEventListener("click", () => {
  for (const picture of pictures.all.filter(isUnderway)) work.cancel(picture);
});
byId("clear", HTMLButtonElement).addEventListener("click", () => {
  for (const picture of [...pictures.all]) remove(picture);
  byId("choose", HTMLButtonElement).focus();
});
listenForPictures(take, notice);
