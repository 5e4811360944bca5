// /ui/activations/silent: which Worker is woken by which Stream for nothing.
import { activationStreamId } from '../../domain/ids.ts';
import type { Queries } from '../../store/queries.ts';
import type { SilentShare } from '../../store/silence.ts';
import type { Ui } from './kit.ts';
import { streamHref, workerHref } from './links.ts';

const DAYS = 7;
const DAY_MS = 86_400_000;
/** Counting a week of a busy org takes a moment, and nobody needs it to the second. */
const KEPT_MS = 60_000;
const ROWS_MAX = 200;

export function silentPage(ui: Ui, { queries }: { queries: Pick<Queries, 'silentShares'> }): void {
  const kept = new Map<string, { at: number; shares: SilentShare[] }>();

  function sharesOf(workerId: string): SilentShare[] {
    const known = kept.get(workerId);
    if (known && performance.now() - known.at < KEPT_MS) return known.shares;
    const since = new Date(Date.now() - DAYS * DAY_MS).toISOString();
    const shares = queries.silentShares(since, workerId === '' ? undefined : workerId);
    if (kept.size >= 100) kept.clear();
    kept.set(workerId, { at: performance.now(), shares });
    return shares;
  }

  ui.page('/activations/silent', (visit) => {
    const worker = visit.param('worker').trim();
    const mayKnow = ({ workerId, streamId }: SilentShare) =>
      visit.mayRead(activationStreamId(workerId)) && visit.mayRead(streamId);
    const all = worker !== '' && !visit.mayRead(activationStreamId(worker)) ? [] : sharesOf(worker).filter(mayKnow);
    return {
      title: 'Silent runs',
      section: 'activations',
      page: 'silent-runs',
      data: {
        worker,
        days: DAYS,
        rows: all.slice(0, ROWS_MAX).map(({ workerId, streamId, filter, runs, silent }) => ({
          worker: workerId,
          workerHref: workerHref(workerId),
          stream: streamId,
          streamHref: streamHref(streamId),
          isFiltered: filter !== null,
          runs,
          silent,
          percent: runs === 0 ? 0 : Math.round((100 * silent) / runs),
        })),
      },
    };
  });
}
