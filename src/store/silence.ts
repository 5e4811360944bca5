// Activations that said and changed nothing: what better filters or Role texts would save.
import type { SubscriptionFilter } from '../domain/filter.ts';
import type { Db } from './database.ts';

/** Of the runs that ended well and were woken by a Stream through a Subscription: how many there were, and how many were silent. */
export type SilentShare = {
  workerId: string;
  streamId: string;
  filter: SubscriptionFilter | null;
  runs: number;
  silent: number;
};

export type SilentShares = (since: string, workerId?: string) => SilentShare[];

const sharesSql = (ofWorker: string) => `
  SELECT a.worker AS workerId, j.stream AS streamId, s.filter AS filter, count(DISTINCT a.seq) AS runs,
         count(DISTINCT iif(a.published = 0 AND a.changed = 0, a.seq, NULL)) AS silent
  FROM activations a JOIN json_each(a.triggers) t JOIN journal j ON j.seq = t.value
  LEFT JOIN subscriptions s ON s.worker = a.worker AND s.stream = j.stream AND s.from_seq < j.seq
    AND (s.to_seq IS NULL OR s.to_seq >= j.seq)
  WHERE ${ofWorker} a.started_at >= @since AND a.state = 'done' AND j.stream IS NOT NULL
  GROUP BY a.worker, j.stream, s.filter ORDER BY silent DESC, runs DESC, a.worker, j.stream`;

export function createSilentShares({ sqlite }: Db): SilentShares {
  return (since, workerId) => {
    // Asked seldom, and of a stretch of time.
    const rows = sqlite
      .prepare(sharesSql(workerId === undefined ? '' : 'a.worker = @worker AND'))
      .all(workerId === undefined ? { since } : { since, worker: workerId });
    return (rows as (Omit<SilentShare, 'filter'> & { filter: string | null })[]).map(({ filter, ...row }) => ({
      ...row,
      filter: filter === null ? null : (JSON.parse(filter) as SubscriptionFilter),
    }));
  };
}
