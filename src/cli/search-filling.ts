// Takes new Events into the search index while nobody searches, so that no search has to catch up with days.
import type { Search } from '../store/search.ts';

export type SearchFillingDeps = {
  search: Pick<Search, 'advance'>;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

const EVERY_MS = 2_000;
/** Pause between slices while there is more, so that everything else gets its turn. */
const BETWEEN_MS = 20;
const SLICE = 100;

/** @returns what stops it */
export function startSearchFilling({ search, after, onFailure }: SearchFillingDeps): () => void {
  let cancel = after(EVERY_MS, fill);
  function fill(): void {
    let isBehind = false;
    try {
      isBehind = search.advance(SLICE);
    } catch (error) {
      onFailure(error);
    }
    cancel = after(isBehind ? BETWEEN_MS : EVERY_MS, fill);
  }
  return () => cancel();
}
