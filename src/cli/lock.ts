// One writer per database. The lock is SQLite's own on a file beside it, so the system gives it back however a process ends.
import Database from 'better-sqlite3';

export type Lock = { release(): void };

/**
 * Takes all of these locks or none. Never opens them as plain files: closing one would drop the lock (POSIX).
 * @returns undefined when another process holds one
 */
export function takeLock(files: readonly string[]): Lock | undefined {
  const held: Database.Database[] = [];
  const release = () => {
    for (const each of held) each.close();
  };
  for (const file of files) {
    const lock = new Database(file, { timeout: 0 });
    held.push(lock);
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      release();
      if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined;
      throw error;
    }
  }
  return { release };
}
