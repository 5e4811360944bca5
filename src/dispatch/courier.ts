// Delivers what is to leave.
//
// The outbox is the queue: this file keeps marks of Streams that may have something due, and what is in flight. A Stream is
//   quiet     no mark, nothing in flight; a timer marks it when the next of its deliveries is due,
//   marked    something may be due; its turn comes in the order of marks,
//   in flight up to a few deliveries at once, never two of one lane; each end marks it again,
//   down      its target does not answer: left alone for a growing time, then one delivery goes as a probe; the first
//             answer, good or bad, ends this,
//   stopped   its target said it is gone: nothing leaves until a person says so.
// A delivery leaves the outbox by a fact: delivered, dead, discarded. Until that is on disk it is not over, so a crash sends
// it again, under the same id. While the org is paused nothing starts.
import type { Entry } from '../store/entries.ts';
import type { Due } from '../store/outbox.ts';
import { createDelivering, type DeliveringDeps } from './delivering.ts';
import { createPace, type Pace } from './pace.ts';
import { createQuiet } from './quiet.ts';

export type CourierDeps = DeliveringDeps & {
  /** Between 0 and 1. */
  random?(): number;
};

export type Courier = {
  /** Nothing leaves before. */
  start(): void;
  isDelivering(deliveryId: string): boolean;
  /** Resolves when nothing is in flight and nothing is due. Waiting retries do not count. */
  idle(): Promise<void>;
  /** Starts nothing more and gives what is in flight a moment; the rest stays for the next start. */
  stop(): Promise<void>;
};

/** In flight at once, of all Streams. */
const FLIGHTS_MAX = 32;
/** What is in flight when the daemon stops may take this long. */
const GRACE_MS = 2_000;
/** A clock that was set back must not make a timer of more days than a timer can have. */
const WAIT_MAX_MS = 3_600_000;
export function createCourier(deps: CourierDeps): Courier {
  const { journal, outbox, random = Math.random } = deps;
  const jitter = () => 0.8 + 0.4 * random();
  const waiting = new Set<string>();
  const flights = new Map<string, Due>();
  const paces = new Map<string, Pace>();
  const timers = new Map<string, () => void>();
  const closing = new AbortController();
  const isInFlight = (deliveryId: string) => flights.has(deliveryId);
  const deliver = createDelivering(deps, { closing: closing.signal, jitter, isInFlight });
  let started = false;
  let stopping = false;
  let scheduled = false;
  const unlisten = journal.onCommit((entries) => {
    for (const entry of entries) noticeEntry(entry);
  });

  function noticeEntry({ event }: Entry): void {
    switch (event.type) {
      case 'EventPublished':
        if (event.outbound) mark(event.streamId);
        return;
      case 'DeliveryRequeued':
      case 'SendingResumed':
      case 'StreamUpdated':
        // A person has seen to it: no pause of before holds it up.
        paces.delete(event.streamId);
        return mark(event.streamId);
      case 'EventReleased':
      case 'EventDiscarded':
      case 'EventRedacted':
      case 'DeliveryDiscarded':
        return mark(event.streamId);
      case 'OrgResumed':
      case 'WorkerPaused':
      case 'WorkerResumed':
      case 'WorkerFired':
        return markAll();
      default:
        return; // Nothing else lets anything leave.
    }
  }

  function markAll(): void {
    if (!started) return;
    try {
      for (const streamId of outbox.streams()) mark(streamId);
    } catch (error) {
      deps.onFailure(error);
    }
  }

  function mark(streamId: string): void {
    waiting.add(streamId);
    schedule();
  }

  function schedule(): void {
    if (scheduled || stopping || !started) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      for (const streamId of waiting) {
        if (stopping || flights.size >= FLIGHTS_MAX) break;
        waiting.delete(streamId);
        look(streamId);
      }
      settleIdle();
    });
  }

  /** Clears the mark before the look; whatever commits after the look marks again. */
  function look(streamId: string): void {
    timers.get(streamId)?.();
    timers.delete(streamId);
    const { org } = journal;
    if (org.paused || org.streams.get(streamId)?.sendingStopped !== null) return;
    const nowMs = deps.now().getTime();
    const pace = paceOf(streamId);
    const flying = [...flights.values()].filter(({ stream }) => stream === streamId);
    const room = Math.min(pace.width(nowMs) - flying.length, FLIGHTS_MAX - flights.size);
    try {
      if (room > 0) {
        const lanes = new Set(flying.map(({ lane }) => lane));
        const due = outbox.due(streamId, new Date(nowMs).toISOString(), room + flying.length);
        for (const row of due.filter(({ lane }) => !lanes.has(lane)).slice(0, room)) fly(row, pace);
      }
      // What is in flight looks again when it ends.
      if (![...flights.values()].some(({ stream }) => stream === streamId)) sleep(streamId, pace, nowMs);
    } catch (error) {
      deps.onFailure(error);
      wait(streamId, WAIT_MAX_MS / 60);
    }
  }

  function paceOf(streamId: string): Pace {
    const pace = paces.get(streamId) ?? createPace(jitter);
    paces.set(streamId, pace);
    return pace;
  }

  function sleep(streamId: string, pace: Pace, nowMs: number): void {
    const next = outbox.nextDue(streamId);
    if (next !== undefined) wait(streamId, Math.max(Date.parse(next), pace.untilMs) - nowMs);
    else if (pace.downSinceMs === undefined) paces.delete(streamId);
  }

  function wait(streamId: string, delayMs: number): void {
    timers.get(streamId)?.();
    const cancel = deps.after(Math.min(Math.max(delayMs, 1), WAIT_MAX_MS), () => {
      timers.delete(streamId);
      mark(streamId);
    });
    timers.set(streamId, cancel);
  }

  function fly(row: Due, pace: Pace): void {
    flights.set(row.id, row);
    deliver(row, pace)
      .catch((error: unknown) => {
        pace.down(deps.now().getTime(), undefined);
        if (!stopping) deps.onFailure(error);
      })
      .finally(() => {
        flights.delete(row.id);
        mark(row.stream);
        settleIdle();
      });
  }

  const isIdle = () => flights.size === 0 && (stopping || (waiting.size === 0 && !scheduled));
  const quiet = createQuiet(isIdle);
  const settleIdle = (): void => {
    if (isIdle()) quiet.settle();
  };

  return {
    start() {
      started = true;
      markAll();
      schedule();
    },
    isDelivering: isInFlight,
    idle: quiet.wait,
    async stop() {
      stopping = true;
      unlisten();
      for (const cancel of timers.values()) cancel();
      timers.clear();
      const grace = setTimeout(() => closing.abort(), GRACE_MS);
      await quiet.wait();
      clearTimeout(grace);
    },
  };
}
