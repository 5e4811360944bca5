import type { ContentPart } from './entry.ts';
import { invalid } from './errors.ts';
import { postNotice } from './event.ts';
import type { Message } from './message.ts';
import type { Context, DomainEvent, Org } from './org.ts';
import { isPerson, requireWorker } from './worker.ts';

/** How an activation ended; `lost` means the daemon died and found it gone. */
export type ActivationOutcome = 'done' | 'failed' | 'timed_out' | 'interrupted' | 'lost';

/** Triggers that an activation began with and that must be shown again. */
export type OpenBatch = {
  /** seqs, ascending; the next activation gets exactly these. */
  triggers: number[];
  /** Of the next activation; 1 when the last one did not count. */
  attempt: number;
  /** One activation per trigger, so that only the one that fails is parked. */
  oneByOne: boolean;
  /** Not before this time (RFC 3339). */
  notBefore: string;
  reason: string;
};

/** Whether a Message speaks to this Worker in person, so that its author expects an answer. */
export const asksDirectly = ({ to = [] }: Message, purpose: string | undefined, workerId: string): boolean =>
  purpose === 'dm' || to.includes(workerId);

export type Usage = { costUsd?: number; inputTokens?: number; outputTokens?: number };

type Started = {
  activationId: string;
  workerId: string;
  /** seqs of the entries it was woken by, ascending. */
  triggers: number[];
  attempt: number;
  agent: { kind: string; version?: string; model?: string };
  /** seqs of the texts and grants it ran with. */
  ranWith: { roles: number[]; identity: number; grants: number };
  /** The prompt; empty when it is word for word that of the activation whose seq is `promptOf`. */
  content: ContentPart[];
  promptOf?: number;
};

type Ended = {
  activationId: string;
  workerId: string;
  outcome: ActivationOutcome;
  /** What follows `=== exit: ` in the transcript. */
  exit: string;
  /** The Worker's checkpoint from here on. */
  throughSeq: number;
  /** Triggers that are dealt with. */
  settled: number[];
  /** Triggers whose runs failed too often. */
  parked: number[];
  open: OpenBatch | null;
  published: number;
  changed: number;
  usage: Usage;
};

type Notice = { subject: string; body: string };

export type ActivationCommand =
  /** `seenThrough`: the newest seq when the prompt was made; it is refused when a trigger was redacted since. */
  | ({ type: 'StartActivation'; seenThrough?: number } & Started)
  /** `remarks` land on their Streams as said by the daemon, and wake nobody. */
  | ({
      type: 'EndActivation';
      notice?: Notice;
      remarks?: { streamId: string; content: ContentPart[] }[];
    } & Ended)
  /** With a `root`, the notice is posted once for that chain. */
  | { type: 'HoldTriggers'; workerId: string; triggers: number[]; reason: string; root?: number; notice?: Notice }
  /** `roots`: of the chains they belong to; the journal fills it in. */
  | { type: 'RequeueTriggers'; workerId: string; triggers: number[]; roots?: number[] }
  | { type: 'DropTriggers'; workerId: string; triggers: number[]; reason: string }
  | { type: 'ExpireTriggers'; workerId: string; triggers: number[]; reason: string };

export type ActivationEvent =
  | ({ type: 'ActivationStarted' } & Started)
  | ({ type: 'ActivationEnded' } & Ended)
  | { type: 'TriggersHeld'; workerId: string; triggers: number[]; reason: string; root?: number }
  /** `stillLimited`: no person let them go, so that limits and expiry go on counting for them. */
  | { type: 'TriggersRequeued'; workerId: string; triggers: number[]; roots?: number[]; stillLimited?: true }
  | { type: 'TriggersDropped'; workerId: string; triggers: number[]; reason: string }
  | { type: 'TriggersExpired'; workerId: string; triggers: number[]; reason: string };

type Of<T extends ActivationCommand['type']> = Extract<ActivationCommand, { type: T }>;

export function startActivation(
  org: Org,
  { type: _, seenThrough: _seen, ...started }: Of<'StartActivation'>,
): DomainEvent[] {
  requireWorker(org, started.workerId);
  if (started.triggers.length === 0) throw invalid('An activation needs at least one trigger.');
  return [{ type: 'ActivationStarted', ...started }];
}

export function endActivation(
  org: Org,
  { type: _, notice, remarks = [], ...ended }: Of<'EndActivation'>,
  context: Context,
): DomainEvent[] {
  const events: DomainEvent[] = [{ type: 'ActivationEnded', ...ended }];
  if (notice) events.push(postNotice(org, context, events.length, notice));
  for (const remark of remarks) {
    if (org.streams.get(remark.streamId)?.deletedAt !== null) continue;
    events.push({ type: 'EventPublished', id: context.eventId(context.seq + events.length), ...remark });
  }
  return events;
}

export function holdTriggers(
  org: Org,
  { type: _, notice, ...held }: Of<'HoldTriggers'>,
  context: Context,
): DomainEvent[] {
  const known = held.root !== undefined && org.noticedRoots.has(held.root);
  return setTriggersAside(org, { type: 'TriggersHeld', ...held }).flatMap((event) =>
    notice && !known ? [event, postNotice(org, context, 1, notice)] : [event],
  );
}

/** What a person lets go runs whatever the limits say; what anybody else does, only as far as they allow. */
export function requeueTriggers(org: Org, command: Of<'RequeueTriggers'>, { actor }: Context): DomainEvent[] {
  const limited = isPerson(org, actor) ? {} : { stillLimited: true as const };
  return setTriggersAside(org, { ...command, type: 'TriggersRequeued', ...limited });
}

type SetAside = Extract<
  ActivationEvent,
  { type: 'TriggersHeld' | 'TriggersRequeued' | 'TriggersDropped' | 'TriggersExpired' }
>;

/** Takes triggers out of the plain order of a Worker's inbox, or puts them back. */
export function setTriggersAside(org: Org, event: SetAside): SetAside[] {
  requireWorker(org, event.workerId);
  return event.triggers.length === 0 ? [] : [event];
}
