// Ends what was begun: first everything that may still write, together; then, one by one and in reverse, what it wrote to.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

type Step = { name: string; end: () => unknown };

export type Shutdown = {
  /** To be ended at once, beside the others of its kind. */
  first(name: string, end: () => unknown): void;
  /** To be ended after all of the first kind, in reverse order. */
  last(name: string, end: () => unknown): void;
  readonly isUnderWay: boolean;
  run(): Promise<void>;
};

/** Those who may still write get this long; then what they write to is closed under them. */
const PATIENCE_MS = 8_000;

export function createShutdown(log: Pick<Logger, 'error'>): Shutdown {
  const first: Step[] = [];
  const last: Step[] = [];
  let running: Promise<void> | undefined;

  async function end({ name, end }: Step): Promise<void> {
    try {
      await end();
    } catch (error) {
      log.error({ err: error }, `${name} did not end cleanly`);
    }
  }

  async function endAll(): Promise<void> {
    const patience = new AbortController();
    const late = pause(PATIENCE_MS, true, { signal: patience.signal }).catch(() => false);
    const isLate = await Promise.race([Promise.all(first.map(end)).then(() => false), late]);
    patience.abort();
    if (isLate) log.error({}, `something did not end within ${PATIENCE_MS / 1_000} s`);
    for (const step of last.reverse()) await end(step);
  }

  return {
    first: (name, end) => void first.push({ name, end }),
    last: (name, end) => void last.push({ name, end }),
    get isUnderWay() {
      return running !== undefined;
    },
    run: () => {
      running ??= endAll();
      return running;
    },
  };
}
