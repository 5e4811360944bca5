// Takes new Events into the search index while nobody searches, so that no search has to catch up with days.
import { performance } from 'node:perf_hooks';
import type { Search } from '../store/search.ts';

export type SearchFillingDeps = {
  search: Pick<Search, 'advance'>;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
  /** How much of the time since it was last asked the event loop had something to do, 0 to 1. */
  load?(): number;
};

const EVERY_MS = 2_000;
/** Pause between slices while there is more: so many times what the slice took, so that everything else gets its turn. */
const BETWEEN_TIMES = 9;
/** The same while the loop is busier than {@link BUSY}: whoever waits for an answer goes before whoever may search one day. */
const BETWEEN_TIMES_BUSY = 99;
const BUSY = 0.6;
const BETWEEN_MS = 20;
const SLICE = 20;

/** @returns what stops it */
export function startSearchFilling({ search, after, onFailure, load = loadOfLoop() }: SearchFillingDeps): () => void {
  let cancel = after(EVERY_MS, fill);
  function fill(): void {
    let isBehind = false;
    const times = load() > BUSY ? BETWEEN_TIMES_BUSY : BETWEEN_TIMES;
    const began = performance.now();
    try {
      isBehind = search.advance(SLICE);
    } catch (error) {
      onFailure(error);
    }
    const between = Math.max(BETWEEN_MS, Math.round((performance.now() - began) * times));
    cancel = after(isBehind ? between : EVERY_MS, fill);
  }
  return () => cancel();
}

function loadOfLoop(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
