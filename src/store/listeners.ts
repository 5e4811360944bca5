// Who is told of each commit. They mark and wake; one that fails must not keep the others from being told.
import type { Entry } from './entries.ts';
import { withoutLogContext } from './log-context.ts';
import type { TranscriptRow } from './transcripts.ts';

export type CommitListener = (entries: readonly Entry[], transcript: readonly TranscriptRow[]) => void;

/** What went wrong without anybody waiting for an answer. */
const report = (error: unknown): void => {
  process.stderr.write(`helix-org: a bug: ${error instanceof Error ? error.stack : String(error)}\n`);
};

export function createListeners(onBug: (error: unknown) => void = report) {
  const listeners = new Set<CommitListener>();
  return {
    onBug,
    /** @returns what stops it */
    add(listener: CommitListener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell: ((entries, transcript) => {
      if (entries.length + transcript.length === 0) return;
      // A commit holds what several asked for; what follows from it is the doing of none of their requests.
      withoutLogContext(() => {
        for (const listener of listeners) {
          try {
            listener(entries, transcript);
          } catch (error) {
            onBug(error);
          }
        }
      });
    }) as CommitListener,
  };
}
