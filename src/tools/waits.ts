// Long polls: a reader says which Streams it waits for, and is woken when something lands there.

import type { Entry } from '../store/entries.ts';
import type { Journal } from '../store/journal.ts';
import { streamOfLine, type TranscriptRow } from '../store/transcripts.ts';

/** Longest a read waits; clients give up after 60 s by default. */
export const WAIT_MAX_SECONDS = 45;

export type Waiter = {
  /** Resolves when one of the Streams got something, the time is up, or the signal aborts. Never rejects. */
  woken: Promise<void>;
  /** Stops listening; safe to call twice. */
  cancel(): void;
};

export type Waits = {
  /** Subscribe first, then look, then await: so nothing that lands in between is missed. */
  on(streamIds: Iterable<string>, timeoutMs: number, signal?: AbortSignal): Waiter;
  /**
   * Answers a question; whoever asks the same in the same turn of the event loop, with nothing committed in between, gets the
   * same result. It is frozen: nobody may change it.
   */
  together<Result extends object>(question: string, answer: () => Result): Readonly<Result>;
  /** Ends every wait at once, as when the daemon stops. */
  releaseAll(): void;
  /** Set once the daemon stops: no read waits any more. */
  readonly released: boolean;
  /** Waiters now, for tests and metrics. */
  readonly size: number;
};

/** Woken in one turn of the event loop; more wait for the next, so that others get their turn. */
const WAKES_MAX = 250;

export function createWaits(journal: Pick<Journal, 'onCommit'>): Waits {
  const byStream = new Map<string, Set<() => void>>();
  const all = new Set<() => void>();
  const answers = new Map<string, object>();
  const toWake = new Set<() => void>();
  let released = false;
  journal.onCommit((entries, transcript) => {
    answers.clear();
    if (byStream.size === 0) return;
    const isWaking = toWake.size > 0;
    for (const streamId of touched(entries, transcript))
      for (const wake of byStream.get(streamId) ?? []) toWake.add(wake);
    if (!isWaking) wakeSome();
  });

  function wakeSome(): void {
    let woken = 0;
    for (const wake of toWake) {
      if (woken === WAKES_MAX) {
        setImmediate(wakeSome);
        return;
      }
      woken += 1;
      wake();
    }
  }

  return {
    on(streamIds, timeoutMs, signal) {
      const ids = [...streamIds];
      let cancel = () => {};
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(() => cancel(), timeoutMs);
        cancel = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', cancel);
          all.delete(cancel);
          toWake.delete(cancel);
          for (const id of ids) remove(byStream, id, cancel);
          resolve();
        };
        all.add(cancel);
        for (const id of ids) byStream.set(id, (byStream.get(id) ?? new Set()).add(cancel));
        signal?.addEventListener('abort', cancel);
        if (signal?.aborted || released) cancel();
      });
      return { woken, cancel: () => cancel() };
    },
    together<Result extends object>(question: string, answer: () => Result) {
      const known = answers.get(question) as Readonly<Result> | undefined;
      if (known) return known;
      const made = Object.freeze(answer());
      if (answers.size === 0) setImmediate(() => answers.clear());
      answers.set(question, made);
      return made;
    },
    releaseAll() {
      released = true;
      for (const cancel of [...all]) cancel();
    },
    get released() {
      return released;
    },
    get size() {
      return all.size;
    },
  };
}

function touched(entries: readonly Entry[], transcript: readonly TranscriptRow[]): Set<string> {
  const streams = new Set<string>();
  for (const { stream } of entries) if (stream !== null) streams.add(stream);
  for (const line of transcript) streams.add(streamOfLine(line));
  return streams;
}

function remove(byStream: Map<string, Set<() => void>>, id: string, wake: () => void): void {
  const waiting = byStream.get(id);
  waiting?.delete(wake);
  if (waiting?.size === 0) byStream.delete(id);
}
