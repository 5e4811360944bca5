// What somebody means by an id they hold: ours, or one that a mail client, a provider or GitHub shows.
import type { Queries } from '../store/queries.ts';
import type { TraceReads } from '../store/trace-reads.ts';
import { messageIdsIn } from '../transports/email-threading.ts';

/** Something that can be traced. `entry` is an Event or any other fact of the journal. */
export type Traced =
  | { kind: 'entry'; seq: number }
  | { kind: 'activation'; id: string }
  | { kind: 'delivery'; id: string };

export type FindDeps = {
  queries: Pick<Queries, 'entry' | 'event' | 'activation'>;
  reads: TraceReads;
};

export const MATCHES_MAX = 50;
/** Shorter beginnings of ids are typed by accident. */
const PREFIX = /^a-[0-9a-f-]{4,36}$/;
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** As they stand alone, in a Message-ID of ours, or in the address of a page. */
const OURS = new RegExp(`(?<kind>[ead])-(?<uuid>${UUID})(?:[.-](?<recipient>w-[a-z0-9_-]+))?`);
const ISSUE = /^(?<repository>[\w.-]+\/[\w.-]+)?(?<number>#\d{1,10})$/;

/** Everything that may be meant, newest first, at most {@link MATCHES_MAX}; empty when there is nothing of that name. */
export function find(deps: FindDeps, reference: string): Traced[] {
  const text = reference.trim();
  const own = ownOf(deps, text);
  if (own.length > 0) return own;
  const { reads } = deps;
  const issue = ISSUE.exec(text)?.groups;
  if (issue) return entries(reads.thread(issue.number ?? '', issue.repository ?? null, MATCHES_MAX));
  const names = [...new Set([...(text.includes('<') ? [] : [text]), ...messageIdsIn(text)])];
  const received = names.flatMap((name) => reads.receivedAs(name, MATCHES_MAX));
  if (received.length > 0) return entries(received);
  const sent = new Set(names.flatMap((name) => reads.deliveriesBy(name, MATCHES_MAX)));
  const seqs = new Set(names.flatMap((name) => reads.mentions(name, MATCHES_MAX)));
  const found = [
    ...[...sent].map((id): Traced => ({ kind: 'delivery', id })),
    ...entries([...seqs].sort((a, b) => b - a)),
  ];
  return found.slice(0, MATCHES_MAX);
}

const entries = (seqs: number[]): Traced[] => seqs.map((seq) => ({ kind: 'entry', seq }));

function ownOf({ queries, reads }: FindDeps, text: string): Traced[] {
  if (/^\d{1,15}$/.test(text)) return bySeq({ queries, reads }, Number(text));
  const { kind, uuid, recipient } = OURS.exec(text)?.groups ?? {};
  if (kind === 'a' && uuid && queries.activation(`a-${uuid}`)) return [{ kind: 'activation', id: `a-${uuid}` }];
  if (uuid && (kind === 'd' || recipient)) {
    const id = `d-${uuid}${recipient ? `-${recipient}` : ''}`;
    if (reads.eventOfDelivery(id) !== undefined) return [{ kind: 'delivery', id }];
  }
  const event = uuid && queries.event(`e-${uuid}`);
  if (event) return bySeq({ queries, reads }, event.seq);
  if (!PREFIX.test(text)) return [];
  return reads.activationsLike(text, MATCHES_MAX).map((id) => ({ kind: 'activation', id }));
}

/** A fact about a run or a delivery means that one; a line of a transcript, its run. */
function bySeq({ queries, reads }: FindDeps, seq: number): Traced[] {
  const entry = queries.entry(seq);
  if (entry) return [tracedOf(entry)];
  const activationId = reads.activationOfLine(seq);
  return activationId === undefined ? [] : [{ kind: 'activation', id: activationId }];
}

/** What an entry of the journal is shown as. */
export function tracedOf({ seq, event }: NonNullable<ReturnType<Queries['entry']>>): Traced {
  if ('activationId' in event) return { kind: 'activation', id: event.activationId };
  if ('deliveryId' in event) return { kind: 'delivery', id: event.deliveryId };
  return { kind: 'entry', seq };
}
