import type { ActivationCommand, ActivationEvent } from './activation.ts';
import type { ChatCommand } from './chat.ts';
import type { Route } from './delivery.ts';
import type { ContentPart } from './entry.ts';
import type { EventCommand, OrgEventEvent } from './event.ts';
import type { SubscriptionFilter } from './filter.ts';
import type { FoundingCommand, FoundingEvent } from './founding.ts';
import type { GrantCommand, GrantEvent } from './grant.ts';
import type { HoldCommand, HoldEvent } from './hold.ts';
import type { OutboxCommand, OutboxEvent } from './outbox.ts';
import type { PositionCommand, PositionEvent } from './position.ts';
import type { RoleCommand, RoleEvent } from './role.ts';
import type { StreamBatch, StreamCommand, StreamEvent, StreamPurpose, StreamTransport } from './stream.ts';
import type { SubscriptionCommand, SubscriptionEvent } from './subscription.ts';
import type { WorkerCommand, WorkerEvent, WorkerKind } from './worker.ts';
import type { WorkerAgent, WorkerAgentCommand, WorkerAgentEvent } from './worker-agent.ts';

export type Command =
  | FoundingCommand
  | ChatCommand
  | RoleCommand
  | PositionCommand
  | WorkerCommand
  | WorkerAgentCommand
  | GrantCommand
  | StreamCommand
  | SubscriptionCommand
  | EventCommand
  | OutboxCommand
  | ActivationCommand
  | HoldCommand;

/** A fact. JSON, self-contained: projecting it needs nothing but its entry. */
export type DomainEvent =
  | FoundingEvent
  | RoleEvent
  | PositionEvent
  | WorkerEvent
  | WorkerAgentEvent
  | GrantEvent
  | StreamEvent
  | SubscriptionEvent
  | OrgEventEvent
  | OutboxEvent
  | ActivationEvent
  | HoldEvent;

/** Events of one Worker that may be held for its speed; whatever it publishes beyond is refused. */
export const PACED_MAX = 1_000;
/** A chain that was forgotten again posts a second notice, which is better than a list without end. */
export const NOTICED_ROOTS_MAX = 1_000;

export type WorkerState = {
  kind: WorkerKind;
  positions: string[];
  hiredBy: string;
  email: string | null;
  agent: WorkerAgent;
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
  /** seq of each Event that is held → where it landed, who published it, and the root of its chain. */
  heldEvents: Map<number, { streamId: string; publisher: string; root: number }>;
  /** Worker → seqs of its Events that are held because it publishes too fast, oldest first; at most {@link PACED_MAX} each. */
  paced: Map<string, Set<number>>;
  /** Roots of chains about which a notice was posted, the latest {@link NOTICED_ROOTS_MAX}. */
  noticedRoots: Set<number>;
  /** What holds work now → whom, null for everybody, and why. */
  holds: Map<string, { workerId: string | null; reason: string; kinds?: string[] }>;
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
  /** Set when the actor is an AI Worker that publishes faster than it may: its Events are held, or not even that any more. */
  tooFast?: 'held' | 'refused';
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
  paced: new Map(),
  noticedRoots: new Set(),
  holds: new Map(),
  paused: false,
});
