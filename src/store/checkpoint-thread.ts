// A thread with a connection of its own, which does nothing but write the write-ahead log back into the database.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

export type CheckpointThread = {
  /** Writes back what is in the log by now, as far as readers allow. Rejects when it cannot, as on a full disk. */
  checkpoint(): Promise<void>;
  /** Resolves when its connection is closed. */
  close(): Promise<void>;
};

/** What the thread answers: what went wrong, or that nothing did. */
type Answer = { problem?: string };

export function startCheckpointThread(file: string): CheckpointThread {
  const worker = new Worker(new URL(import.meta.url), { workerData: { checkpoints: file } });
  worker.unref();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let failed: Error | undefined;
  worker.on('error', (error: Error) => {
    failed = error;
  });
  return {
    async checkpoint() {
      const { problem } = await new Promise<Answer>((resolve) => {
        worker.once('message', resolve);
        void ended.then(() => resolve({ problem: failed?.message ?? 'the thread ended' }));
        worker.postMessage('checkpoint');
      });
      if (problem !== undefined) throw new Error(`The write-ahead log was not written back: ${problem}`);
    },
    close() {
      worker.ref();
      worker.postMessage('close');
      return ended;
    },
  };
}

function serve(file: string): void {
  const sqlite = new Database(file, { fileMustExist: true });
  sqlite.pragma('synchronous = FULL');
  parentPort?.on('message', (what: 'checkpoint' | 'close') => {
    if (what === 'close') {
      sqlite.close();
      parentPort?.close();
    } else parentPort?.postMessage(answerOf(sqlite));
  });
}

function answerOf(sqlite: Database.Database): Answer {
  try {
    sqlite.pragma('wal_checkpoint(PASSIVE)');
    return {};
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const { checkpoints: file } = (workerData ?? {}) as { checkpoints?: string };
if (!isMainThread && file !== undefined) serve(file);
