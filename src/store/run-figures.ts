// How many activations there were and what they cost, as far as their agents said.
import type { Db } from './database.ts';

/** `unpriced` runs said nothing about their cost, so `costUsd` is a lower bound. `silent` ones ended well and did nothing. */
export type RunFigures = { runs: number; costUsd: number; unpriced: number; silent: number };

export type RunFiguresReader = {
  /** Of activations that began at or after a time (RFC 3339), of one Worker or of all. */
  figuresSince(since: string, workerId?: string): RunFigures;
};

export function createRunFigures({ sqlite }: Db): RunFiguresReader {
  // Activations begin in the order of their seqs, so the first one that is too old ends the look back.
  const before = sqlite
    .prepare('SELECT seq FROM activations WHERE started_at < ? ORDER BY started_at DESC, seq DESC LIMIT 1')
    .pluck();
  const beforeOf = sqlite
    .prepare(
      'SELECT seq FROM activations WHERE worker = ? AND started_at < ? ORDER BY started_at DESC, seq DESC LIMIT 1',
    )
    .pluck();
  const figures = `SELECT count(*) AS runs, coalesce(sum(json_extract(usage, '$.costUsd')), 0) AS costUsd,
    count(*) - count(json_extract(usage, '$.costUsd')) AS unpriced,
    coalesce(sum(state = 'done' AND published = 0 AND changed = 0), 0) AS silent FROM activations WHERE seq > @after`;
  const all = sqlite.prepare(figures);
  const one = sqlite.prepare(`${figures} AND worker = @workerId`);
  return {
    figuresSince(since, workerId) {
      const last = workerId === undefined ? before.get(since) : beforeOf.get(workerId, since);
      const after = (last as number | undefined) ?? 0;
      return (workerId === undefined ? all.get({ after }) : one.get({ after, workerId })) as RunFigures;
    },
  };
}
