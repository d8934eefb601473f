/** Figures and states in words. */

/** @typedef {import("./pictures.js").State} State */

/** @type {Record<string, string>} */
const WARNINGS = {
  "already-transparent": "This picture was cut out already; its transparency is kept as it was.",
  "animation-first-frame": "This is an animation; its first frame was used.",
  "colour-profile-ignored": "The colour profile could not be read; colours may look different.",
  enlarged: "The subject was enlarged to fill the canvas; it may look soft.",
  "low-confidence": "", // shown above the picture
  "pieces-dropped": "Small pieces beside the subject were left out. Bring them back with “Mend by hand”.",
  "model-fallback": "The model for this kind of subject is not installed; the default one stood in.",
  "second-opinion-failed": "A second model should have been asked and could not be.",
};

export const doubtWords = "Probably wrong – try:";

/** @type {[string, string][]} */
const SUBJECTS = [
  ["universal", "Anything"],
  ["human", "People"],
  ["product", "A product"],
];

/** @param {string} subject @returns {[string, string][]} the other ones with their names */
export function otherSubjects(subject) {
  return SUBJECTS.filter(([value]) => value !== subject);
}

/** @param {string} warning as in X-Warnings */
export function warningWords(warning) {
  return WARNINGS[warning] ?? `The server notes: ${warning}.`;
}

/** @param {number} bytes */
export function bytesWords(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`;
  const mega = bytes / (1024 * 1024);
  return `${mega < 10 && !Number.isInteger(mega) ? mega.toFixed(1) : Math.round(mega)} MB`;
}

/** @param {number} ms */
export function timeWords(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** @param {number} until ms of Date.now */
function secondsLeft(until) {
  return Math.max(1, Math.ceil((until - Date.now()) / 1000));
}

/**
 * Return a few words for the list.
 * @param {State} state
 * @returns {string}
 */
export function stateWords(state) {
  switch (state.phase) {
    case "waiting":
      return "Waiting";
    case "uploading":
      return `Uploading, ${Math.floor(state.share * 100)} %`;
    case "working":
      return "Cutting out";
    case "held":
      return `Busy; again in ${secondsLeft(state.until)} s`;
    case "done":
      return state.answer.warnings.includes("low-confidence") ? "Probably wrong" : "Done";
    case "failed":
      return state.problem.message;
    case "cancelled":
      return "Cancelled";
  }
}

/**
 * Return a sentence for the viewer while a request is in progress.
 * @param {State} state
 * @returns {string}
 */
export function workingWords(state) {
  if (state.phase === "working") {
    const seconds = (performance.now() - state.since) / 1000;
    return `Cutting out the subject… ${seconds.toFixed(1)} s`;
  }
  if (state.phase === "held") {
    return `${state.problem.message}. Trying again in ${secondsLeft(state.until)} s`;
  }
  return state.phase === "waiting" ? "Waiting for its turn" : `${stateWords(state)}`;
}
