/** Small DOM helpers. Text is always inserted as text, never as markup. */

/**
 * Find an element of index.html.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new (...args: any[]) => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return found;
}

/**
 * Make an element with attributes and children; a string child becomes a text node.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Announce a message to screen readers.
 * @param {string} words
 */
export function announce(words) {
  const line = make("span", {}, words);
  const live = byId("live", HTMLElement);
  live.append(line);
  while (live.children.length > 5) live.firstElementChild?.remove();
}

/**
 * Show a message on a button for two seconds.
 * @param {HTMLElement} button
 * @param {string} words
 */
export function flash(button, words) {
  button.dataset.words ??= button.textContent ?? ""; // the original text, not that of an earlier flash
  button.textContent = words;
  announce(words);
  setTimeout(() => {
    button.textContent = button.dataset.words ?? "";
  }, 2000);
}
