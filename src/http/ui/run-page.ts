// /ui/activations: who works and who waits, what ended and how; and each run by itself.
import { activationStreamId } from '../../domain/ids.ts';
import type { Journal } from '../../store/journal.ts';
import type { ActivationRow, Queries } from '../../store/queries.ts';
import type { RunState } from '../../store/run-pages.ts';
import type { Ui } from './kit.ts';
import { activationHref, streamHref, workerHref } from './links.ts';
import { runDetail, runLines } from './run-detail.ts';
import { clip, count, moment, money, span, startOfToday } from './shown.ts';
import { silentPage } from './silent-page.ts';
import { triggerWords } from './trigger-words.ts';
import type { Visit } from './visit.ts';

export type RunPageDeps = {
  journal: Pick<Journal, 'org' | 'lastSeq'>;
  queries: Queries;
  stateOf(workerId: string): string;
  waitingOf(workerId: string): number;
};

const PAGE = 40;
/** An open list grows no longer than this by itself. */
const GROWN_MAX = 200;
const WAITING_SHOWN = 60;

const FAILED: RunState[] = ['failed', 'timed_out', 'interrupted', 'lost'];
const ENDED: Record<string, RunState[]> = { '': ['done', ...FAILED], failed: FAILED, done: ['done'] };
const VIEWS = [
  { id: '', name: 'All' },
  { id: 'running', name: 'Running' },
  { id: 'waiting', name: 'Waiting' },
  { id: 'failed', name: 'Failed' },
  { id: 'done', name: 'Done' },
];

export function runPages(ui: Ui, deps: RunPageDeps): void {
  ui.page('/activations', (visit) => {
    const state = VIEWS.find(({ id }) => id === visit.param('state'))?.id ?? '';
    const worker = visit.param('worker').trim();
    const asked = { state, worker, before: Number(visit.param('before')) || 0, from: Number(visit.param('from')) || 0 };
    return {
      title: 'Activations',
      section: 'activations',
      page: 'activations',
      partial: asked.before > 0 ? 'run-rows' : 'run-list',
      topics: ['activations', 'workers'],
      data: listOf(deps, visit, asked),
    };
  });
  silentPage(ui, deps);
  ui.page('/activations/:id', (visit) => runDetail(deps, visit, visit.param('id')));
  ui.page('/activations/:id/state', (visit) => ({
    ...runDetail(deps, visit, visit.param('id')),
    partial: 'run-state',
  }));
  ui.page('/activations/:id/lines', (visit) => runLines(deps, visit, visit.param('id')));
}

type Asked = { state: string; worker: string; before: number; from: number };

function listOf(deps: RunPageDeps, visit: Visit, { state, worker, before, from }: Asked) {
  const { journal, queries } = deps;
  const at = (more: Record<string, string>) => {
    const given = Object.entries({ state, worker, ...more }).filter(([, value]) => value !== '');
    return `/ui/activations${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`;
  };
  const known = readable(deps, visit);
  const workerIds = worker !== '' ? known.filter((id) => id === worker) : visit.isOwner ? undefined : known;
  const states = ENDED[state];
  const limit = from > 0 ? GROWN_MAX : PAGE;
  const found = states
    ? queries.activationPage({
        states,
        ...(workerIds ? { workerIds } : {}),
        ...(before > 0 ? { before } : {}),
        ...(from > 0 ? { from } : {}),
        limit: limit + 1,
      })
    : [];
  const rows = found.slice(0, limit);
  const last = rows.at(-1)?.seq ?? 0;
  const hasOlder = from > 0 ? last > 0 && hasMore(deps, states, workerIds, last) : found.length > limit;
  const isMine = (id: string) => worker === '' || id === worker;
  const today = visit.isOwner && worker === '' ? queries.figuresSince(startOfToday()) : undefined;
  return {
    state,
    worker,
    workers: known.filter((id) => journal.org.workers.get(id)?.firedAt === null || id === worker).sort(),
    views: VIEWS.map((view) => ({ ...view, href: at({ state: view.id }), isCurrent: view.id === state })),
    today: today
      ? {
          runs: count(today.runs, 'run'),
          cost: today.costUsd > 0 ? money(today.costUsd) : '',
          silent: today.silent > 0 ? `${today.silent} silent` : '',
        }
      : undefined,
    running: state === '' || state === 'running' ? runningNow(deps, visit, known.filter(isMine)) : undefined,
    waiting: state === '' || state === 'waiting' ? waitingNow(deps, known.filter(isMine)) : undefined,
    ended: states
      ? {
          rows: rows.map((row) => rowOf(deps, visit, row)),
          older: hasOlder ? at({ before: String(last) }) : '',
          isFirst: before === 0,
        }
      : undefined,
    refresh: at({ from: String(last || journal.lastSeq) }),
    silentHref: `/ui/activations/silent${worker ? `?worker=${encodeURIComponent(worker)}` : ''}`,
  };
}

function hasMore(
  { queries }: RunPageDeps,
  states: RunState[] | undefined,
  workerIds: string[] | undefined,
  before: number,
) {
  const range = { states: states ?? [], before, limit: 1, ...(workerIds ? { workerIds } : {}) };
  return queries.activationPage(range).length > 0;
}

/** AI Workers, also former ones, whose transcripts somebody may read. */
function readable({ journal }: RunPageDeps, visit: Visit): string[] {
  return [...journal.org.workers].flatMap(([id, { kind }]) =>
    kind === 'ai' && visit.mayRead(activationStreamId(id)) ? [id] : [],
  );
}

function runningNow(deps: RunPageDeps, visit: Visit, workerIds: string[]) {
  const mine = new Set(workerIds);
  const runs = deps.queries.runningActivations().filter(({ worker }) => mine.has(worker));
  return runs.sort((a, b) => b.seq - a.seq).map((run) => rowOf(deps, visit, run));
}

function waitingNow({ journal, queries, stateOf, waitingOf }: RunPageDeps, workerIds: string[]) {
  const all = workerIds.flatMap((id) => {
    const state = stateOf(id);
    if (journal.org.workers.get(id)?.firedAt !== null || state === 'running' || state === 'idle') return [];
    const waiting = waitingOf(id);
    if (waiting === 0) return [];
    const [stoppage] = queries.stoppages.current(id);
    return [
      {
        id,
        href: workerHref(id),
        state,
        waiting: count(waiting, 'trigger'),
        why: stoppage ? clip(stoppage.reason, 200) : 'waits for its turn',
      },
    ];
  });
  return { rows: all.slice(0, WAITING_SHOWN), more: Math.max(0, all.length - WAITING_SHOWN) };
}

function rowOf(deps: RunPageDeps, visit: Visit, run: ActivationRow) {
  const words = triggerWords(deps, visit, run.triggers[0] ?? 0, run.worker);
  return {
    ...runWords(run),
    href: activationHref(run.id),
    workerHref: workerHref(run.worker),
    what: words.what,
    more: run.triggers.length - 1,
    stream: words.stream,
    streamHref: words.stream ? streamHref(words.stream) : '',
  };
}

/** What is said of a run wherever it is shown. */
export function runWords(run: ActivationRow) {
  const { costUsd } = JSON.parse(run.usage ?? '{}') as { costUsd?: number };
  const isEnded = run.endedAt !== null;
  return {
    id: run.id,
    worker: run.worker,
    state: run.state,
    stateText: run.state === 'timed_out' ? 'timed out' : run.state,
    started: moment(run.startedAt),
    took: span(run.startedAt, run.endedAt ?? new Date().toISOString()),
    exit: isEnded && run.state !== 'done' ? clip(run.exit ?? '', 200) : '',
    isSilent: run.state === 'done' && run.published === 0 && run.changed === 0,
    cost: costUsd === undefined ? '' : money(costUsd),
    attempt: run.attempt > 1 ? `attempt ${run.attempt}` : '',
  };
}
