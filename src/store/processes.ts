// Which agent processes run, so that a daemon that starts finds what the last one left behind.
import type { Db } from './database.ts';
import { eq } from './drizzle.ts';
import { processes } from './schema.ts';

export type ProcessRow = typeof processes.$inferSelect;

export type Processes = {
  remember(process: ProcessRow): void;
  forget(activationId: string): void;
  list(): ProcessRow[];
};

export function createProcesses({ orm }: Db): Processes {
  return {
    remember: (row) => void orm.insert(processes).values(row).onConflictDoNothing().run(),
    forget: (activationId) => void orm.delete(processes).where(eq(processes.activationId, activationId)).run(),
    list: () => orm.select().from(processes).all(),
  };
}
