// What waits for a Worker, worked out the slow and simple way: by going through the whole journal from its beginning.
import { passes, type SubscriptionFilter } from '../../src/domain/filter.ts';
import { decodeMessage } from '../../src/domain/message.ts';
import type { Entry } from '../../src/store/entries.ts';

type Interval = { stream: string; from: number; to: number; filter: SubscriptionFilter | null };

/** seqs in order, the open batch aside; undefined for one who was fired. */
export function naivePending(workerId: string, journal: Entry[]): number[] | undefined {
  const intervals: Interval[] = [];
  const silent = new Set<string>();
  const events: Entry[] = [];
  const wakes: number[] = [];
  const nobody = new Set<number>();
  const aside = new Map<number, 'away' | 'requeued'>();
  const streamOf = new Map<number, string>();
  let checkpoint = 0;
  let fired = true;
  for (const entry of journal) {
    const { event, seq } = entry;
    if (event.type === 'StreamCreated' && !['open', 'dm'].includes(event.purpose)) silent.add(event.streamId);
    if (event.type === 'StreamDeleted') {
      silent.add(event.streamId);
      for (const [trigger] of aside) if (streamOf.get(trigger) === event.streamId) aside.set(trigger, 'away');
    }
    if (event.type === 'EventPublished') {
      events.push(entry);
      if (event.quiet !== undefined) nobody.add(seq);
      streamOf.set(seq, event.streamId);
    }
    if (event.type === 'EventHeld') nobody.add(event.event);
    if (event.type === 'EventRedacted') for (const erased of [event.event, ...event.alsoErased]) nobody.add(erased);
    if (event.type === 'EventReleased' && event.workers.includes(workerId)) aside.set(event.event, 'requeued');
    if (!('workerId' in event) || event.workerId !== workerId) continue;
    switch (event.type) {
      case 'WorkerHired':
        fired = false;
        checkpoint = seq - 1;
        if (event.kind === 'ai') wakes.push(seq);
        break;
      case 'WorkerFired':
        fired = true;
        break;
      case 'ActivationRequested':
        wakes.push(seq);
        break;
      case 'WorkerSubscribed':
        intervals.push({ stream: event.streamId, from: seq, to: Number.POSITIVE_INFINITY, filter: event.filter });
        break;
      case 'WorkerUnsubscribed':
        for (const interval of intervals)
          if (interval.stream === event.streamId && interval.to > seq) interval.to = seq;
        break;
      case 'ActivationEnded':
        if (!fired) checkpoint = Math.max(checkpoint, event.throughSeq);
        for (const trigger of event.settled) if (aside.get(trigger) === 'requeued') aside.delete(trigger);
        for (const trigger of event.parked) aside.set(trigger, 'away');
        break;
      case 'TriggersHeld':
      case 'TriggersDropped':
      case 'TriggersExpired':
        for (const trigger of event.triggers) aside.set(trigger, 'away');
        break;
      case 'TriggersRequeued':
        for (const trigger of event.triggers) aside.set(trigger, 'requeued');
        break;
      default:
        break; // Nothing else bears on what waits.
    }
  }
  if (fired) return undefined;
  const heard = events.filter(({ seq, actor, stream, content }) => {
    if (
      actor === workerId ||
      actor === 'system' ||
      seq <= checkpoint ||
      nobody.has(seq) ||
      aside.has(seq) ||
      silent.has(stream ?? '')
    )
      return false;
    const message = decodeMessage(content.find(({ name }) => name === 'message')?.bytes ?? new Uint8Array()) ?? {};
    return intervals.some(
      ({ stream: on, from, to, filter }) =>
        on === stream && from < seq && seq <= to && (!filter || passes(filter, message)),
    );
  });
  const requeued = [...aside].flatMap(([seq, state]) => (state === 'requeued' ? [seq] : []));
  const woken = wakes.filter((seq) => seq > checkpoint && !aside.has(seq));
  return [...new Set([...heard.map(({ seq }) => seq), ...requeued, ...woken])].sort((a, b) => a - b);
}
