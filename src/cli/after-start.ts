// What a process that has just started a daemon does for itself, once.
import { flushCompileCache } from 'node:module';

/** By then recovery has begun to wake Workers, and whoever waited for the daemon has been answered. */
const GIVE_BACK_MS = 1_000;

/**
 * Keeps for the next start what V8 compiled, and gives back the memory that this one took: V8's young generation has grown
 * to hold an org that is loaded at once, and would stay so. That is 45 MB of 190 with 10,000 Workers, for one pause of
 * some 100 ms.
 * @param recovered settles when what a crash cut off is ended
 */
export async function afterStart(recovered: Promise<void>): Promise<void> {
  // Node itself does so at the end of the process, which a kill would skip.
  flushCompileCache();
  await recovered;
  setTimeout(() => void collectGarbage(), GIVE_BACK_MS).unref();
}

/** The one way that is open to a program without a flag of its own, in a Node that was built with it. No port is opened. */
async function collectGarbage(): Promise<void> {
  const inspector = await import('node:inspector').catch(() => undefined);
  if (!inspector) return;
  const session = new inspector.Session();
  session.connect();
  // To disconnect within the answer never returns.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()));
}
