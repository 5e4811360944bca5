// /ui/org: who works now, the chart, and beside it the seat, the Worker or the Role that somebody looks at.
import type { AgentCheck } from '../../domain/agent.ts';
import { activationStreamId, OWNER } from '../../domain/ids.ts';
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import type { Settings } from '../../store/settings.ts';
import type { ToolDoor } from '../../tools/call-tool.ts';
import { roleTitle } from '../../tools/role-text.ts';
import { checklistOf } from './checklist.ts';
import { firedDetail } from './fired-detail.ts';
import type { Ui, View } from './kit.ts';
import { activationHref, roleHref, workerHref } from './links.ts';
import { chartOf } from './org-chart.ts';
import { positionDetail, roleDetail } from './seat-detail.ts';
import { count, moment, money, span, startOfToday } from './shown.ts';
import { type StarterDeps, startersFor } from './starters.ts';
import type { Visit } from './visit.ts';
import { workerDetail } from './worker-detail.ts';

export type OrgPageDeps = Pick<StarterDeps, 'transportInfos'> & {
  journal: Pick<Journal, 'org'>;
  queries: Queries;
  settings: Settings;
  door: ToolDoor;
  stateOf(workerId: string): string;
  waitingOf(workerId: string): number;
  folderOf(workerId: string): string;
  checkAgent(): Promise<AgentCheck>;
  /** Under which the outside reaches this daemon. */
  publicUrl(): string;
};

/** What is shown beside the chart. */
type Detail = { partial: string; data: object; title: string; at: string };

const RUNNING_SHOWN = 12;

export function orgPages(ui: Ui, deps: OrgPageDeps): void {
  const { queries, journal } = deps;

  ui.page('/org', async (visit) => orgView(visit));
  ui.page('/org/chart', async (visit) => ({ ...(await orgView(visit)), partial: 'org-chart' }));
  ui.page('/org/now', async (visit) => ({ ...(await orgView(visit)), partial: 'org-now' }));
  ui.page('/org/start', async (visit) => ({ ...(await orgView(visit)), partial: 'org-start' }));
  ui.page('/org/workers/:id', (visit) => {
    const worker = queries.worker(visit.param('id'));
    const hasLeft = worker !== undefined && worker.firedAt !== null;
    return orgView(visit, hasLeft ? firedDetail(deps, visit, worker) : workerDetail(deps, visit, visit.param('id')));
  });
  ui.page('/org/workers/:id/now', async (visit) => {
    const view = await orgView(visit, workerDetail(deps, visit, visit.param('id')));
    return { ...view, partial: 'worker-now' };
  });
  ui.page('/org/positions/:id', (visit) => orgView(visit, positionDetail(deps, visit, visit.param('id'))));
  ui.page('/org/roles/:id', (visit) => orgView(visit, roleDetail(deps, visit, visit.param('id'))));

  async function orgView(visit: Visit, detail?: Detail): Promise<View> {
    if (visit.isFragment && detail)
      return { title: detail.title, page: 'org', partial: detail.partial, data: detail.data };
    const fold = visit.param('fold');
    const search = visit.param('q');
    const at = detail?.at ?? visit.param('at');
    const chart = chartOf(deps, { search, ...(fold === '' ? {} : { folded: fold === 'none' ? [] : fold.split(',') }) });
    const isEmpty = queries.workers().length === 1 && chart.total === 1;
    return {
      title: detail?.title ?? 'Org',
      section: 'org',
      page: 'org',
      partial: 'org-chart',
      topics: ['org', 'workers'],
      data: {
        chart,
        chartUrl: `/ui/org/chart?${new URLSearchParams({ ...(fold ? { fold } : {}), ...(search ? { q: search } : {}), at })}`,
        at,
        keep: search === '' ? '' : `&q=${encodeURIComponent(search)}`,
        now: nowOf(deps, visit),
        start: isEmpty ? { checklist: await checklistOf(deps), starters: startersFor(deps, visit) } : undefined,
        unused: unusedRoles(),
        detail,
        ...detail?.data,
      },
    };
  }

  /** Roles that nobody sits in, which the chart does not show. */
  function unusedRoles() {
    const used = new Set([...journal.org.positions.values()].map(({ roleId }) => roleId));
    return queries
      .roles()
      .filter(({ id }) => !used.has(id))
      .map(({ id, content }) => ({ id, title: roleTitle(content), href: roleHref(id) }));
  }
}

/** Who works now, and what today came to. */
function nowOf({ queries }: OrgPageDeps, visit: Visit) {
  const running = queries.runningActivations().filter(({ worker }) => visit.mayRead(activationStreamId(worker)));
  const now = new Date().toISOString();
  const { runs, costUsd, unpriced, silent } = queries.figuresSince(startOfToday());
  return {
    running: running.slice(0, RUNNING_SHOWN).map(({ id, worker, startedAt }) => ({
      worker,
      href: workerHref(worker),
      run: activationHref(id),
      started: moment(startedAt),
      since: span(startedAt, now),
    })),
    more: Math.max(0, running.length - RUNNING_SHOWN),
    runs: count(runs, 'run'),
    cost: visit.workerId === OWNER ? money(costUsd) : '',
    unpriced:
      unpriced > 0 && runs > 0
        ? `${unpriced === runs ? 'no run' : `${runs - unpriced} of them`} said what it cost`
        : '',
    silent,
  };
}
