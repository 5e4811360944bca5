// What a daemon does now and then: forgets what has had its time, and keeps the write-ahead log small.
import { statSync } from 'node:fs';
import { pruneAgentSessions } from '../store/agent-sessions.ts';
import type { Db } from '../store/database.ts';
import { createIdempotency, IDEMPOTENCY_DAYS } from '../store/idempotency.ts';
import type { Tokens } from '../store/tokens.ts';
import { pruneTranscripts } from '../store/transcripts.ts';

export type MaintenanceDeps = {
  db: Db;
  tokens: Tokens;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

export const MAINTENANCE_FIRST_MS = 60_000;
export const MAINTENANCE_EVERY_MS = 600_000;
const TRANSCRIPT_DAYS = 30;
/** Tokens that ended are kept this long, so that people can see what was. */
const TOKEN_DAYS = 30;
/** A conversation that was quiet for so long begins anew. */
const SESSION_DAYS = 30;
/** Rows deleted in one turn of the event loop. */
const SLICE = 1_000;
const WAL_BYTES = 48 * 1_048_576;

/** @returns what stops it */
export function startMaintenance(deps: MaintenanceDeps): () => void {
  let stopped = false;
  let cancel = deps.after(MAINTENANCE_FIRST_MS, round);
  function round(): void {
    maintain(deps, () => stopped)
      .catch((error: unknown) => {
        if (!stopped) deps.onFailure(error);
      })
      .finally(() => {
        if (!stopped) cancel = deps.after(MAINTENANCE_EVERY_MS, round);
      });
  }
  return () => {
    stopped = true;
    cancel();
  };
}

async function maintain({ db, tokens, now }: MaintenanceDeps, isStopped: () => boolean): Promise<void> {
  const before = (days: number) => new Date(now().getTime() - days * 86_400_000).toISOString();
  const idempotency = createIdempotency(db.sqlite);
  const prunes = [
    () => idempotency.prune(before(IDEMPOTENCY_DAYS), SLICE),
    () => pruneTranscripts(db, before(TRANSCRIPT_DAYS), SLICE),
  ];
  for (const prune of prunes) {
    while (!isStopped() && prune() > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (isStopped()) return;
  tokens.prune(before(TOKEN_DAYS));
  pruneAgentSessions(db, before(SESSION_DAYS));
  checkpoint(db);
}

/** Readers are never waited for: they would hold up the event loop. */
function checkpoint({ sqlite }: Db): void {
  sqlite.pragma('wal_checkpoint(PASSIVE)');
  if (walBytes(sqlite.name) <= WAL_BYTES) return;
  const patience = sqlite.pragma('busy_timeout', { simple: true });
  sqlite.pragma('busy_timeout = 0');
  sqlite.pragma('wal_checkpoint(TRUNCATE)');
  sqlite.pragma(`busy_timeout = ${patience}`);
}

function walBytes(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
