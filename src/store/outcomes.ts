// What came of Events, for pages that show many: a fixed number of small reads for each, whatever it led to.
import type { Db } from './database.ts';

/** A run as a line about an Event says it. */
export type OutcomeRun = {
  id: string;
  seq: number;
  worker: string;
  state: 'running' | 'done' | 'failed' | 'timed_out' | 'interrupted' | 'lost';
  attempt: number;
  startedAt: string;
  endedAt: string | null;
  exit: string | null;
  published: number | null;
  changed: number | null;
  /** Of its triggers, the one that its doings name as their cause. */
  lastTrigger: number;
  costUsd: number | null;
};

export type Outcomes = {
  /** Activations that an Event woke, oldest first. */
  runs(seq: number, limit: number): OutcomeRun[];
  runCount(seq: number): number;
  /** seqs of the Events an activation published, oldest first. */
  publishedBy(run: Pick<OutcomeRun, 'id' | 'lastTrigger'>, limit: number): number[];
  /** seqs of Events that an Event led to without an activation, such as the answer to a mail, oldest first. */
  answers(seq: number, limit: number): number[];
  /** Whether the Event itself is held or was, and why. */
  held(seq: number): { state: string; reason: string } | undefined;
  /** When something last came in from outside, as far as the newest Events of the Stream show. */
  lastInboundAt(streamId: string): string | undefined;
};

/** A Stream that only ever sends must not be read to its beginning. */
const LOOKED_AT_MAX = 40;

export function createOutcomes({ sqlite }: Db): Outcomes {
  const runs = sqlite.prepare(
    `SELECT a.id, a.seq, a.worker, a.state, a.attempt, a.started_at AS startedAt, a.ended_at AS endedAt, a.exit, a.published,
     a.changed, json_extract(a.triggers, '$[#-1]') AS lastTrigger, json_extract(a.usage, '$.costUsd') AS costUsd
     FROM activation_triggers t JOIN activations a ON a.seq = t.activation_seq WHERE t.seq = ? ORDER BY t.activation_seq LIMIT ?`,
  );
  const runCount = sqlite.prepare('SELECT count(*) FROM activation_triggers WHERE seq = ?').pluck();
  const doings = sqlite.prepare(
    'SELECT seq, type FROM journal WHERE caused_by = ? AND activation_id = ? ORDER BY seq LIMIT 200',
  );
  const others = sqlite.prepare(
    "SELECT seq FROM journal WHERE caused_by = ? AND activation_id IS NULL AND type = 'EventPublished' ORDER BY seq LIMIT ?",
  );
  const held = sqlite.prepare('SELECT state, reason FROM held_events WHERE seq = ?');
  const newest = sqlite.prepare('SELECT actor, at FROM journal WHERE stream = ? ORDER BY seq DESC LIMIT ?');

  function doneBy(id: string, causedBy: number): number[] {
    const rows = doings.all(causedBy, id) as { seq: number; type: string }[];
    return rows.flatMap(({ seq, type }) => {
      if (type === 'EventPublished') return [seq];
      // The first message between two opens their Stream, and that opening is its cause.
      return type === 'StreamCreated' ? doneBy(id, seq) : [];
    });
  }

  return {
    runs: (seq, limit) => runs.all(seq, limit) as OutcomeRun[],
    runCount: (seq) => runCount.get(seq) as number,
    publishedBy: ({ id, lastTrigger }, limit) => doneBy(id, lastTrigger).slice(0, limit),
    answers: (seq, limit) => (others.all(seq, limit) as { seq: number }[]).map((row) => row.seq),
    held: (seq) => held.get(seq) as { state: string; reason: string } | undefined,
    lastInboundAt(streamId) {
      const rows = newest.all(streamId, LOOKED_AT_MAX) as { actor: string; at: string }[];
      return rows.find(({ actor }) => actor.startsWith('transport:'))?.at;
    },
  };
}
