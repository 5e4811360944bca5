// Which deliveries were accepted already. Stored in the transaction of the Event, so neither exists without the other.
import type Database from 'better-sqlite3';
import { conflict } from '../domain/errors.ts';

/** Names one delivery of one provider to one Stream. */
export type Once = {
  stream: string;
  provider: string;
  key: string;
  /** SHA-256 of the body, to notice that a key is used again for something else. */
  bodyDigest: Buffer;
  /** A caller's own key used for another body is refused; a provider's is taken for a repeat. */
  refuseOtherBody: boolean;
};

/** How long a delivery is remembered; providers give up long before. */
export const IDEMPOTENCY_DAYS = 7;

const NO_LIMIT = -1;

export function createIdempotency(sqlite: Database.Database) {
  const find = sqlite.prepare('SELECT seq, body_digest FROM idempotency WHERE stream = ? AND provider = ? AND key = ?');
  const insert = sqlite.prepare('INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?)');
  const prune = sqlite.prepare(
    `DELETE FROM idempotency WHERE (stream, provider, key) IN
     (SELECT stream, provider, key FROM idempotency WHERE at < ? ORDER BY at LIMIT ?)`,
  );
  return {
    /** seq of the Event this delivery led to. @throws OrgError conflict on another body under a caller's key */
    find({ stream, provider, key, bodyDigest, refuseOtherBody }: Once): number | undefined {
      const row = find.get(stream, provider, key) as { seq: number; body_digest: Buffer | null } | undefined;
      if (row && refuseOtherBody && row.body_digest && !row.body_digest.equals(bodyDigest)) {
        throw conflict('This idempotency key was used with another body; use a new key for a new delivery.');
      }
      return row?.seq;
    },
    remember({ stream, provider, key, bodyDigest }: Once, seq: number, at: string): void {
      insert.run(stream, provider, key, bodyDigest, seq, at);
    },
    /** Forgets the oldest, at most so many. @returns how many were forgotten */
    prune: (before: string, most = NO_LIMIT): number => prune.run(before, most).changes,
  };
}
