// The outbox as the courier uses it: what is due, and what became of attempts. Operational: never journaled, never rebuilt.
import type { Db } from './database.ts';

/** A delivery that waits to be tried. */
export type Due = {
  id: string;
  /** seq of the Event. */
  seq: number;
  stream: string;
  lane: string;
  kind: string;
  recipient: string | null;
  attempts: number;
  /** Of the first attempt, RFC 3339; null before it. */
  firstAt: string | null;
};

export type Failed = { id: string; attempts: number; firstAt: string; nextAt: string; error: string };

export type Outbox = {
  /** Streams with something that is to leave. */
  streams(): string[];
  /** The first of each lane whose time has come, longest due first. */
  due(streamId: string, at: string, limit: number): Due[];
  /** When the next one of a Stream is due. */
  nextDue(streamId: string): string | undefined;
  /** Queued ones whose Event is older, oldest first. */
  olderThan(streamId: string, at: string, limit: number): Due[];
  /** Notes an attempt after which there will be another. */
  failed(failed: Failed): void;
  /** How many of a Stream's deliveries became dead letters since then, and whether one went well after the last of them. */
  deathsSince(streamId: string, at: string): { deaths: number; deliveredSince: boolean };
};

const DUE = `SELECT o.id, o.seq, o.stream, o.lane, d.kind, d.recipient, o.attempts, o.first_at AS firstAt
  FROM outbox o JOIN deliveries d ON d.id = o.id JOIN journal j ON j.seq = o.seq`;

export function createOutbox({ sqlite }: Db): Outbox {
  const streams = sqlite.prepare('SELECT DISTINCT stream FROM outbox WHERE next_at IS NOT NULL').pluck();
  const due = sqlite.prepare(
    `${DUE} WHERE o.stream = @streamId AND o.next_at <= @at AND NOT EXISTS (
       SELECT 1 FROM outbox e JOIN deliveries f ON f.id = e.id
       WHERE e.stream = o.stream AND e.lane = o.lane AND e.seq < o.seq AND f.state = 'queued')
     ORDER BY o.next_at, o.seq LIMIT @limit`,
  );
  const nextDue = sqlite.prepare('SELECT min(next_at) FROM outbox WHERE stream = ? AND next_at IS NOT NULL').pluck();
  const olderThan = sqlite.prepare(
    `${DUE} WHERE o.stream = @streamId AND d.state = 'queued' AND d.at < @at ORDER BY o.seq LIMIT @limit`,
  );
  const failed = sqlite.prepare(
    `UPDATE outbox SET attempts = @attempts, first_at = @firstAt, last_error = @error,
     next_at = CASE WHEN (SELECT state FROM deliveries d WHERE d.id = outbox.id) = 'queued' THEN @nextAt END WHERE id = @id`,
  );
  const deaths = sqlite.prepare(
    `SELECT count(*) AS deaths, max(entry_seq) AS last FROM deliveries
     WHERE stream = ? AND state = 'dead' AND at >= ?`,
  );
  const lastDelivered = sqlite
    .prepare("SELECT max(entry_seq) FROM deliveries WHERE stream = ? AND state = 'delivered'")
    .pluck();
  return {
    streams: () => streams.all() as string[],
    due: (streamId, at, limit) => due.all({ streamId, at, limit }) as Due[],
    nextDue: (streamId) => (nextDue.get(streamId) as string | null) ?? undefined,
    olderThan: (streamId, at, limit) => olderThan.all({ streamId, at, limit }) as Due[],
    failed: (attempt) => void failed.run(attempt),
    deathsSince(streamId, at) {
      const { deaths: count, last } = deaths.get(streamId, at) as { deaths: number; last: number | null };
      return { deaths: count, deliveredSince: ((lastDelivered.get(streamId) as number | null) ?? 0) > (last ?? 0) };
    },
  };
}
