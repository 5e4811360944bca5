// How much ran: what rates and daily caps are measured by. Counted in the table of activations, so a restart forgets nothing.
import type { Db } from './database.ts';

export type RunCounts = {
  /** Activations begun at or after the given time, of one Worker or of all. */
  since(workerId: string | null, at: string): number;
  /** When the n-th of them, counted from 0, began. */
  nthSince(workerId: string | null, at: string, n: number): string | undefined;
  /** US dollars: what agents reported, and for each run without a report the given sum. */
  costSince(workerId: string | null, at: string, unknown: number): number;
  ofRoot(root: number): number;
};

export function createRunCounts({ sqlite }: Db): RunCounts {
  const cost = "total(coalesce(json_extract(usage, '$.costUsd'), @unknown))";
  const forWorker = 'FROM activations WHERE worker = @worker AND started_at >= @at';
  const forAll = 'FROM activations WHERE started_at >= @at';
  const prepared = (from: string) => ({
    count: sqlite.prepare(`SELECT count(*) ${from}`).pluck(),
    nth: sqlite.prepare(`SELECT started_at ${from} ORDER BY started_at LIMIT 1 OFFSET @n`).pluck(),
    cost: sqlite.prepare(`SELECT ${cost} ${from}`).pluck(),
  });
  const [worker, all] = [prepared(forWorker), prepared(forAll)];
  const root = sqlite.prepare('SELECT count(*) FROM activations WHERE root = ?').pluck();
  const pick = (workerId: string | null) =>
    workerId === null ? { statements: all, args: {} } : { statements: worker, args: { worker: workerId } };
  return {
    since(workerId, at) {
      const { statements, args } = pick(workerId);
      return statements.count.get({ ...args, at }) as number;
    },
    nthSince(workerId, at, n) {
      const { statements, args } = pick(workerId);
      return statements.nth.get({ ...args, at, n }) as string | undefined;
    },
    costSince(workerId, at, unknown) {
      const { statements, args } = pick(workerId);
      return statements.cost.get({ ...args, at, unknown }) as number;
    },
    ofRoot: (seq) => root.get(seq) as number,
  };
}
