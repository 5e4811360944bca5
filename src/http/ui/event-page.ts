// /ui/events/:id: one Event whole, why it happened, cause by cause, and what it led to.
import { Readable } from 'node:stream';
import { notFound } from '../../domain/errors.ts';
import type { EventView } from '../../store/event-reader.ts';
import type { Queries } from '../../store/queries.ts';
import { cardOf } from './event-card.ts';
import { causesOf } from './event-causes.ts';
import { effects, type OutcomeDeps, outcomeOf, toldDelivery } from './event-outcome.ts';
import type { Ui, View } from './kit.ts';
import { activationHref, eventHref, streamHref, workerHref } from './links.ts';
import type { Action } from './matter-actions.ts';
import { clip, moment, money, span } from './shown.ts';
import { actsOn } from './stream-needs.ts';
import type { StreamsPageDeps } from './streams-page.ts';
import type { Visit } from './visit.ts';

const LISTENERS_SHOWN = 100;
const RUNS_MAX = 200;
const PUBLISHED_MAX = 50;

export function eventPages(ui: Ui, deps: StreamsPageDeps): void {
  ui.page('/events/:id', (visit) => eventView(deps, visit));
  ui.raw('/events/:id/files/:part', (visit, reply) => {
    const event = readable(deps, visit);
    const part = visit.param('part');
    const slices = event.redacted ? undefined : deps.queries.fileSlices(event.seq, part);
    if (!slices) throw notFound('This Event has no such file; perhaps it was erased.');
    const name = event.message?.attachments?.find(({ url }) => url === part)?.filename ?? part;
    // Whatever it says it is: it is fetched, never shown under our address.
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeName(name)}`)
      .header('content-security-policy', "default-src 'none'; sandbox; frame-ancestors 'none'")
      .header('cache-control', 'no-store')
      .send(Readable.from(slices));
  });
}

const encodeName = (name: string): string =>
  encodeURIComponent(name.toWellFormed().slice(0, 200)).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** @throws OrgError not_found, also for what the visitor may not read, of which they are told nothing */
function readable({ queries }: { queries: Pick<Queries, 'event'> }, visit: Visit): EventView {
  const id = visit.param('id');
  const event = queries.event(id);
  if (!event || !visit.mayRead(event.streamId)) throw notFound(`There is no Event ${clip(id, 60)} that you may read.`);
  return event;
}

function eventView(deps: StreamsPageDeps, visit: Visit): View {
  const view = readable(deps, visit);
  const { org } = deps.journal;
  const card = cardOf(org, view, { namesStream: false, isBrief: false });
  const entry = deps.queries.entry(view.seq);
  return {
    title: card.subject === '' ? `Event #${view.seq}` : card.subject,
    section: 'streams',
    page: 'event',
    partial: 'event-chain',
    topics: ['activations', 'streams', 'attention'],
    data: {
      card,
      stream: { name: org.streams.get(view.streamId)?.name ?? view.streamId, href: streamHref(view.streamId) },
      url: card.href,
      causes: causesOf(deps, visit, view.seq),
      hops: entry?.hops ?? 0,
      via: entry?.via ?? '',
      outcome: outcomeOf(deps, view, visit.mayRead),
      ...ledTo(deps, visit, view),
      acts: actsFor(deps, visit, view),
      mayRedact: entry !== undefined && !view.redacted && visit.holds('redact_event'),
      answer:
        card.canAnswer && visit.holds('publish')
          ? `${streamHref(view.streamId)}&answer=${encodeURIComponent(view.id)}#send`
          : '',
    },
  };
}

function actsFor(deps: StreamsPageDeps, visit: Visit, view: EventView): Action[] {
  const { queries, journal } = deps;
  const states = new Set(queries.deliveriesOf(view.seq).map(({ state }) => state));
  const aside = new Set(queries.asideOf(view.seq).map(({ state }) => state));
  return actsOn(visit, view.id, {
    mayRelease: journal.org.heldEvents.has(view.seq) || aside.has('held') || states.has('held'),
    mayRetry: aside.has('parked') || states.has('dead'),
    mayDiscard:
      journal.org.heldEvents.has(view.seq) ||
      aside.has('held') ||
      aside.has('parked') ||
      ['held', 'dead', 'queued'].some((state) => states.has(state as 'held')),
  });
}

/** Its own ways out, each Worker who listened with what they made of it, and what else it caused. */
function ledTo(deps: OutcomeDeps & StreamsPageDeps, visit: Visit, view: EventView) {
  const { queries } = deps;
  const event = { seq: view.seq, stream: view.streamId, publisher: view.source };
  const runs = new Map(queries.outcomes.runs(view.seq, RUNS_MAX).map((run) => [run.id, run]));
  const listeners = queries.eventStatus.page(event, visit.param('after'), LISTENERS_SHOWN).map((row) => {
    const run = runs.get(row.activationId ?? '');
    return {
      id: row.workerId,
      href: workerHref(row.workerId),
      state: row.state.replaceAll('_', ' '),
      mark: MARKS[row.state] ?? 'quiet',
      reason: clip(row.reason, 300),
      run: row.activationId && {
        href: activationHref(row.activationId),
        when: run && moment(run.startedAt),
        took: run?.endedAt ? span(run.startedAt, run.endedAt) : '',
        cost: run?.costUsd ? money(run.costUsd) : '',
        effects: run && run.state === 'done' ? effects(deps, run, visit.mayRead, PUBLISHED_MAX) : [],
      },
    };
  });
  const total = queries.eventStatus.total(event);
  const last = listeners.at(-1)?.id;
  return {
    deliveries: queries.deliveriesOf(view.seq).map((row) => {
      const { parts, state } = toldDelivery(row);
      return {
        text: parts.map(({ text }) => text).join(''),
        state,
        attempts: row.attempts,
        messageId: row.messageId ?? '',
        detail: clip(row.detail ?? '', 300),
        lastError: clip(row.lastError ?? '', 300),
      };
    }),
    listeners,
    total,
    next:
      last !== undefined && listeners.length === LISTENERS_SHOWN && total > LISTENERS_SHOWN
        ? `?${new URLSearchParams({ after: last })}`
        : '',
    answers: queries.outcomes.answers(view.seq, PUBLISHED_MAX).flatMap((seq) => {
      const answer = queries.eventAt(seq);
      if (!answer || !visit.mayRead(answer.streamId)) return [];
      return [
        {
          href: eventHref(answer.streamId, answer.id),
          stream: answer.streamId,
          subject: clip(answer.message?.subject || answer.body, 80),
          when: moment(answer.createdAt),
        },
      ];
    }),
  };
}

const MARKS: Record<string, string> = {
  in_activation: 'running',
  handled: 'good',
  queued: 'waiting',
  held: 'held',
  expired: 'warm',
  parked: 'bad',
};
