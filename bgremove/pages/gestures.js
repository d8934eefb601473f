/** Pointers, wheel and keys on the stage: two fingers zoom, one moves the picture or the divider. */

const WHEEL_STEP = 0.0025; // zoom per pixel of the wheel
const KEY_STEP = 1.25;
const KEY_MOVE_PX = 48;

/**
 * @param {import("./zoom.js").Zoom} zoom
 * @param {import("./split.js").Split} split
 */
export function listenForGestures(zoom, split) {
  const { stage } = zoom;
  listenForPointers(zoom, split);
  stage.addEventListener("wheel", (event) => onWheel(event, zoom), { passive: false });
  stage.addEventListener("dblclick", (event) => {
    const { x, y } = within(stage, event);
    if (zoom.movable) zoom.fit();
    else zoom.by(Math.max(2, 1 / zoom.scale), x, y);
  });
  stage.addEventListener("keydown", (event) => {
    if (event.target === stage && !event.ctrlKey && !event.metaKey && !event.altKey) onKey(event, zoom);
  });
}

/** @param {import("./zoom.js").Zoom} zoom @param {import("./split.js").Split} split */
function listenForPointers(zoom, split) {
  const { stage } = zoom;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let dividing = false;

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const at = within(stage, event);
    fingers.set(event.pointerId, at);
    stage.setPointerCapture(event.pointerId);
    dividing = fingers.size === 1 && (split.isHandle(event.target) || !zoom.movable);
    if (dividing) split.to(at.x);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const at = within(stage, event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, at);
    if (other) {
      zoom.by(distance(at, other) / Math.max(1, distance(before, other)), (at.x + other.x) / 2, (at.y + other.y) / 2);
    } else if (dividing) split.to(at.x);
    else zoom.move(at.x - before.x, at.y - before.y);
  });
  const lift = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (fingers.size === 0) dividing = false;
  };
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);
}

/**
 * Move a picture larger than the stage, zoom with Ctrl (or a trackpad pinch), or else let the page scroll.
 * @param {WheelEvent} event
 * @param {import("./zoom.js").Zoom} zoom
 */
function onWheel(event, zoom) {
  if (event.ctrlKey || event.metaKey) {
    const { x, y } = within(zoom.stage, event);
    zoom.by(Math.exp(-event.deltaY * WHEEL_STEP * 2), x, y);
  } else if (zoom.movable) zoom.move(-event.deltaX, -event.deltaY);
  else return;
  event.preventDefault();
}

/** @param {KeyboardEvent} event @param {import("./zoom.js").Zoom} zoom */
function onKey(event, zoom) {
  /** @type {Record<string, () => void>} */
  const deeds = {
    "+": () => zoom.by(KEY_STEP),
    "=": () => zoom.by(KEY_STEP),
    "-": () => zoom.by(1 / KEY_STEP),
    0: () => zoom.fit(),
    1: () => zoom.full(),
    ArrowLeft: () => zoom.move(KEY_MOVE_PX, 0),
    ArrowRight: () => zoom.move(-KEY_MOVE_PX, 0),
    ArrowUp: () => zoom.move(0, KEY_MOVE_PX),
    ArrowDown: () => zoom.move(0, -KEY_MOVE_PX),
  };
  const moves = event.key.startsWith("Arrow");
  if (!(event.key in deeds) || (moves && !zoom.movable)) return;
  event.preventDefault();
  deeds[event.key]();
}

/** @param {HTMLElement} stage @param {MouseEvent} event */
function within(stage, event) {
  const { left, top } = stage.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/** @param {{x: number, y: number}} a @param {{x: number, y: number}} b */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
