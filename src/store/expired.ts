// What has expired and nobody was told of yet.
import type { Db } from './database.ts';

export type Expired = {
  /** Per Worker, and the newest entry that says so. */
  untold(): { through: number; workers: { workerId: string; count: number }[] };
  told(through: number): void;
};

const NAME = 'expired_told';

export function createExpired({ sqlite }: Db): Expired {
  const rows = sqlite.prepare(
    `SELECT worker AS workerId, count(*) AS count, max(entry_seq) AS through FROM set_aside
     WHERE state = 'expired' AND entry_seq > coalesce((SELECT value FROM counters WHERE name = '${NAME}'), 0)
     GROUP BY worker ORDER BY count DESC, worker`,
  );
  const tell = sqlite.prepare(
    `INSERT INTO counters VALUES ('${NAME}', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  );
  return {
    untold() {
      const found = rows.all() as { workerId: string; count: number; through: number }[];
      const through = Math.max(0, ...found.map((row) => row.through));
      return { through, workers: found.map(({ workerId, count }) => ({ workerId, count })) };
    },
    told: (through) => void tell.run(through),
  };
}
