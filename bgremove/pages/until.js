/** A delay that can be aborted. */

/**
 * Wait until a time, or throw when aborted.
 * @param {number} time ms of Date.now
 * @param {AbortSignal} signal
 */
export async function until(time, signal) {
  const ms = time - Date.now();
  if (ms > 0) {
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
  signal.throwIfAborted();
}
