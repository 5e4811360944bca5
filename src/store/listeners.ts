// Who is told of each commit. They mark and wake; one that fails must not keep the others from being told.
import type { Entry } from './entries.ts';
import type { TranscriptRow } from './transcripts.ts';

export type CommitListener = (entries: readonly Entry[], transcript: readonly TranscriptRow[]) => void;

/** A failure is a bug; it surfaces as an uncaught exception once everybody was told. */
const surface = (error: unknown): void => {
  setImmediate(() => {
    throw error;
  });
};

export function createListeners(onFailure: (error: unknown) => void = surface) {
  const listeners = new Set<CommitListener>();
  return {
    /** @returns what stops it */
    add(listener: CommitListener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell: ((entries, transcript) => {
      if (entries.length + transcript.length === 0) return;
      for (const listener of listeners) {
        try {
          listener(entries, transcript);
        } catch (error) {
          onFailure(error);
        }
      }
    }) as CommitListener,
  };
}
