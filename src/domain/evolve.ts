import type { EntryHeader } from './entry.ts';
import { NOTICES } from './ids.ts';
import { type DomainEvent, NOTICED_ROOTS_MAX, type Org } from './org.ts';

type Header = Pick<EntryHeader, 'seq' | 'actor' | 'at' | 'root'>;
type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

/**
 * Brings the org's decision state up to date with a fact, in place.
 * The state is private to the journal; copying it for each entry would make a replay quadratic.
 */
export function evolve(org: Org, event: DomainEvent, header: Header): void {
  switch (event.type) {
    case 'OrgPaused':
      org.paused = true;
      return;
    case 'OrgResumed':
      org.paused = false;
      return;
    case 'RoleCreated':
      org.roles.add(event.roleId);
      return;
    case 'RoleDeleted':
      org.roles.delete(event.roleId);
      return;
    case 'PositionCreated':
    case 'PositionUpdated':
      org.positions.set(event.positionId, { roleId: event.roleId, parentId: event.parentId });
      return;
    case 'PositionDeleted':
      org.positions.delete(event.positionId);
      return;
    case 'WorkerHired': {
      const { kind, positionId } = event;
      org.workers.set(event.workerId, {
        kind,
        positions: [positionId],
        hiredBy: header.actor,
        email: null,
        agent: event.agent ?? {},
        paused: false,
        firedAt: null,
      });
      return;
    }
    case 'WorkerMoved':
    case 'WorkerEmailChanged':
    case 'AgentUpdated':
    case 'WorkerPaused':
    case 'WorkerResumed':
    case 'WorkerFired':
      return evolveWorker(org, event, header);
    case 'ToolGranted': {
      const held = org.grants.get(event.workerId) ?? new Map<string, string>();
      org.grants.set(event.workerId, held.set(event.tool, event.grantId));
      org.grantIds.set(event.grantId, { workerId: event.workerId, tool: event.tool });
      return;
    }
    case 'ToolRevoked':
      org.grants.get(event.workerId)?.delete(event.tool);
      org.grantIds.delete(event.grantId);
      return;
    case 'StreamCreated':
    case 'StreamUpdated':
    case 'StreamDeleted':
      return evolveStream(org, event, header);
    case 'WorkerSubscribed': {
      const subscribers = org.subscriptions.get(event.streamId) ?? new Map();
      org.subscriptions.set(
        event.streamId,
        subscribers.set(event.workerId, { from: header.seq, filter: event.filter }),
      );
      org.subscribed.set(event.workerId, (org.subscribed.get(event.workerId) ?? new Set()).add(event.streamId));
      return;
    }
    case 'WorkerUnsubscribed':
      org.subscriptions.get(event.streamId)?.delete(event.workerId);
      org.subscribed.get(event.workerId)?.delete(event.streamId);
      return;
    case 'EventHeld':
    case 'EventReleased':
    case 'EventDiscarded':
      return evolveHeldEvent(org, event, header);
    case 'TriggersHeld':
      if (event.root !== undefined) rememberRoot(org, event.root);
      return;
    case 'TriggersRequeued':
      if (!event.stillLimited) for (const root of event.roots ?? []) org.noticedRoots.delete(root);
      return;
    case 'WorkHeld':
      org.holds.set(event.hold, {
        workerId: event.workerId,
        reason: event.reason,
        ...(event.kinds ? { kinds: event.kinds } : {}),
      });
      return;
    case 'WorkResumed':
      org.holds.delete(event.hold);
      return;
    case 'SendingStopped':
    case 'SendingResumed':
      return evolveSending(org, event);
    case 'RoleUpdated':
    case 'IdentityUpdated':
    case 'ActivationRequested':
    case 'EventPublished':
    case 'EventRedacted':
    case 'EventDelivered':
    case 'DeliveryDied':
    case 'DeliveryRequeued':
    case 'DeliveryDiscarded':
    case 'ActivationStarted':
    case 'ActivationEnded':
    case 'TriggersDropped':
    case 'TriggersExpired':
      return; // Texts, speech and runs do not change what the org allows.
  }
}

/** The fact types {@link evolve} listens to; only these are read at start, however many Events there are. */
export const STATE_TYPES = [
  'OrgPaused',
  'OrgResumed',
  'RoleCreated',
  'RoleDeleted',
  'PositionCreated',
  'PositionUpdated',
  'PositionDeleted',
  'WorkerHired',
  'WorkerMoved',
  'WorkerEmailChanged',
  'AgentUpdated',
  'WorkerPaused',
  'WorkerResumed',
  'WorkerFired',
  'ToolGranted',
  'ToolRevoked',
  'StreamCreated',
  'StreamUpdated',
  'StreamDeleted',
  'WorkerSubscribed',
  'WorkerUnsubscribed',
  'EventHeld',
  'EventReleased',
  'EventDiscarded',
  'TriggersHeld',
  'TriggersRequeued',
  'WorkHeld',
  'WorkResumed',
  'SendingStopped',
  'SendingResumed',
] as const satisfies DomainEvent['type'][];

function evolveWorker(
  org: Org,
  event: Of<'WorkerMoved' | 'WorkerEmailChanged' | 'AgentUpdated' | 'WorkerPaused' | 'WorkerResumed' | 'WorkerFired'>,
  header: Header,
): void {
  const worker = org.workers.get(event.workerId);
  if (!worker) return;
  if (event.type === 'WorkerMoved') worker.positions = event.positions;
  else if (event.type === 'WorkerEmailChanged') worker.email = event.email;
  else if (event.type === 'AgentUpdated') worker.agent = event.agent;
  else if (event.type !== 'WorkerFired') worker.paused = event.type === 'WorkerPaused';
  else {
    Object.assign(worker, { positions: [], firedAt: header.at });
    for (const [hold, { workerId }] of org.holds) if (workerId === event.workerId) org.holds.delete(hold);
  }
}

function evolveHeldEvent(
  org: Org,
  event: Of<'EventHeld' | 'EventReleased' | 'EventDiscarded'>,
  { actor, root }: Header,
): void {
  const { event: seq, streamId } = event;
  if (event.type === 'EventHeld') {
    org.heldEvents.set(seq, { streamId, publisher: actor, root });
    if (event.limit === 'pace') org.paced.set(actor, (org.paced.get(actor) ?? new Set()).add(seq));
    else rememberRoot(org, root);
    return;
  }
  const held = org.heldEvents.get(seq);
  org.heldEvents.delete(seq);
  if (!held) return;
  const waiting = org.paced.get(held.publisher);
  const wasPaced = waiting?.delete(seq) === true;
  if (waiting?.size === 0) org.paced.delete(held.publisher);
  // A person let the chain go on; if it is stopped once more, they are told once more.
  if (event.type === 'EventReleased' && !event.stillLimited && !wasPaced) org.noticedRoots.delete(held.root);
}

function rememberRoot({ noticedRoots }: Org, root: number): void {
  noticedRoots.add(root);
  const [oldest] = noticedRoots;
  if (noticedRoots.size > NOTICED_ROOTS_MAX && oldest !== undefined) noticedRoots.delete(oldest);
}

function evolveStream(org: Org, event: Of<'StreamCreated' | 'StreamUpdated' | 'StreamDeleted'>, header: Header): void {
  if (event.type === 'StreamCreated') {
    const { type: _, streamId, ...fields } = event;
    org.streams.set(streamId, { ...fields, createdBy: header.actor, deletedAt: null, sendingStopped: null });
    org.streamNames.set(event.name, streamId);
    if (event.purpose === 'dm') org.dms.set(event.members.join(' '), streamId);
    return;
  }
  const stream = org.streams.get(event.streamId);
  if (!stream) return;
  org.streamNames.delete(stream.name);
  if (event.type === 'StreamDeleted') {
    stream.deletedAt = header.at;
    return;
  }
  const { type: _, streamId: _id, ...fields } = event;
  Object.assign(stream, fields);
  org.streamNames.set(event.name, event.streamId);
}

function evolveSending(org: Org, event: Of<'SendingStopped' | 'SendingResumed'>): void {
  const stream = org.streams.get(event.streamId);
  if (stream) stream.sendingStopped = event.type === 'SendingStopped' ? event.reason : null;
}

/** Which Streams wake their subscribers; transcripts, notices and chats never do. */
export function triggers(org: Org, streamId: string): boolean {
  const purpose = org.streams.get(streamId)?.purpose;
  return streamId !== NOTICES && (purpose === 'open' || purpose === 'dm');
}
