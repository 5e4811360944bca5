// The last line of a card: "woke w-sam → mail sent 12:04 · $0.03", or why nobody woke. A fixed number of reads for each Event.
import type { Org } from '../../domain/org.ts';
import type { DeliveryRow } from '../../store/deliveries.ts';
import type { EventView } from '../../store/event-reader.ts';
import type { WakeStatus } from '../../store/event-status.ts';
import type { OutcomeRun } from '../../store/outcomes.ts';
import type { Queries } from '../../store/queries.ts';
import type { Outcome } from './event-card.ts';
import { activationHref, eventHref, workerHref } from './links.ts';
import type { Part } from './sentences.ts';
import { clip, count, moment, money } from './shown.ts';

export type OutcomeDeps = {
  journal: { org: Org };
  queries: Pick<Queries, 'outcomes' | 'eventStatus' | 'deliveriesOf' | 'eventAt' | 'asideOf'>;
};

type Clause = { parts: Part[]; state: Outcome['state'] };

/** Workers whose runs are told one by one. */
const RUNS_TOLD = 3;
const PUBLISHED_TOLD = 3;
/** Listeners looked at when nobody ran. */
const LISTENERS_SEEN = 6;

/** @param mayRead what was published elsewhere is told of to those who may read it */
export function outcomeOf(
  deps: OutcomeDeps,
  view: EventView,
  mayRead: (streamId: string) => boolean,
): Outcome | undefined {
  const { org } = deps.journal;
  const stream = org.streams.get(view.streamId);
  if (!stream || stream.purpose === 'transcript' || stream.purpose === 'chat') return undefined;
  const { outcomes } = deps.queries;
  const clauses: Clause[] = deps.queries.deliveriesOf(view.seq).slice(0, RUNS_TOLD).map(toldDelivery);
  const held = outcomes.held(view.seq);
  const runs = outcomes.runs(view.seq, 20);
  if (held?.state === 'held') clauses.push({ parts: [{ text: `held: ${clip(held.reason, 200)}` }], state: 'warm' });
  if (runs.length > 0) clauses.push(...toldRuns(deps, view, runs, mayRead), ...stillWaiting(deps, view, runs));
  else if (held?.state !== 'held') clauses.push(...whyNobody(deps, view, clauses.length > 0));
  return joined(clauses);
}

function joined(clauses: Clause[]): Outcome | undefined {
  if (clauses.length === 0) return undefined;
  const parts = clauses.flatMap(({ parts: each }, index) => (index === 0 ? each : [{ text: ' · ' }, ...each]));
  const worst = RANK.find((state) => clauses.some((clause) => clause.state === state));
  return { parts, state: worst ?? 'quiet' };
}

const RANK = ['bad', 'warm', 'running', 'good', 'quiet'] as const;

const NOUNS: Record<string, string> = { email: 'mail', webhook: 'request' };

/** Where one way out stands. */
export function toldDelivery({ kind, recipient, state, reason, at, nextAt, lastError, attempts }: DeliveryRow): Clause {
  const what = `${NOUNS[kind] ?? kind}${recipient === null ? '' : ` to ${recipient}`}`;
  const told = (text: string, how: Outcome['state']): Clause => ({ parts: [{ text: `${what} ${text}` }], state: how });
  switch (state) {
    case 'delivered':
      return told(`sent ${moment(at).text}`, 'good');
    case 'queued':
      return attempts > 0
        ? told(
            `not sent yet, ${count(attempts, 'attempt')}: ${clip(lastError ?? '', 120)}${nextAt ? `; next ${moment(nextAt).text}` : ''}`,
            'warm',
          )
        : told('on its way', 'running');
    case 'paused':
    case 'stopped':
      return told(`waits: ${reason}`, 'warm');
    case 'held':
      return told('held until somebody releases it', 'warm');
    case 'dead':
      return told(`could not be sent: ${clip(reason, 200)}`, 'bad');
    case 'discarded':
      return told('discarded', 'quiet');
  }
}

function toldRuns(
  deps: OutcomeDeps,
  view: EventView,
  runs: OutcomeRun[],
  mayRead: (streamId: string) => boolean,
): Clause[] {
  // Of each Worker the last attempt counts.
  const latest = [...new Map(runs.map((run) => [run.worker, run])).values()];
  const aside = new Map(deps.queries.asideOf(view.seq).map((row) => [row.worker, row]));
  const clauses = latest.slice(0, RUNS_TOLD).map((run) => {
    const told = toldRun(deps, run, mayRead);
    const isParked = aside.get(run.worker)?.state === 'parked';
    const rest: Part[] = isParked ? [...told.rest, { text: ', parked' }] : told.rest;
    return {
      who: { text: run.worker, href: activationHref(run.id) },
      rest,
      state: isParked ? ('bad' as const) : told.state,
    };
  });
  // Several to whom the same happened are told together.
  const groups = [...Map.groupBy(clauses, ({ rest, state }) => JSON.stringify([rest, state])).values()];
  const told = groups.flatMap((group): Clause[] => {
    const [first] = group;
    const names = group.flatMap(({ who }, index): Part[] => (index === 0 ? [who] : [{ text: ', ' }, who]));
    return first ? [{ parts: [{ text: 'woke ' }, ...names, ...first.rest], state: first.state }] : [];
  });
  const more = latest.length - clauses.length;
  if (more > 0) told.push({ parts: [{ text: `and ${more >= 17 ? 'many' : more} more` }], state: 'quiet' });
  const cost = runs.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
  if (cost > 0) told.push({ parts: [{ text: money(cost) }], state: 'quiet' });
  return told;
}

/** What follows after "woke w-sam". */
function toldRun(
  deps: OutcomeDeps,
  run: OutcomeRun,
  mayRead: (streamId: string) => boolean,
): { rest: Part[]; state: Outcome['state'] } {
  switch (run.state) {
    case 'running':
      return { rest: [{ text: `, at work since ${moment(run.startedAt).text}` }], state: 'running' };
    case 'done':
      return {
        rest: [{ text: ' → ' }, ...effects(deps, run, mayRead)],
        state: run.published || run.changed ? 'good' : 'quiet',
      };
    case 'failed':
    case 'timed_out':
    case 'lost':
      return { rest: [{ text: ` → failed: ${clip(run.exit ?? run.state, 120)}` }], state: 'bad' };
    case 'interrupted':
      return { rest: [{ text: ' → interrupted' }], state: 'warm' };
  }
}

/** What a run left behind, in a few words. */
export function effects(
  deps: OutcomeDeps,
  run: OutcomeRun,
  mayRead: (streamId: string) => boolean,
  most = PUBLISHED_TOLD,
): Part[] {
  if (!run.published && !run.changed) return [{ text: 'nothing said, nothing changed' }];
  const parts: Part[] = [];
  const add = (...more: Part[]) => parts.push(...(parts.length > 0 ? [{ text: ', ' }] : []), ...more);
  const seqs = run.published ? deps.queries.outcomes.publishedBy(run, most) : [];
  for (const seq of seqs) {
    const event = deps.queries.eventAt(seq);
    if (!event || !mayRead(event.streamId)) continue;
    const [delivery] = deps.queries.deliveriesOf(seq);
    const text = delivery
      ? toldDelivery(delivery)
          .parts.map((part) => part.text)
          .join('')
      : whereSaid(deps.journal.org, event);
    add({ text, href: eventHref(event.streamId, event.id) });
  }
  const untold = (run.published ?? 0) - parts.filter(({ href }) => href).length;
  if (untold > 0) add({ text: count(untold, parts.length > 0 ? 'more Event' : 'Event') });
  if (run.changed) add({ text: count(run.changed, 'change') });
  return parts;
}

function whereSaid(org: Org, { streamId, source }: EventView): string {
  const stream = org.streams.get(streamId);
  if (stream?.purpose !== 'dm') return `said on ${streamId}`;
  return `wrote to ${stream.members.find((id) => id !== source) ?? streamId}`;
}

/** Listeners by what keeps them from running; nobody has run. */
function whyNobody(deps: OutcomeDeps, view: EventView, leaves: boolean): Clause[] {
  const event = { seq: view.seq, stream: view.streamId, publisher: view.source };
  const { eventStatus } = deps.queries;
  const rows = eventStatus.page(event, '', LISTENERS_SEEN);
  if (rows.length === 0) return leaves ? [] : [{ parts: [{ text: 'nobody listened' }], state: 'quiet' }];
  if (view.quiet !== undefined) return [{ parts: [{ text: `woke nobody: ${clip(view.quiet, 160)}` }], state: 'quiet' }];
  const groups = [...Map.groupBy(rows, ({ state, reason }) => `${state}\n${reason}`).values()];
  const waking = groups.filter(([row]) => row && !PASSIVE.has(row.state));
  const told = (waking.length > 0 ? waking : groups.filter(([row]) => row?.state !== 'skipped')).map((group) =>
    toldGroup(group, leaves),
  );
  const total = rows.length < LISTENERS_SEEN ? rows.length : eventStatus.total(event);
  if (total > rows.length)
    told.push({ parts: [{ text: `and ${total - rows.length} more who listen` }], state: 'quiet' });
  if (told.length > 0) return told;
  return leaves ? [] : [{ parts: [{ text: 'nobody else listened' }], state: 'quiet' }];
}

const WAITING: ReadonlySet<string> = new Set(['queued', 'held', 'expired']);

/** Listeners whose turn has not come, although others have run. */
function stillWaiting({ queries }: OutcomeDeps, view: EventView, runs: OutcomeRun[]): Clause[] {
  const event = { seq: view.seq, stream: view.streamId, publisher: view.source };
  const ran = new Set(runs.map(({ worker }) => worker));
  const rows = queries.eventStatus.page(event, '', LISTENERS_SEEN);
  const waiting = rows.filter(({ workerId, state }) => WAITING.has(state) && !ran.has(workerId));
  return [...Map.groupBy(waiting, ({ state, reason }) => `${state}\n${reason}`).values()].map((group) =>
    toldGroup(group, false),
  );
}

const PASSIVE: ReadonlySet<string> = new Set(['skipped', 'read_only']);

function toldGroup(rows: WakeStatus[], leaves: boolean): Clause {
  const names = rows.flatMap(({ workerId }, index): Part[] => [
    ...(index > 0 ? [{ text: ', ' }] : []),
    { text: workerId, href: workerHref(workerId) },
  ]);
  const { state, reason = '' } = rows[0] ?? {};
  const because = clip(reason, 160);
  switch (state) {
    case 'read_only':
      return {
        parts: [{ text: leaves ? 'read by ' : 'woke nobody; read by ' }, ...names, { text: ' when they look' }],
        state: 'quiet',
      };
    case 'queued':
      return {
        parts: [
          { text: 'waits for ' },
          ...names,
          ...(because === 'waits for its turn' ? [] : [{ text: `: ${because}` }]),
        ],
        state: 'warm',
      };
    case 'in_activation':
    case 'handled':
      return { parts: [{ text: 'woke ' }, ...names], state: 'running' };
    case 'held':
      return { parts: [{ text: 'held for ' }, ...names, { text: `: ${because}` }], state: 'warm' };
    case 'parked':
      return { parts: [{ text: 'parked for ' }, ...names, { text: `: ${because}` }], state: 'bad' };
    case 'filtered':
      return { parts: [{ text: 'did not wake ' }, ...names, { text: `: ${because}` }], state: 'quiet' };
    case 'expired':
      return { parts: [{ text: 'expired for ' }, ...names, { text: `: ${because}` }], state: 'warm' };
    case 'dropped':
    case 'redacted':
    case 'skipped':
    case undefined:
      return { parts: [{ text: 'did not wake ' }, ...names, { text: `: ${because}` }], state: 'quiet' };
  }
}
