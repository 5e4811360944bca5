// What a fact changes on pages: the names of what they listen to.
import { NOTICES } from '../../domain/ids.ts';
import type { DomainEvent } from '../../domain/org.ts';

/**
 * `org` (seats, Workers, Roles, grants), `workers` (what they are doing and what waits), `frame` (paused, what needs a
 * person), `attention`, `activations`, `streams`, `journal`; `stream:<id>`, `transcript:<Worker id>` and `chat:<Worker id>` for
 * those who may read it.
 */
export type Topic =
  | 'org'
  | 'workers'
  | 'frame'
  | 'attention'
  | 'activations'
  | 'streams'
  | 'journal'
  | `stream:${string}`
  | `transcript:${string}`
  | `chat:${string}`;

const ATTENTION: Topic[] = ['attention', 'frame'];

/** Everything whose rendering a fact may change, besides `journal`. */
export function topicsOf(event: DomainEvent): Topic[] {
  switch (event.type) {
    case 'OrgPaused':
    case 'OrgResumed':
    case 'WorkHeld':
    case 'WorkResumed':
      return ['org', 'workers', ...ATTENTION];
    case 'RoleCreated':
    case 'RoleUpdated':
    case 'RoleDeleted':
    case 'PositionCreated':
    case 'PositionUpdated':
    case 'PositionDeleted':
    case 'IdentityUpdated':
    case 'WorkerEmailChanged':
    case 'AgentUpdated':
    case 'WorkerHired':
    case 'WorkerMoved':
    case 'ToolGranted':
    case 'ToolRevoked':
      return ['org'];
    case 'WorkerFired':
    case 'WorkerPaused':
    case 'WorkerResumed':
      return ['org', 'workers', ...ATTENTION];
    case 'StreamCreated':
    case 'StreamUpdated':
    case 'StreamDeleted':
    case 'WorkerSubscribed':
    case 'WorkerUnsubscribed':
      return ['org', 'streams', `stream:${event.streamId}`];
    case 'EventPublished':
      return event.streamId === NOTICES
        ? ['streams', `stream:${NOTICES}`, ...ATTENTION]
        : ['streams', 'workers', `stream:${event.streamId}`];
    case 'EventHeld':
    case 'EventReleased':
    case 'EventDiscarded':
    case 'EventDelivered':
    case 'DeliveryDied':
    case 'DeliveryRequeued':
    case 'DeliveryDiscarded':
    case 'SendingStopped':
    case 'SendingResumed':
      return ['streams', 'workers', `stream:${event.streamId}`, ...ATTENTION];
    case 'EventRedacted':
      return ['streams', `stream:${event.streamId}`];
    case 'ActivationRequested':
      return ['workers', 'activations'];
    case 'ActivationStarted':
    case 'ActivationEnded':
    case 'TriggersHeld':
    case 'TriggersRequeued':
    case 'TriggersDropped':
    case 'TriggersExpired':
      return ['workers', 'activations', `transcript:${event.workerId}`, ...ATTENTION];
  }
}
