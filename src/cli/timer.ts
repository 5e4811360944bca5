/** Calls back after so many milliseconds, unless the process ends before. @returns what cancels it */
export function unrefTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}
