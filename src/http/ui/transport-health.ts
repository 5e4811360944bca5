// How Streams that reach outside are doing: what last came in, what last left, and what does not.
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import type { TransportInfo } from '../../tools/define-tool.ts';
import { streamHref } from './links.ts';
import { clip, type Moment, moment } from './shown.ts';
import type { Visit } from './visit.ts';

export type HealthDeps = {
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'outboundHealth' | 'outcomes'>;
  transportInfos: ReadonlyMap<string, TransportInfo>;
};

export type Health = {
  id: string;
  name: string;
  href: string;
  kind: string;
  lastIn: Moment | undefined;
  /** Undefined for kinds that do not send. */
  out: { last: Moment | undefined; waiting: string } | undefined;
  state: 'good' | 'warm' | 'bad';
  says: string;
};

const SHOWN_MAX = 60;

export function healthOfAll(deps: HealthDeps, visit: Visit): Health[] {
  const ids = [...deps.journal.org.streams].flatMap(([id, { transport, deletedAt }]) =>
    transport.kind !== 'local' && deletedAt === null && visit.mayRead(id) ? [id] : [],
  );
  return ids.slice(0, SHOWN_MAX).flatMap((id) => healthOf(deps, id) ?? []);
}

/** Undefined for a Stream that reaches nowhere. */
export function healthOf({ journal, queries, transportInfos }: HealthDeps, id: string): Health | undefined {
  const stream = journal.org.streams.get(id);
  const { queued, held, dead, lastDeliveredAt, lastFailure } = queries.outboundHealth(id);
  const hasSent = queued + held + dead > 0 || lastDeliveredAt !== null;
  if (!stream || (stream.transport.kind === 'local' && !hasSent)) return undefined;
  const { kind } = stream.transport;
  const at = queries.outcomes.lastInboundAt(id);
  const waiting = [
    queued > 0 ? `${queued} on the way` : '',
    held > 0 ? `${held} held` : '',
    dead > 0 ? `${dead} dead` : '',
  ];
  const sends = hasSent || transportInfos.get(kind)?.way !== undefined;
  return {
    id,
    name: stream.name,
    href: streamHref(id),
    kind,
    lastIn: at === undefined ? undefined : moment(at),
    out: sends
      ? {
          last: lastDeliveredAt === null ? undefined : moment(lastDeliveredAt),
          waiting: waiting.filter(Boolean).join(', '),
        }
      : undefined,
    ...stateOf(stream.sendingStopped, lastFailure, dead),
  };
}

function stateOf(
  stopped: string | null,
  failure: { at: string | null; reason: string } | null,
  dead: number,
): Pick<Health, 'state' | 'says'> {
  if (stopped !== null) return { state: 'bad', says: `sending stopped: ${clip(stopped, 160)}` };
  if (failure && failure.at === null) return { state: 'warm', says: `tries again: ${clip(failure.reason, 160)}` };
  if (failure && dead > 0)
    return { state: 'bad', says: `failed ${moment(failure.at ?? '').text}: ${clip(failure.reason, 160)}` };
  return { state: 'good', says: 'in order' };
}
