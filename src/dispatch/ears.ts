// What each entry of the journal means for who runs: whom it wakes, whom it stops.
import { triggers } from '../domain/evolve.ts';
import type { Entry } from '../store/entries.ts';
import type { Urgency } from '../store/inbox.ts';
import type { Journal } from '../store/journal.ts';
import type { StopReason } from './settle.ts';

export type EarsDeps = {
  journal: Pick<Journal, 'org' | 'onCommit'>;
  /** An Event landed on a Stream whose Events wake its subscribers. */
  landed(streamId: string, by: string, urgent: boolean): void;
  /** A Worker may have something to do; `undefined` when nobody knows how urgent it is. */
  mark(workerId: string, urgency?: Urgency): void;
  markAll(): void;
  stop(workerId: string, reason: StopReason): void;
  stopAll(reason: StopReason): void;
  /** Stops the runs that were shown this entry. */
  stopShown(seq: number, reason: StopReason): void;
  /** The start of a run is in the table of activations. */
  recorded(workerId: string): void;
  /** An Event is held because its author publishes too fast. */
  paced(): void;
  /** Somebody is played by another agent from now on, or by none. */
  agentsChanged(): void;
};

/** @returns what stops listening */
export function listen(deps: EarsDeps): () => void {
  const { journal } = deps;
  const urgencyOf = ({ hops }: Entry): Urgency => (hops === 0 ? 'urgent' : 'ordinary');

  function hear(entry: Entry): void {
    const { event } = entry;
    switch (event.type) {
      case 'EventPublished':
        // What the daemon itself says wakes nobody.
        if (entry.actor !== 'system' && event.quiet === undefined && triggers(journal.org, event.streamId))
          deps.landed(event.streamId, entry.actor, entry.hops === 0);
        return;
      case 'EventHeld':
        if (event.limit === 'pace') deps.paced();
        return;
      case 'WorkerHired':
      case 'ActivationRequested':
        return deps.mark(event.workerId, urgencyOf(entry));
      case 'WorkerUnsubscribed':
        // What landed just before is theirs still, and the walk over the subscribers may not have come to them.
        return deps.mark(event.workerId);
      case 'TriggersRequeued':
        return deps.mark(event.workerId, event.stillLimited ? undefined : 'urgent');
      case 'WorkerResumed':
        return deps.mark(event.workerId, 'urgent');
      case 'EventReleased':
        for (const workerId of event.workers) deps.mark(workerId, event.stillLimited ? undefined : 'urgent');
        return;
      case 'EventRedacted':
        return deps.stopShown(event.event, 'redacted');
      case 'OrgResumed':
        return deps.markAll();
      case 'AgentUpdated':
        return deps.agentsChanged();
      case 'WorkerFired':
        deps.agentsChanged();
        return deps.stop(event.workerId, 'fired');
      case 'WorkerPaused':
        return deps.stop(event.workerId, 'paused');
      case 'OrgPaused':
        return deps.stopAll('paused');
      case 'ActivationStarted':
        return deps.recorded(event.workerId);
      default:
        return; // Nothing else wakes or stops anybody.
    }
  }

  return journal.onCommit((entries) => {
    for (const entry of entries) hear(entry);
  });
}
