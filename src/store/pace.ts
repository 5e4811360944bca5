// How fast each AI Worker publishes: a bucket of so many Events at once, refilled by so many a minute.
import type Database from 'better-sqlite3';

export type PaceLimit = { perMinute: number; burst: number };

export type Pace = {
  /** Whether one more Event is within the limit now. */
  allows(worker: string, limit: PaceLimit, at: string): boolean;
  take(worker: string, limit: PaceLimit, at: string): void;
};

type Bucket = { left: number; atMs: number };

const MINUTE_MS = 60_000;
/** Buckets kept before those that are full again are forgotten. */
const BUCKETS_MAX = 1_000;
/** Entries read at start to fill the buckets again. */
const READ_MAX = 5_000;

export function createPace(sqlite: Database.Database): Pace {
  const buckets = new Map<string, Bucket>();
  let isFilled = false;

  function leftOf(worker: string, { perMinute, burst }: PaceLimit, atMs: number): number {
    const bucket = buckets.get(worker);
    if (!bucket) return burst;
    const elapsed = Math.max(0, atMs - bucket.atMs);
    return Math.min(burst, bucket.left + (elapsed * perMinute) / MINUTE_MS);
  }

  function take(worker: string, limit: PaceLimit, at: string): void {
    const atMs = Date.parse(at);
    const left = Math.max(0, leftOf(worker, limit, atMs) - 1);
    buckets.set(worker, { left, atMs });
    if (buckets.size <= BUCKETS_MAX) return;
    for (const each of [...buckets.keys()]) if (leftOf(each, limit, atMs) >= limit.burst) buckets.delete(each);
  }

  /** A restart must not hand out a full bucket to who has just emptied it. */
  function fill(limit: PaceLimit, at: string): void {
    isFilled = true;
    const since = new Date(Date.parse(at) - MINUTE_MS).toISOString();
    for (const row of lastMinute(sqlite, since)) take(row.actor, limit, row.at);
  }

  return {
    allows(worker, limit, at) {
      if (!isFilled) fill(limit, at);
      return leftOf(worker, limit, Date.parse(at)) >= 1;
    },
    take,
  };
}

function lastMinute(sqlite: Database.Database, since: string): { actor: string; at: string }[] {
  const rows = sqlite
    .prepare(
      `SELECT j.actor AS actor, j.at AS at
       FROM (SELECT seq, actor, at, type FROM journal ORDER BY seq DESC LIMIT ${READ_MAX}) j
       JOIN workers w ON w.id = j.actor AND w.kind = 'ai'
       WHERE j.type = 'EventPublished' AND j.at >= ? AND NOT EXISTS (SELECT 1 FROM held_events h WHERE h.seq = j.seq)
       ORDER BY j.seq`,
    )
    .all(since);
  return rows as { actor: string; at: string }[];
}
