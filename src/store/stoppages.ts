// When work stood still for a Worker, and what stops it now.
import type { Db } from './database.ts';
import { LASTS, ofKind, PAUSED, WHOLE_ORG } from './projections/holds.ts';

export type Stoppage = { scope: string; hold: string; reason: string };

export type Stoppages = {
  /** Milliseconds between two times in which the Worker could not have run: paused, or held by a limit or a broken agent. */
  stoppedMs(workerId: string, from: string, to: string): number;
  /** What stops the Worker now; pauses first. */
  current(workerId: string): Stoppage[];
};

export function createStoppages({ sqlite }: Db): Stoppages {
  const within = sqlite.prepare(
    'SELECT from_at AS "from", to_at AS "to" FROM stoppages WHERE scope IN (?, ?, ?) AND to_at > ?',
  );
  const lasting = sqlite.prepare(
    `SELECT scope, hold, reason FROM stoppages WHERE scope IN (?, ?, ?) AND to_at = '${LASTS}'`,
  );
  const kind = sqlite.prepare("SELECT json_extract(agent, '$.kind') FROM workers WHERE id = ?").pluck();
  /** As the Worker is now: how it was played at the time is not looked up. */
  const scopesOf = (workerId: string) => [
    workerId,
    WHOLE_ORG,
    ofKind((kind.get(workerId) as string | null | undefined) ?? ''),
  ];
  return {
    stoppedMs(workerId, from, to) {
      const rows = within.all(...scopesOf(workerId), from) as { from: string; to: string }[];
      rows.sort((a, b) => (a.from < b.from ? -1 : 1));
      let stopped = 0;
      let reached = Date.parse(from);
      const end = Date.parse(to);
      for (const row of rows) {
        const begin = Math.max(reached, Date.parse(row.from));
        const until = Math.min(end, Date.parse(row.to));
        if (until <= begin) continue;
        stopped += until - begin;
        reached = until;
      }
      return stopped;
    },
    current(workerId) {
      const rows = lasting.all(...scopesOf(workerId)) as Stoppage[];
      return [...rows.filter(isPause), ...rows.filter((row) => !isPause(row))];
    },
  };
}

export const isPause = ({ hold }: Stoppage): boolean => hold === PAUSED;
