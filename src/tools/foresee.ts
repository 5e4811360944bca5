import { triggers } from '../domain/evolve.ts';
import { passes } from '../domain/filter.ts';
import { type Message, messageOf } from '../domain/message.ts';
import type { Org } from '../domain/org.ts';
import type { Entry } from '../store/entries.ts';
import type { ToolContext } from './define-tool.ts';
import { outboundOf, outboundWarnings, stayingWarnings } from './outbound.ts';

/** Beyond this many subscribers the figure is an upper bound: counting exactly would cost more than publishing. */
const EXACT_MAX = 100;
const NAMED_MAX = 20;

const NOBODY = 'Nobody listens to this Stream.';
const PAUSED = 'The org is paused; nobody is woken and nothing leaves until it is resumed.';

/** What publishing on a Stream will lead to, so that the caller does not have to guess or to wait. */
export function foresee(context: ToolContext, streamId: string, entries: readonly Entry[]) {
  const { caller, journal, settings } = context;
  const { org } = journal;
  const held = entries.map(({ event }) => event).find((event) => event.type === 'EventHeld');
  const [content = []] = entries.flatMap(({ event }) => (event.type === 'EventPublished' ? [event.content] : []));
  const warnings: string[] = [];
  const { subscribers, wakes, isPartial } = wokenBy(org, streamId, caller.workerId, messageOf(content));
  const workers = held ? [] : wakes;
  const outbound = outboundOf(entries);
  if (subscribers === 0 && outbound === null) warnings.push(NOBODY);
  if (held)
    warnings.push(
      held.limit === 'pace'
        ? `Held for a while: you publish faster than ${settings.get('dispatch.publish_per_minute')} Events a minute. It goes on by itself; do not publish it again.`
        : `Held: it is more than ${settings.get('dispatch.max_hops')} Workers away from its cause, so it wakes nobody${outbound === null ? '' : ' and does not leave'} until a person releases it.`,
    );
  if (org.paused) warnings.push(PAUSED);
  warnings.push(...outboundWarnings(context, streamId, entries));
  const count = isPartial && !held ? subscribers : workers.length;
  return {
    subscribers,
    activates: { count, workers: workers.slice(0, NAMED_MAX) },
    outbound,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

/** What a person's Message would lead to, before it is sent: as {@link foresee}, with those whose filters keep it out. */
export function foreseeMessage(
  context: Pick<ToolContext, 'journal' | 'transports'>,
  streamId: string,
  publisher: string,
  message: Message,
) {
  const { org } = context.journal;
  const { transport, hold } = org.streams.get(streamId) ?? {};
  const woken = wokenBy(org, streamId, publisher, message);
  const way = transport && context.transports.get(transport.kind)?.way?.(message, transport.config);
  const leaves = way !== undefined && 'lane' in way;
  const outbound = leaves ? (hold ? ('held' as const) : ('queued' as const)) : null;
  const warnings: string[] = [];
  if (woken.subscribers === 0 && !leaves) warnings.push(NOBODY);
  if (org.paused) warnings.push(PAUSED);
  warnings.push(...stayingWarnings(context, streamId, message, leaves));
  return { ...woken, wakes: woken.wakes.slice(0, NAMED_MAX), outbound, warnings };
}

/** Those who listen, whom of them a Message wakes, and whose filters keep it out; `isPartial` beyond {@link EXACT_MAX}. */
function wokenBy(org: Org, streamId: string, publisher: string, message: Message) {
  const subscriptions = org.subscriptions.get(streamId) ?? new Map();
  const wakes: string[] = [];
  const keptOut: string[] = [];
  let isPartial = false;
  if (triggers(org, streamId)) {
    for (const [workerId, { filter }] of subscriptions) {
      if (org.workers.get(workerId)?.kind !== 'ai' || workerId === publisher) continue;
      (filter === null || passes(filter, message) ? wakes : keptOut).push(workerId);
      isPartial = wakes.length + keptOut.length >= EXACT_MAX;
      if (isPartial) break;
    }
  }
  return { subscribers: subscriptions.size, wakes, keptOut, isPartial };
}
