// What on Streams waits for somebody: held, parked, could not leave. Each with what can be done about it.
import type { DeliveryRow } from '../../store/deliveries.ts';
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import { eventHref, streamHref } from './links.ts';
import { clip, moment } from './shown.ts';
import type { Visit } from './visit.ts';

export type NeedsDeps = {
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'outboundAttention' | 'setAside' | 'eventAt' | 'outcomes'>;
};

/** A tool that settles it, as a button. */
export type Act = { tool: 'release' | 'retry' | 'discard'; label: string; id: string; workerId: string };

export type Need = {
  key: string;
  href: string;
  what: string;
  about: string;
  reason: string;
  when: ReturnType<typeof moment> | undefined;
  isBad: boolean;
  acts: Act[];
};

const SHOWN_MAX = 6;
const LOOKED_AT_MAX = 100;

const act = (visit: Visit, tool: Act['tool'], label: string, id: string, workerId = ''): Act[] =>
  visit.holds(tool) ? [{ tool, label, id, workerId }] : [];

/** What may be done about one Event. */
export function actsOn(
  visit: Visit,
  id: string,
  may: { mayRelease: boolean; mayRetry: boolean; mayDiscard: boolean },
): Act[] {
  return [
    ...(may.mayRelease ? act(visit, 'release', 'Release', id) : []),
    ...(may.mayRetry ? act(visit, 'retry', 'Try again', id) : []),
    ...(may.mayDiscard ? act(visit, 'discard', 'Discard', id) : []),
  ];
}

/** The first few, of one Stream or of all. `more` are on the page of what needs attention. */
export function needsOf(deps: NeedsDeps, visit: Visit, streamId?: string): { needs: Need[]; more: number } {
  const isMeant = (id: string) => (streamId === undefined || id === streamId) && visit.mayRead(id);
  const all = [
    ...stopped(deps, visit, isMeant),
    ...heldEvents(deps, visit, isMeant),
    ...outbound(deps, visit, isMeant),
    ...aside(deps, visit, isMeant),
  ];
  return { needs: all.slice(0, SHOWN_MAX), more: Math.max(0, all.length - SHOWN_MAX) };
}

/** How much of each Stream waits for somebody. */
export function needsByStream(
  deps: Pick<NeedsDeps, 'journal'> & { queries: Pick<Queries, 'outboundAttention'> },
  visit: Visit,
): Map<string, number> {
  const { org } = deps.journal;
  const counts = new Map<string, number>();
  const add = (id: string) => visit.mayRead(id) && counts.set(id, (counts.get(id) ?? 0) + 1);
  const paced = pacedEvents(deps);
  for (const [seq, { streamId }] of org.heldEvents) if (!paced.has(seq)) add(streamId);
  const seen = new Set<number>();
  for (const { seq, stream } of deps.queries.outboundAttention(LOOKED_AT_MAX)) {
    if (!seen.has(seq)) add(stream);
    seen.add(seq);
  }
  return counts;
}

type Filter = (streamId: string) => boolean;

function stopped({ journal }: NeedsDeps, visit: Visit, isMeant: Filter): Need[] {
  return [...journal.org.streams].flatMap(([id, { sendingStopped, deletedAt }]): Need[] => {
    if (sendingStopped === null || deletedAt !== null || !isMeant(id)) return [];
    const acts = act(visit, 'retry', 'Send again', id);
    return [
      {
        key: id,
        href: streamHref(id),
        what: `Nothing leaves ${id}`,
        about: '',
        reason: sendingStopped,
        when: undefined,
        isBad: true,
        acts,
      },
    ];
  });
}

/** Held for their publisher's speed: they go on by themselves. */
const pacedEvents = ({ journal }: Pick<NeedsDeps, 'journal'>): Set<number> =>
  new Set([...journal.org.paced.values()].flatMap((seqs) => [...seqs]));

function heldEvents(deps: NeedsDeps, visit: Visit, isMeant: Filter): Need[] {
  const paced = pacedEvents(deps);
  const held = [...deps.journal.org.heldEvents].filter(([seq, { streamId }]) => !paced.has(seq) && isMeant(streamId));
  return held.slice(0, LOOKED_AT_MAX).flatMap(([seq, { publisher }]) => {
    const reason = deps.queries.outcomes.held(seq)?.reason ?? '';
    const acts = (id: string) => [...act(visit, 'release', 'Release', id), ...act(visit, 'discard', 'Discard', id)];
    return needOf(deps, seq, { what: `An Event of ${publisher} is held`, reason, isBad: false, acts });
  });
}

function outbound(deps: NeedsDeps, visit: Visit, isMeant: Filter): Need[] {
  const rows = deps.queries.outboundAttention(LOOKED_AT_MAX).filter(({ stream }) => isMeant(stream));
  const firsts = [...new Map(rows.map((row) => [`${row.seq} ${row.state}`, row] as const)).values()];
  return firsts.flatMap((row) => {
    const acts = (id: string) => [
      ...(row.state === 'dead' ? act(visit, 'retry', 'Send again', id) : act(visit, 'release', 'Release', id)),
      ...act(visit, 'discard', 'Discard', id),
    ];
    return needOf(deps, row.seq, { ...sayOutbound(row), acts });
  });
}

function sayOutbound({ kind, worker, state, reason }: DeliveryRow): { what: string; reason: string; isBad: boolean } {
  const noun = kind === 'email' ? 'mail' : 'message';
  return state === 'dead'
    ? { what: `A ${noun} of ${worker} could not be sent`, reason, isBad: true }
    : { what: `A ${noun} of ${worker} waits for your word before it leaves`, reason: '', isBad: false };
}

/** Work of Workers that came from an Event. */
function aside(deps: NeedsDeps, visit: Visit, isMeant: Filter): Need[] {
  const rows = (['parked', 'held'] as const).flatMap((state) => deps.queries.setAside(state, LOOKED_AT_MAX));
  return rows.flatMap(({ worker, seq, state, reason }) => {
    const event = deps.queries.eventAt(seq);
    if (!event || !isMeant(event.streamId)) return [];
    const isParked = state === 'parked';
    const acts = (id: string) => [
      ...(isParked ? act(visit, 'retry', 'Retry', id, worker) : act(visit, 'release', 'Release', id, worker)),
      ...act(visit, 'discard', 'Discard', id, worker),
    ];
    const what = isParked ? `${worker} could not deal with it` : `Held for ${worker}`;
    return needOf(deps, seq, { what, reason, isBad: isParked, acts, key: worker });
  });
}

function needOf(
  { queries }: NeedsDeps,
  seq: number,
  need: Pick<Need, 'what' | 'reason' | 'isBad'> & { acts(id: string): Act[]; key?: string },
): Need[] {
  const event = queries.eventAt(seq);
  if (!event) return [];
  const { what, reason, isBad, acts, key = '' } = need;
  const about = clip(event.message?.subject || event.body.trim().split('\n')[0] || '', 90);
  return [
    {
      key: `${seq}${key}`,
      href: eventHref(event.streamId, event.id),
      what: `${what}, on ${event.streamId}`,
      about,
      reason: clip(reason, 240),
      when: moment(event.createdAt),
      isBad,
      acts: acts(event.id),
    },
  ];
}
