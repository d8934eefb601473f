// bgremove: cut the subject out of a picture, with fetch.
//
//   node client.mjs PICTURE RESULT [SERVER]      (Node.js 20 or later)
//
// BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
// Made from the OpenAPI document by `make clients`.

import { openAsBlob } from "node:fs";
import { writeFile } from "node:fs/promises";

/** Return the picture that is answered, as bytes; throws with what the server says. */
export async function removeBackground(picture, server, key) {
  const form = new FormData();
  form.append("image", picture, "picture");
  form.append("subject", "product"); // universal, human, product
  form.append("output_format", "white_bg"); // transparent, white_bg, mask, crop
  const headers = key ? { "X-RapidAPI-Key": key } : {};
  const answer = await fetch(`${server}/v1/remove-bg/universal`, { method: "POST", headers, body: form });
  if (!answer.ok) {
    const { error } = await answer.json();
    throw new Error(`${answer.status} ${error.code}: ${error.message}`);
  }
  return new Uint8Array(await answer.arrayBuffer());
}

const [picture, result, server = "http://127.0.0.1:8000"] = process.argv.slice(2);
try {
  const cutout = await removeBackground(await openAsBlob(picture), server, process.env.BGREMOVE_API_KEY);
  await writeFile(result, cutout);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
