import { triggers } from '../domain/evolve.ts';
import type { Entry } from '../store/entries.ts';
import type { ToolContext } from './define-tool.ts';
import { outboundOf, outboundWarnings } from './outbound.ts';

/** Beyond this many subscribers the figure is an upper bound: counting exactly would cost more than publishing. */
const EXACT_MAX = 100;
const NAMED_MAX = 20;

/** What publishing on a Stream will lead to, so that the caller does not have to guess or to wait. */
export function foresee(context: ToolContext, streamId: string, entries: readonly Entry[]) {
  const { caller, journal, settings } = context;
  const { org } = journal;
  const subscribers = org.subscriptions.get(streamId) ?? new Map();
  const held = entries.map(({ event }) => event).find((event) => event.type === 'EventHeld');
  const workers: string[] = [];
  const warnings: string[] = [];
  if (triggers(org, streamId) && !held) {
    for (const workerId of subscribers.keys()) {
      const worker = org.workers.get(workerId);
      if (worker?.kind === 'ai' && workerId !== caller.workerId) workers.push(workerId);
      if (workers.length >= EXACT_MAX) break;
    }
  }
  const outbound = outboundOf(entries);
  if (subscribers.size === 0 && outbound === null) warnings.push('Nobody listens to this Stream.');
  if (held)
    warnings.push(
      held.limit === 'pace'
        ? `Held for a while: you publish faster than ${settings.get('dispatch.publish_per_minute')} Events a minute. It goes on by itself; do not publish it again.`
        : `Held: it is more than ${settings.get('dispatch.max_hops')} Workers away from its cause, so it wakes nobody${outbound === null ? '' : ' and does not leave'} until a person releases it.`,
    );
  if (org.paused) warnings.push('The org is paused; nobody is woken and nothing leaves until it is resumed.');
  warnings.push(...outboundWarnings(context, streamId, entries));
  const count = workers.length < EXACT_MAX ? workers.length : subscribers.size;
  return {
    subscribers: subscribers.size,
    activates: { count, workers: workers.slice(0, NAMED_MAX) },
    outbound,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}
