// Runs and their transcripts in pages: range scans by an index each, however long the history is.
import type { ActivationOutcome } from '../domain/activation.ts';
import type { Db } from './database.ts';

export type RunState = 'running' | ActivationOutcome;

export type RunRange = {
  states: readonly RunState[];
  /** Of these Workers; without them, of all. */
  workerIds?: readonly string[];
  /** seq of its start: exclusive upper end. */
  before?: number;
  /** seq of its start: inclusive lower end. */
  from?: number;
  limit: number;
};

/** `extra` is JSON. */
export type RunLine = { seq: number; at: string; body: string; extra: string | null };

export type RunPages = {
  /** Ids of activations, newest first. */
  runIds(range: RunRange): string[];
  /** Lines of one activation, oldest first: the last ones before a seq, or the first ones after one. */
  runLines(activationId: string, range: { before?: number; after?: number; limit: number }): RunLine[];
};

type Found = { id: string; seq: number };

export function createRunPages({ sqlite }: Db): RunPages {
  const found = 'SELECT id, seq FROM activations WHERE';
  const within = 'AND seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ?';
  const ofAll = sqlite.prepare(`${found} state = ? ${within}`);
  // A Worker's own runs are few beside all failed ones or all done ones.
  const ofWorker = sqlite.prepare(`${found} worker = ? AND +state = ? ${within}`);
  const line = 'SELECT seq, at, body, extra FROM transcripts WHERE activation_id = ?';
  const lastLines = sqlite.prepare(`${line} AND seq < ? ORDER BY seq DESC LIMIT ?`);
  const nextLines = sqlite.prepare(`${line} AND seq > ? ORDER BY seq LIMIT ?`);
  return {
    runIds({ states, workerIds, before = Number.MAX_SAFE_INTEGER, from = 0, limit }) {
      const bounds = [before, from, limit];
      const rows = states.flatMap((state) =>
        workerIds === undefined
          ? (ofAll.all(state, ...bounds) as Found[])
          : workerIds.flatMap((id) => ofWorker.all(id, state, ...bounds) as Found[]),
      );
      return rows
        .sort((a, b) => b.seq - a.seq)
        .slice(0, limit)
        .map(({ id }) => id);
    },
    runLines(activationId, { before = Number.MAX_SAFE_INTEGER, after, limit }) {
      if (after !== undefined) return nextLines.all(activationId, after, limit) as RunLine[];
      return (lastLines.all(activationId, before, limit) as RunLine[]).reverse();
    },
  };
}
