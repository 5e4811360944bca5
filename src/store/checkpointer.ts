// Keeps the write-ahead log short without holding up the event loop: the connection that commits would write it back itself,
// every thousand pages, which takes 5 to 15 ms. A thread does so instead; there is one only while much is written.
//
// The thread begins at PAGES. What is committed meanwhile stays behind, so the log would only ever grow: from RESTART_PAGES
// on, the little that is left is written back here, between two commits, and the next commit begins the log anew. At
// LIMIT_PAGES SQLite does all of it by itself, should the thread fail.
import type Database from 'better-sqlite3';
import { type CheckpointThread, startCheckpointThread } from './checkpoint-thread.ts';
import { emptyWal } from './erasure.ts';
import type { Journal } from './journal.ts';

/** Pages (4 KiB) in the log that the database does not have yet. */
const PAGES = 1_000;
/** Pages in the log altogether: 12 and 24 MiB. */
const RESTART_PAGES = 3_000;
const LIMIT_PAGES = 6_000;
const IDLE_MS = 10_000;
/** After a failure, as on a full disk. */
const RETRY_MS = 1_000;

export type CheckpointerDeps = {
  sqlite: Database.Database;
  journal: Pick<Journal, 'onCommit'>;
  onFailure(error: unknown): void;
  startThread?(file: string): CheckpointThread;
};

/** Looks after every commit. @returns what stops it; the database may be closed when that resolves */
export function startCheckpointer(deps: CheckpointerDeps): () => Promise<void> {
  const { sqlite, journal, onFailure, startThread = startCheckpointThread } = deps;
  if (sqlite.memory) return async () => {};
  sqlite.pragma(`wal_autocheckpoint = ${LIMIT_PAGES}`);
  const state = sqlite.prepare('PRAGMA wal_checkpoint(NOOP)');
  const lengths = () => state.get() as { log: number; checkpointed: number };
  let thread: CheckpointThread | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;
  let walHoldsErased = false;
  let isOver = false;
  let ending: Promise<void> = Promise.resolve();

  const unlisten = journal.onCommit((entries) => {
    // While the thread is at it, the journal cannot empty the log of what was erased.
    walHoldsErased ||= isBusy && entries.some(({ event }) => event.type === 'EventRedacted');
    if (isBusy) return;
    const { log, checkpointed } = lengths();
    if (log - checkpointed >= PAGES) void writeBack();
  });

  async function writeBack(): Promise<void> {
    isBusy = true;
    clearTimeout(timer);
    thread ??= startThread(sqlite.name);
    try {
      await thread.checkpoint();
      if (isOver) return;
      if (walHoldsErased) walHoldsErased = !emptyWal(sqlite);
      if (lengths().log >= RESTART_PAGES) sqlite.pragma('wal_checkpoint(PASSIVE)');
      isBusy = false;
      timer = setTimeout(dropThread, IDLE_MS).unref();
    } catch (error) {
      dropThread();
      if (isOver) return;
      onFailure(error);
      timer = setTimeout(goOn, RETRY_MS).unref();
    }
  }

  function goOn(): void {
    isBusy = false;
  }

  function dropThread(): void {
    ending = thread?.close() ?? ending;
    thread = undefined;
  }

  return async () => {
    isOver = true;
    unlisten();
    clearTimeout(timer);
    dropThread();
    await ending;
  };
}
