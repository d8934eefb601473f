// bgremove: cut the subject out of a picture, with fetch.
//
//   node client.mjs PICTURE RESULT [SERVER]      (Node.js 20 or later)
//
// BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
// It follows docs/openapi.json; the tests run it against a real server.

import { readFile, writeFile } from "node:fs/promises";

/** Return the picture that is answered, as bytes; throws with what the server says. */
export async function removeBackground(picture, server, key) {
  const form = new FormData();
  form.append("image", picture, "picture");
  form.append("subject", "product"); // universal, human, product
  form.append("output_format", "white_bg"); // transparent, white_bg, mask, crop
  // form.append("background", "#f5f5f5"), form.append("margin", "8%"), form.append("canvas", "2000x2000");
  const headers = key ? { "X-RapidAPI-Key": key } : {};
  const answer = await fetch(`${server}/v1/remove-bg/universal`, { method: "POST", headers, body: form });
  if (!answer.ok) {
    throw new Error(`${answer.status} ${explanation(await answer.text())}`);
  }
  return new Uint8Array(await answer.arrayBuffer());
}

/** Return what the server says; of an answer that is not the server's, the beginning. */
function explanation(body) {
  try {
    const { error } = JSON.parse(body);
    if (error.code) return `${error.code}: ${error.message}`;
  } catch {
    // It is not JSON, or there is no error in it.
  }
  return body.slice(0, 200);
}

const [picture, result, server = "http://127.0.0.1:8000"] = process.argv.slice(2);
try {
  const file = new Blob([await readFile(picture)]);
  const cutout = await removeBackground(file, server, process.env.BGREMOVE_API_KEY);
  await writeFile(result, cutout);
} catch (error) {
  console.error(error.cause ? `${error.message}: ${error.cause.message || error.cause.code}` : error.message);
  process.exitCode = 1;
}
