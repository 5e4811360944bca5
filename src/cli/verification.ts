// `verify` reads the whole journal, which takes seconds for a million entries; so a daemon has it done in a thread of its own.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { Db } from '../store/database.ts';
import { drizzle } from '../store/drizzle.ts';
import { type Verification, verifyJournal } from '../store/verify.ts';
import { MEMORY } from './data-dir.ts';

/** @param db used where no other connection can read the same data */
export function verifyBeside(file: string, db: Db): Promise<Verification> {
  if (file === MEMORY) return Promise.resolve(verifyJournal(db));
  const thread = new Worker(new URL(import.meta.url), { workerData: { verify: file } });
  return new Promise((resolve, reject) => {
    thread.once('message', resolve).once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the verification ended early, with ${code}`)));
  });
}

function verifyFile(file: string): Verification {
  const sqlite = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return verifyJournal({ sqlite, orm: drizzle({ client: sqlite }) });
  } finally {
    sqlite.close();
  }
}

if (!isMainThread && (workerData as { verify?: string } | null)?.verify) {
  parentPort?.postMessage(verifyFile((workerData as { verify: string }).verify));
}
