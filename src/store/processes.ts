// Which agent processes run, so that a daemon that starts finds what the last one left behind.
import type { Db } from './database.ts';
import { processes } from './schema.ts';

export type ProcessRow = typeof processes.$inferSelect;

export type Processes = {
  remember(process: ProcessRow): void;
  forget(activationId: string): void;
  list(): ProcessRow[];
};

export function createProcesses({ sqlite, orm }: Db): Processes {
  // Prepared once, since somebody waits for a run's first word while its process is written down.
  const insert = sqlite.prepare(
    `INSERT INTO processes (activation_id, worker, pid, started_at) VALUES (@activationId, @worker, @pid, @startedAt)
     ON CONFLICT DO NOTHING`,
  );
  const remove = sqlite.prepare('DELETE FROM processes WHERE activation_id = ?');
  return {
    remember: (row) => void insert.run(row),
    forget: (activationId) => void remove.run(activationId),
    list: () => orm.select().from(processes).all(),
  };
}
