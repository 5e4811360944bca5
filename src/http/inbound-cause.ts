// Where in our own doings an inbound Event began, when an AI Worker caused it and it comes back by way of the outside.
import type { Cause } from '../domain/entry.ts';
import type { Provenance } from '../store/provenance.ts';
import type { Queries } from '../store/queries.ts';
import type { Inbound, Receiver } from '../transports/transport.ts';

export type CauseDeps = {
  queries: Pick<Queries, 'activation' | 'event' | 'entry'>;
  provenance: Provenance;
};

type Asked = { receive: Receiver<unknown>; account: unknown };

/** Reads claims that lead to no mark of ours as if they were not there. Undefined for people and the outside. */
export async function causeOf(
  deps: CauseDeps,
  origin: NonNullable<Inbound['origin']>,
  asked: Asked,
): Promise<Cause | undefined> {
  const { hops: claimed, eventId, reference } = origin;
  const text = origin.mark ?? (reference && (await recall(reference, asked)));
  const mark = text ? deps.provenance.read(text) : undefined;
  const activation = mark && deps.queries.activation(mark.activationId);
  if (activation) return { causedBy: activation.seq, root: activation.root, hops: activation.hops + 1 };
  const event = deps.queries.event(mark?.eventId || (eventId ?? ''));
  const entry = event && deps.queries.entry(event.seq);
  const hops = Math.max(mark?.hops ?? 0, claimed ?? 0, entry?.hops ?? 0);
  if (entry) return { causedBy: entry.seq, root: entry.root, hops: hops + 1 };
  // Another organisation's chain has no entries here; how far it went still counts.
  return claimed === undefined && !mark ? undefined : { causedBy: null, root: null, hops: hops + 1 };
}

/** Whoever cannot be asked now says nothing; the delivery is worth more than its origin. */
async function recall(reference: string, { receive, account }: Asked): Promise<string | undefined> {
  return receive.recall?.(reference, account).catch(() => undefined);
}
