import { type ActivationCommand, type ActivationEvent, setTriggersAside, startActivation } from './activation.ts';
import type { Route } from './delivery.ts';
import type { ContentPart } from './entry.ts';
import {
  discardEvent,
  type EventCommand,
  type OrgEventEvent,
  postNotice,
  publish,
  releaseEvent,
  sendDm,
  withNotice,
} from './event.ts';
import type { SubscriptionFilter } from './filter.ts';
import { type FoundingCommand, type FoundingEvent, foundOrg } from './founding.ts';
import { type GrantCommand, type GrantEvent, grantTool, revokeTool } from './grant.ts';
import { decideOutbox, type OutboxCommand, type OutboxEvent } from './outbox.ts';
import {
  createPosition,
  deletePosition,
  type PositionCommand,
  type PositionEvent,
  updatePosition,
} from './position.ts';
import { createRole, deleteRole, type RoleCommand, type RoleEvent, updateRole } from './role.ts';
import {
  createStream,
  deleteStream,
  type StreamBatch,
  type StreamCommand,
  type StreamEvent,
  type StreamPurpose,
  type StreamTransport,
  updateStream,
} from './stream.ts';
import {
  inviteWorkers,
  type SubscriptionCommand,
  type SubscriptionEvent,
  subscribe,
  unsubscribeWorker,
} from './subscription.ts';
import type { WorkerCommand, WorkerEvent, WorkerKind } from './worker.ts';
import * as worker from './worker.ts';

export type Command =
  | FoundingCommand
  | RoleCommand
  | PositionCommand
  | WorkerCommand
  | GrantCommand
  | StreamCommand
  | SubscriptionCommand
  | EventCommand
  | OutboxCommand
  | ActivationCommand;

/** A fact. JSON, self-contained: projecting it needs nothing but its entry. */
export type DomainEvent =
  | FoundingEvent
  | RoleEvent
  | PositionEvent
  | WorkerEvent
  | GrantEvent
  | StreamEvent
  | SubscriptionEvent
  | OrgEventEvent
  | OutboxEvent
  | ActivationEvent;

export type WorkerState = {
  kind: WorkerKind;
  positions: string[];
  hiredBy: string;
  email: string | null;
  paused: boolean;
  /** RFC 3339, or null while employed. */
  firedAt: string | null;
};

export type StreamState = {
  name: string;
  description: string;
  transport: StreamTransport;
  purpose: StreamPurpose;
  members: string[];
  private: boolean;
  hold: boolean;
  batch: StreamBatch;
  createdBy: string;
  deletedAt: string | null;
  /** Why nothing leaves it any more, or null while things do. */
  sendingStopped: string | null;
};

/** What decisions need to know of the org. Texts and Messages live in tables only. */
export type Org = {
  roles: Set<string>;
  positions: Map<string, { roleId: string; parentId: string | null }>;
  workers: Map<string, WorkerState>;
  /** Worker → tool → grant id. */
  grants: Map<string, Map<string, string>>;
  grantIds: Map<string, { workerId: string; tool: string }>;
  streams: Map<string, StreamState>;
  /** Name → Stream id, of Streams that exist. */
  streamNames: Map<string, string>;
  /** Sorted pair of Worker ids, joined by a space → Stream id. */
  dms: Map<string, string>;
  /** Stream → Worker → the open subscription; `from` is the seq it began at. */
  subscriptions: Map<string, Map<string, { from: number; filter: SubscriptionFilter | null }>>;
  /** Worker → Streams it listens to. */
  subscribed: Map<string, Set<string>>;
  /** seq of each Event that waits for a person's release → where it landed and who published it. */
  heldEvents: Map<number, { streamId: string; publisher: string }>;
  /** Roots of chains about which a notice was posted. */
  noticedRoots: Set<number>;
  paused: boolean;
};

/** What a decision may use besides the org: who asks, where in a causal chain, and the numbers it will be given. */
export type Context = {
  actor: string;
  /** seq of the first entry this decision will make; the others follow without gaps. */
  seq: number;
  at: string;
  hops: number;
  root: number;
  limits: { maxHops: number };
  /** Names of all tools that exist. */
  tools: ReadonlySet<string>;
  eventId(seq: number): string;
  /** Where an Event goes that the actor publishes there. */
  routes(streamId: string, content: ContentPart[]): Route[];
};

export const emptyOrg = (): Org => ({
  roles: new Set(),
  positions: new Map(),
  workers: new Map(),
  grants: new Map(),
  grantIds: new Map(),
  streams: new Map(),
  streamNames: new Map(),
  dms: new Map(),
  subscriptions: new Map(),
  subscribed: new Map(),
  heldEvents: new Map(),
  noticedRoots: new Set(),
  paused: false,
});

/**
 * The facts a command leads to; none when there is nothing to do.
 * @throws OrgError when the org's rules forbid it
 */
export function decide(org: Org, command: Command, context: Context): DomainEvent[] {
  // Its credentials end with it, but a call may have been under way.
  if (org.workers.has(context.actor)) worker.requireWorker(org, context.actor);
  switch (command.type) {
    case 'FoundOrg':
      return foundOrg(org, command);
    case 'PauseOrg':
      return org.paused ? [] : [{ type: 'OrgPaused' }];
    case 'ResumeOrg':
      return org.paused ? [{ type: 'OrgResumed' }] : [];
    case 'CreateRole':
      return createRole(org, command);
    case 'UpdateRole':
      return updateRole(org, command, context);
    case 'DeleteRole':
      return deleteRole(org, command.roleId);
    case 'CreatePosition':
      return createPosition(org, command);
    case 'UpdatePosition':
      return updatePosition(org, command);
    case 'DeletePosition':
      return deletePosition(org, command.positionId);
    case 'HireWorker':
      return worker.hireWorker(org, command, context);
    case 'UpdateIdentity':
      return worker.updateIdentity(org, command, context);
    case 'MoveWorker':
      return worker.moveWorker(org, command.workerId, command.positions);
    case 'FireWorker':
      return worker.fireWorker(org, command.workerId);
    case 'PauseWorker':
      return worker.pauseWorker(org, command.workerId);
    case 'ResumeWorker':
      return worker.resumeWorker(org, command.workerId);
    case 'ActivateWorker':
      return worker.activateWorker(org, command.workerId, command.reason, context);
    case 'GrantTool':
      return grantTool(org, command, context);
    case 'RevokeTool':
      return revokeTool(org, command.grantId);
    case 'CreateStream':
      return createStream(org, command);
    case 'UpdateStream':
      return updateStream(org, command);
    case 'DeleteStream':
      return deleteStream(org, command.streamId);
    case 'Subscribe':
      return subscribe(org, command, context);
    case 'Unsubscribe':
      return unsubscribeWorker(org, context.actor, command.streamId);
    case 'InviteWorkers':
      return inviteWorkers(org, command, context);
    case 'Publish':
      return publish(org, command, context);
    case 'SendDm':
      return sendDm(org, command, context);
    case 'PostNotice':
      return [postNotice(org, context, 0, command)];
    case 'RecordDelivered':
    case 'RecordDead':
    case 'RequeueDeliveries':
    case 'DiscardDeliveries':
    case 'ResumeSending':
      return decideOutbox(org, command, context, (notice, offset) => postNotice(org, context, offset, notice));
    case 'ReleaseEvent':
      return releaseEvent(org, command);
    case 'DiscardEvent':
      return discardEvent(org, command);
    case 'RedactEvent': {
      const { type: _, alsoErase, ...redacted } = command;
      return [{ type: 'EventRedacted', alsoErased: alsoErase, ...redacted }];
    }
    case 'StartActivation':
      return startActivation(org, command);
    case 'EndActivation': {
      const { type: _, notice, ...ended } = command;
      return withNotice(org, context, { type: 'ActivationEnded', ...ended }, notice);
    }
    case 'HoldTriggers': {
      const { type: _, notice, ...held } = command;
      return setTriggersAside(org, { type: 'TriggersHeld', ...held }).flatMap((event) =>
        withNotice(org, context, event, notice),
      );
    }
    case 'RequeueTriggers':
      return setTriggersAside(org, { ...command, type: 'TriggersRequeued' });
    case 'DropTriggers':
      return setTriggersAside(org, { ...command, type: 'TriggersDropped' });
  }
}
