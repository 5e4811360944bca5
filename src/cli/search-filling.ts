// Takes new Events into the search index while nobody searches, so that no search has to catch up with days.
import type { Search } from '../store/search.ts';

export type SearchFillingDeps = {
  search: Pick<Search, 'advance'>;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

const EVERY_MS = 2_000;
/** Pause between slices while there is more: so many times what the slice took, so that everything else gets its turn. */
const BETWEEN_TIMES = 9;
const BETWEEN_MS = 20;
const SLICE = 20;

/** @returns what stops it */
export function startSearchFilling({ search, after, onFailure }: SearchFillingDeps): () => void {
  let cancel = after(EVERY_MS, fill);
  function fill(): void {
    let isBehind = false;
    const began = performance.now();
    try {
      isBehind = search.advance(SLICE);
    } catch (error) {
      onFailure(error);
    }
    const between = Math.max(BETWEEN_MS, Math.round((performance.now() - began) * BETWEEN_TIMES));
    cancel = after(isBehind ? between : EVERY_MS, fill);
  }
  return () => cancel();
}
