/** Waiting that can be stopped. */

/**
 * Wait until a time has come, or throw when stopped.
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
