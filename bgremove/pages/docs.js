/** The page /docs: examples with this server's address, and Swagger UI on its OpenAPI document. */

import { copyText } from "./clipboard.js";
import { byId } from "./dom.js";

const { SwaggerUIBundle } = /** @type {any} */ (window);

const WRITTEN = "http://127.0.0.1:8000"; // the server of the examples in the template
const UNTOUCHED = "string"; // Swagger UI puts this word into optional fields

const tabs = [...document.querySelectorAll("[role=tab]")].filter((tab) => tab instanceof HTMLElement);

/** @param {HTMLElement} tab */
function panelOf(tab) {
  return byId(tab.getAttribute("aria-controls") ?? "", HTMLElement);
}

/** @param {HTMLElement} chosen */
function choose(chosen) {
  for (const tab of tabs) {
    const isChosen = tab === chosen;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    panelOf(tab).hidden = !isChosen;
  }
}

function prepareExamples() {
  const server = new URL(".", location.href).href.replace(/\/$/, "");
  for (const [at, tab] of tabs.entries()) {
    const code = panelOf(tab).firstElementChild;
    if (code) code.textContent = (code.textContent ?? "").replace(WRITTEN, server);
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
      const next = tabs[(at + step + tabs.length) % tabs.length];
      if (next === tab) return;
      choose(next);
      next.focus();
    });
  }
  const copy = byId("copy-sample", HTMLButtonElement);
  copy.addEventListener("click", () => {
    const shown = tabs.map(panelOf).find((panel) => !panel.hidden);
    copyText(copy, shown?.textContent ?? "");
  });
}

/** @param {any} request of Swagger UI, before it is sent */
function withoutUntouched(request) {
  if (request.body instanceof FormData) {
    for (const [name, value] of [...request.body]) if (value === UNTOUCHED) request.body.delete(name);
  }
  return request;
}

/** A plugin that leaves out parts of Swagger UI that this page has itself: title and servers. */
const withoutHead = {
  wrapComponents: { InfoContainer: () => () => null, ServersContainer: () => () => null },
};

function followColourScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", set);
  set();
}

followColourScheme();
prepareExamples();
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  plugins: [withoutHead],
  tryItOutEnabled: true,
  requestInterceptor: withoutUntouched,
  validatorUrl: null, // sends no requests to another host
});
