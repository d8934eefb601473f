"use strict";

// Sends a form of the page as the request it describes, and shows what comes back.

const pictures = new WeakMap(); // the object URL that a form's answer shows, by form

const typedKey = () => document.getElementById("key").value;

function fieldsOf(form, place) {
  return [...form.querySelectorAll(`[data-in="${place}"]`)].map((row) => row.querySelector("[name]"));
}

function headersOf(form, key) {
  const headers = {};
  for (const field of fieldsOf(form, "header")) {
    if (field.value && field.value !== "*/*") headers[field.name] = field.value;
  }
  if (form.dataset.keyed && key) {
    const scheme = document.getElementById("scheme").selectedOptions[0];
    headers[scheme.value] = scheme.dataset.prefix + key;
  }
  return headers;
}

function bodyOf(form) {
  const fields = fieldsOf(form, "form");
  if (fields.length === 0) return undefined;
  const body = new FormData();
  for (const field of fields) {
    if (field.type !== "file") body.append(field.name, field.value);
    else if (field.files.length > 0) body.append(field.name, field.files[0]);
  }
  return body;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// A file's name as curl reads it in a form: , and ; end it, blanks at both ends are dropped, - is standard input.
function fileValue(name) {
  const path = name.startsWith("-") ? `./${name}` : name;
  return /[,;"\\]|^\s|\s$/.test(path) ? `@"${path.replace(/[\\"]/g, "\\$&")}"` : `@${path}`;
}

// The address of a path with what was typed for its parts: the page may be served under a prefix.
function addressOf(form) {
  let path = form.dataset.path.slice(1);
  for (const { name, value } of fieldsOf(form, "path")) {
    if (value) path = path.replace(`{${name}}`, encodeURIComponent(value));
  }
  return new URL(path, document.baseURI);
}

function showCommand(form) {
  const words = ["curl"];
  for (const [name, value] of Object.entries(headersOf(form, typedKey() && "YOUR_API_KEY"))) {
    words.push("-H", quoted(`${name}: ${value}`));
  }
  for (const field of fieldsOf(form, "form")) {
    const value = field.type === "file" ? fileValue(field.files[0]?.name ?? "photo.jpg") : field.value;
    words.push("-F", quoted(`${field.name}=${value}`));
  }
  words.push(quoted(addressOf(form).href));
  if (fieldsOf(form, "form").length > 0) words.push("-o", "answer");
  form.querySelector(".curl").textContent = words.join(" ");
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  Object.assign(made, attributes);
  return made;
}

function headerList(response) {
  const details = document.createElement("details");
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  details.append(element("summary", "Headers"), element("pre", lines.join("\n"), { tabIndex: 0 }));
  return details;
}

function picture(form, blob) {
  const url = URL.createObjectURL(blob);
  pictures.set(form, url);
  const image = element("img", "", { src: url, alt: "The picture that was answered" });
  const extension = blob.type.split("/")[1].replace("jpeg", "jpg");
  const link = element("a", `Save it (${blob.size.toLocaleString("en")} bytes)`, { href: url, download: `answer.${extension}` });
  return [image, link];
}

async function body(form, response) {
  const blob = await response.blob();
  if (blob.type.startsWith("image/")) return picture(form, blob);
  const text = await blob.text();
  if (!blob.type.startsWith("application/json")) return [element("pre", text, { tabIndex: 0 })];
  const json = JSON.parse(text, (_, value) =>
    typeof value === "string" && value.length > 2000 ? `${value.slice(0, 80)}… (${value.length} characters)` : value,
  );
  return [element("pre", JSON.stringify(json, null, 2), { tabIndex: 0 })];
}

function clear(form) {
  URL.revokeObjectURL(pictures.get(form));
  pictures.delete(form);
  form.querySelector(".answer").replaceChildren();
}

async function send(form) {
  const answer = form.querySelector(".answer");
  const button = form.querySelector("[type=submit]");
  clear(form);
  answer.hidden = false;
  answer.append(element("p", "Sending…"));
  button.disabled = true;
  const started = performance.now();
  try {
    const options = { method: form.dataset.method, headers: headersOf(form, typedKey()), body: bodyOf(form) };
    const response = await fetch(addressOf(form), options);
    const shown = await body(form, response);
    const took = `${response.status} ${response.statusText} after ${Math.round(performance.now() - started)} ms`;
    const line = element("p", took, { className: response.ok ? "done" : "failed" });
    answer.replaceChildren(line, ...shown, headerList(response));
  } catch (error) {
    const line = element("p", `No answer came: ${error.message}`, { className: "failed" });
    answer.replaceChildren(line);
  } finally {
    button.disabled = false;
  }
}

const access = document.getElementById("access");
const forms = document.querySelectorAll("form[data-path]");

for (const form of forms) {
  showCommand(form);
  form.addEventListener("input", () => showCommand(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  form.addEventListener("reset", () => {
    clear(form);
    setTimeout(() => showCommand(form)); // when the fields have been emptied
  });
}
access.addEventListener("input", () => forms.forEach(showCommand));
access.addEventListener("submit", (event) => event.preventDefault());
