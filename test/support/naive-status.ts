// What became of each Event for each AI Worker that listened, worked out from the journal alone, from its beginning.
import { passes, type SubscriptionFilter } from '../../src/domain/filter.ts';
import { decodeMessage } from '../../src/domain/message.ts';
import type { Entry } from '../../src/store/entries.ts';
import type { WakeState } from '../../src/store/event-status.ts';

type Pair = {
  /** `pending` until something happens to it; `again` in a batch that comes again, `let_go` after it was set aside. */
  is: 'pending' | 'again' | 'handled' | 'let_go' | 'held' | 'parked' | 'dropped' | 'expired';
  wasShown: boolean;
};

/** State of every pair (Event on a Stream that wakes, AI Worker that listened), keyed `seq worker`. */
export function naiveStatuses(journal: Entry[]): Map<string, WakeState> {
  const facts = collect(journal);
  const states = new Map<string, WakeState>();
  for (const entry of journal) {
    const { event, seq } = entry;
    if (event.type !== 'EventPublished') continue;
    for (const { worker, from, to, filter, stream } of facts.intervals) {
      if (stream !== event.streamId || from >= seq || seq > to || facts.kinds.get(worker) !== 'ai') continue;
      states.set(`${seq} ${worker}`, stateOf(facts, entry, worker, filter));
    }
  }
  return states;
}

type Interval = { worker: string; stream: string; from: number; to: number; filter: SubscriptionFilter | null };
type Facts = ReturnType<typeof collect>;

function stateOf(facts: Facts, entry: Entry, worker: string, filter: SubscriptionFilter | null): WakeState {
  const { seq, stream, actor } = entry;
  if (actor === worker) return 'skipped';
  const purpose = facts.purposes.get(stream!)!;
  if (!['open', 'dm'].includes(purpose) || actor === 'system') return 'skipped';
  const pair = facts.pairs.get(`${seq} ${worker}`) ?? { is: 'pending', wasShown: false };
  if (facts.running.get(worker)?.includes(seq)) return 'in_activation';
  if (['held', 'parked', 'dropped', 'expired'].includes(pair.is)) return pair.is as WakeState;
  const heldAs = facts.heldEvents.get(seq);
  if (heldAs === 'held') return 'held';
  if (heldAs === 'discarded') return 'dropped';
  if (entry.event.type === 'EventPublished' && entry.event.quiet !== undefined) return 'filtered';
  const waits = pair.is === 'again' || pair.is === 'let_go';
  const message = decodeMessage(entry.content.find(({ name }) => name === 'message')?.bytes ?? new Uint8Array()) ?? {};
  if (!pair.wasShown && !waits && filter && !passes(filter, message)) return 'filtered';
  if (pair.is === 'handled') return 'handled';
  if (!waits && (facts.checkpoints.get(worker) ?? 0) >= seq) return 'dropped';
  if (!waits && heldAs === 'released') return 'dropped';
  if (facts.fired.has(worker) || facts.deleted.has(stream!)) return 'dropped';
  if (!waits && facts.redacted.has(seq)) return 'redacted';
  const stopped = facts.holds.size > 0 && [...facts.holds.values()].some((whom) => whom === null || whom === worker);
  const isPaused = facts.orgPaused || facts.paused.has(worker);
  return stopped && !isPaused ? 'held' : 'queued';
}

function collect(journal: Entry[]) {
  const facts = {
    intervals: [] as Interval[],
    kinds: new Map<string, string>(),
    purposes: new Map<string, string>(),
    streamOf: new Map<number, string>(),
    pairs: new Map<string, Pair>(),
    heldEvents: new Map<number, 'held' | 'released' | 'discarded'>(),
    checkpoints: new Map<string, number>(),
    redacted: new Set<number>(),
    fired: new Set<string>(),
    deleted: new Set<string>(),
    paused: new Set<string>(),
    holds: new Map<string, string | null>(),
    /** What Workers are shown now. */
    running: new Map<string, number[]>(),
    orgPaused: false,
  };
  const open = new Map<string, number[]>();
  const pairOf = (worker: string, seq: number): Pair =>
    facts.pairs.get(`${seq} ${worker}`) ?? { is: 'pending', wasShown: false };
  const set = (worker: string, seqs: readonly number[], is: Pair['is'], only?: Pair['is']) => {
    for (const seq of seqs) {
      const before = pairOf(worker, seq);
      if (only === undefined || before.is === only) facts.pairs.set(`${seq} ${worker}`, { ...before, is });
    }
  };
  for (const { event, seq } of journal) {
    switch (event.type) {
      case 'StreamCreated':
        facts.purposes.set(event.streamId, event.purpose);
        break;
      case 'StreamDeleted':
        facts.deleted.add(event.streamId);
        for (const [key, pair] of facts.pairs) {
          const [trigger, worker] = key.split(' ') as [string, string];
          if (facts.streamOf.get(Number(trigger)) !== event.streamId) continue;
          if (['held', 'parked', 'let_go'].includes(pair.is)) set(worker, [Number(trigger)], 'dropped');
        }
        break;
      case 'EventPublished':
        facts.streamOf.set(seq, event.streamId);
        break;
      case 'EventHeld':
        facts.heldEvents.set(event.event, 'held');
        break;
      case 'EventReleased':
        facts.heldEvents.set(event.event, 'released');
        for (const worker of event.workers) set(worker, [event.event], 'let_go');
        break;
      case 'EventDiscarded':
        facts.heldEvents.set(event.event, 'discarded');
        break;
      case 'EventRedacted':
        for (const erased of [event.event, ...event.alsoErased]) facts.redacted.add(erased);
        break;
      case 'WorkerHired':
        facts.kinds.set(event.workerId, event.kind);
        facts.checkpoints.set(event.workerId, seq - 1);
        break;
      case 'WorkerFired':
        facts.fired.add(event.workerId);
        for (const [key, pair] of facts.pairs) {
          const [trigger, worker] = key.split(' ') as [string, string];
          const isAside = ['held', 'parked', 'dropped', 'expired', 'let_go'].includes(pair.is);
          if (worker === event.workerId && isAside) set(worker, [Number(trigger)], 'dropped');
        }
        open.delete(event.workerId);
        facts.paused.delete(event.workerId);
        for (const [hold, whom] of facts.holds) if (whom === event.workerId) facts.holds.delete(hold);
        break;
      case 'WorkerPaused':
        facts.paused.add(event.workerId);
        break;
      case 'WorkerResumed':
        facts.paused.delete(event.workerId);
        break;
      case 'OrgPaused':
      case 'OrgResumed':
        facts.orgPaused = event.type === 'OrgPaused';
        break;
      case 'WorkHeld':
        facts.holds.set(event.hold, event.workerId);
        break;
      case 'WorkResumed':
        facts.holds.delete(event.hold);
        break;
      case 'WorkerSubscribed':
        facts.intervals.push({
          worker: event.workerId,
          stream: event.streamId,
          from: seq,
          to: Number.POSITIVE_INFINITY,
          filter: event.filter,
        });
        break;
      case 'WorkerUnsubscribed':
        for (const interval of facts.intervals) {
          const isIt = interval.worker === event.workerId && interval.stream === event.streamId;
          if (isIt && interval.to > seq) interval.to = seq;
        }
        break;
      case 'ActivationStarted':
        facts.running.set(event.workerId, event.triggers);
        for (const trigger of event.triggers) {
          const before = pairOf(event.workerId, trigger);
          facts.pairs.set(`${trigger} ${event.workerId}`, { ...before, wasShown: true });
        }
        break;
      case 'ActivationEnded': {
        const { workerId, settled, parked, open: batch } = event;
        const shown = facts.running.get(workerId) ?? [];
        facts.running.delete(workerId);
        if (!facts.fired.has(workerId)) {
          facts.checkpoints.set(workerId, Math.max(facts.checkpoints.get(workerId) ?? 0, event.throughSeq));
        }
        set(workerId, open.get(workerId) ?? [], 'pending', 'again');
        open.delete(workerId);
        if (event.outcome === 'done') set(workerId, shown, 'handled', 'pending');
        // What was set aside meanwhile stays so.
        for (const is of ['pending', 'again', 'let_go'] as const) set(workerId, settled, 'handled', is);
        set(workerId, parked, 'parked');
        if (!batch || facts.fired.has(workerId)) break;
        set(workerId, batch.triggers, 'again', 'pending');
        open.set(workerId, batch.triggers);
        break;
      }
      case 'TriggersHeld':
        set(event.workerId, event.triggers, 'held');
        break;
      case 'TriggersRequeued':
        set(event.workerId, event.triggers, 'let_go');
        break;
      case 'TriggersDropped':
        set(event.workerId, event.triggers, 'dropped');
        break;
      case 'TriggersExpired':
        set(event.workerId, event.triggers, 'expired');
        break;
      default:
        break; // Nothing else bears on what became of an Event.
    }
  }
  return facts;
}
