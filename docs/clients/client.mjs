// bgremove: cut the subject out of a picture, with fetch.
//
//   node client.mjs PICTURE RESULT [SERVER] [FIELD=VALUE ...]      (Node.js 20 or later)
//   node client.mjs shoe.jpg white.jpg http://127.0.0.1:8000 subject=product output_format=white_bg
//
// BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
// It follows docs/openapi.json; the tests run it against a real server.

import { readFile, realpath, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * Return the picture that is answered, as bytes; throws with what the server says.
 *
 * Fields: subject (universal, human, product), output_format (transparent, white_bg, mask, crop), and
 * with white_bg for example { background: "#f5f5f5", margin: "8%", canvas: "2000x2000" }.
 */
export async function removeBackground(picture, server, key, fields = {}) {
  const form = new FormData();
  form.append("image", picture, "picture");
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const headers = key ? { "X-Api-Key": key } : {};
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

async function main([picture, result, server = "http://127.0.0.1:8000", ...fields]) {
  if (!result) throw new Error("usage: node client.mjs PICTURE RESULT [SERVER] [FIELD=VALUE ...]");
  const file = new Blob([await readFile(picture)]);
  const pairs = fields.map((field) => [field.split("=", 1)[0], field.slice(field.indexOf("=") + 1)]);
  const key = process.env.BGREMOVE_API_KEY;
  await writeFile(result, await removeBackground(file, server, key, Object.fromEntries(pairs)));
}

if (process.argv[1] && (await realpath(process.argv[1])) === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(error.cause ? `${error.message}: ${error.cause.message || error.cause.code}` : error.message);
    process.exitCode = 1;
  }
}
