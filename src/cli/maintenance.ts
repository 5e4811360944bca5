// What a daemon does now and then: forgets what has had its time, and keeps the write-ahead log small.
import { statSync } from 'node:fs';
import { pruneAgentSessions } from '../store/agent-sessions.ts';
import { createAttachmentErasure, UNUSED_HOURS } from '../store/attachments.ts';
import type { Db } from '../store/database.ts';
import { emptyWal } from '../store/erasure.ts';
import { createIdempotency, IDEMPOTENCY_DAYS } from '../store/idempotency.ts';
import type { Journal } from '../store/journal.ts';
import type { Settings } from '../store/settings.ts';
import type { Tokens } from '../store/tokens.ts';
import { pruneTranscripts } from '../store/transcripts.ts';

/** Deletes what is older than it is kept, at most so many rows. @returns how many; 0 when there are no more */
export type Prune = (now: Date, most: number) => number;

export type MaintenanceDeps = {
  db: Db;
  tokens: Tokens;
  settings: Pick<Settings, 'get'>;
  journal: Pick<Journal, 'commit'>;
  /** Further tables with a time of their own. */
  prunes?: Prune[];
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

export const MAINTENANCE_FIRST_MS = 60_000;
export const MAINTENANCE_EVERY_MS = 600_000;
export const WAL_LOOK_MS = 15_000;
/** Tokens that ended are kept this long, so that people can see what was. */
const TOKEN_DAYS = 30;
/** A conversation that was quiet for so long begins anew. */
const SESSION_DAYS = 30;
/** Rows deleted in one turn of the event loop. */
const SLICE = 1_000;
const MIB = 1_048_576;
/** From here on the write-ahead log is cut at the next look. With no reader in its way it is begun anew long before. */
const WAL_CUT = 32 * MIB;
/** What it never exceeds, unless another program reads the database and does not end. */
export const WAL_MAX = 64 * MIB;
/** Files may be large. */
const FILES = 1;

/** @returns what stops it */
export function startMaintenance(deps: MaintenanceDeps): () => void {
  let stopped = false;
  let cancelRound = deps.after(MAINTENANCE_FIRST_MS, round);
  const watchWal = createWalWatch(deps);
  let cancelWal = deps.after(WAL_LOOK_MS, lookAtWal);

  function round(): void {
    maintain(deps, () => stopped)
      .catch((error: unknown) => {
        if (!stopped) deps.onFailure(error);
      })
      .finally(() => {
        if (!stopped) cancelRound = deps.after(MAINTENANCE_EVERY_MS, round);
      });
  }

  function lookAtWal(): void {
    cancelWal = deps.after(WAL_LOOK_MS, lookAtWal);
    try {
      watchWal();
    } catch (error) {
      deps.onFailure(error);
    }
  }

  return () => {
    stopped = true;
    cancelRound();
    cancelWal();
  };
}

async function maintain(
  { db, tokens, settings, prunes = [], now }: MaintenanceDeps,
  isStopped: () => boolean,
): Promise<void> {
  const before = (days: number) => new Date(now().getTime() - days * 86_400_000).toISOString();
  const idempotency = createIdempotency(db.sqlite);
  const attachments = createAttachmentErasure(db.sqlite);
  const all: Prune[] = [
    () => attachments.prune(before(UNUSED_HOURS / 24), FILES),
    (_, most) => idempotency.prune(before(IDEMPOTENCY_DAYS), most),
    (_, most) => pruneTranscripts(db, before(settings.get('retention.transcript_days')), most),
    ...prunes,
  ];
  for (const prune of all) {
    while (!isStopped() && prune(now(), SLICE) > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (isStopped()) return;
  tokens.prune(before(TOKEN_DAYS));
  pruneAgentSessions(db, before(SESSION_DAYS));
  db.sqlite.pragma('wal_checkpoint(PASSIVE)');
}

/** Cuts a log that has grown; a reader that keeps it from being cut is never waited for, but people are told, once. */
function createWalWatch({ db: { sqlite }, journal, onFailure }: MaintenanceDeps): () => void {
  let isTold = false;
  return () => {
    if (walBytes(sqlite.name) > WAL_CUT) emptyWal(sqlite);
    const bytes = walBytes(sqlite.name);
    if (bytes <= WAL_MAX) isTold = bytes > WAL_CUT && isTold;
    else if (!isTold) {
      isTold = true;
      journal.commit('system', { type: 'PostNotice', ...walNotice(sqlite.name, bytes) }).catch(onFailure);
    }
  };
}

const walNotice = (file: string, bytes: number) => ({
  subject: 'Another program keeps the database from being tidied',
  body:
    `Some other program reads ${file} and does not end, so the write-ahead log beside it has grown to ` +
    `${Math.round(bytes / MIB)} MiB and grows on. Nothing is lost, but the disk fills up: end that program, such as an open ` +
    'sqlite3 shell. The log is cut within seconds after.',
});

function walBytes(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
