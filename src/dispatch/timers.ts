// One timer per Worker that has to wait, and what it waits for.

export type Timers = {
  /** Replaces the Worker's timer, if it has one. */
  set(workerId: string, delayMs: number, why: Why, due: () => void): void;
  clear(workerId: string): void;
  /** Workers that wait for this. */
  waitingFor(why: Why): string[];
  has(workerId: string, why: Why): boolean;
  clearAll(): void;
};

/** `limit`: a rate or daily cap; `failure`: something could not be read or recorded; `retry`: the batch's own time. */
export type Why = 'limit' | 'failure' | 'retry';

/** A clock that was set back must not make a timer of more days than a timer can have. */
const WAIT_MAX_MS = 3_600_000;

export function createTimers(after: (delayMs: number, callback: () => void) => () => void): Timers {
  const timers = new Map<string, { why: Why; cancel(): void }>();
  const clear = (workerId: string) => {
    timers.get(workerId)?.cancel();
    timers.delete(workerId);
  };
  return {
    set(workerId, delayMs, why, due) {
      clear(workerId);
      const cancel = after(Math.min(Math.max(delayMs, 1), WAIT_MAX_MS), () => {
        timers.delete(workerId);
        due();
      });
      timers.set(workerId, { why, cancel });
    },
    clear,
    waitingFor: (why) => [...timers].flatMap(([workerId, timer]) => (timer.why === why ? [workerId] : [])),
    has: (workerId, why) => timers.get(workerId)?.why === why,
    clearAll() {
      for (const workerId of [...timers.keys()]) clear(workerId);
    },
  };
}
