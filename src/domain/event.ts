import type { ContentPart } from './entry.ts';
import { conflict, forbidden, invalid, notFound } from './errors.ts';
import { dmStreamId, NOTICES, OWNER } from './ids.ts';
import { encodeMessage } from './message.ts';
import { type Context, type DomainEvent, type Org, PACED_MAX, type StreamState } from './org.ts';
import { type Departure, departuresOf } from './outbox.ts';
import { requireStream } from './stream.ts';
import { subscribeWorker } from './subscription.ts';
import { isPerson, requireWorker } from './worker.ts';

export type EventCommand =
  | { type: 'Publish'; streamId: string; content: ContentPart[]; quiet?: string }
  | { type: 'SendDm'; toWorkerId: string; body: string }
  | { type: 'PostNotice'; subject: string; body: string }
  /** `keptOut`: Workers whose filter does not let it through; the journal fills it in. */
  | { type: 'ReleaseEvent'; event: number; streamId: string; keptOut?: string[] }
  | { type: 'DiscardEvent'; event: number; streamId: string }
  | { type: 'RedactEvent'; event: number; streamId: string; alsoErase: number[]; reason: string };

/**
 * `content` names the erasable parts of the Event: `message` and whatever the transport keeps beside it; `outbound` the ways
 * it leaves by, if it leaves. `quiet` is why it is recorded but wakes nobody, such as mail that a program sent.
 */
export type OrgEventEvent =
  | {
      type: 'EventPublished';
      id: string;
      streamId: string;
      content: ContentPart[];
      outbound?: Departure[];
      quiet?: string;
    }
  /** `limit`: `pace` when it goes on by itself; without, it waits for a person. */
  | { type: 'EventHeld'; event: number; streamId: string; reason: string; limit?: 'pace' }
  /** `stillLimited`: no person let it go, so that limits and expiry go on counting for it. */
  | { type: 'EventReleased'; event: number; streamId: string; workers: string[]; stillLimited?: true }
  | { type: 'EventDiscarded'; event: number; streamId: string }
  | { type: 'EventRedacted'; event: number; streamId: string; alsoErased: number[]; reason: string };

/** An Event too far from its cause, or whose chain is too busy, is kept but wakes nobody until a person releases it. */
export function publish(
  org: Org,
  { streamId, content, quiet }: { streamId: string; content: ContentPart[]; quiet?: string },
  context: Context,
): DomainEvent[] {
  const stream = requireStream(org, streamId);
  checkMayPublish(org, streamId, stream, context);
  const wakes = quiet === undefined && wakesAnybody(org, streamId, context.actor);
  return published(org, { streamId, content, quiet, offset: 0, wakes }, context);
}

export function sendDm(
  org: Org,
  { toWorkerId, body }: { toWorkerId: string; body: string },
  context: Context,
): DomainEvent[] {
  const from = context.actor;
  if (toWorkerId === from) throw invalid('cannot DM yourself');
  requireWorker(org, from);
  requireWorker(org, toWorkerId);
  const pair = [from, toWorkerId].sort();
  const known = org.dms.get(pair.join(' '));
  const streamId = known ?? freeDmId(org, from, toWorkerId);
  const events: DomainEvent[] = known
    ? pair.flatMap((workerId) => subscribeWorker(org, workerId, streamId, null))
    : [
        {
          type: 'StreamCreated',
          streamId,
          name: `dm: ${from} ↔ ${toWorkerId}`,
          description: `Direct messages between ${pair.join(' and ')}.`,
          transport: { kind: 'local', config: {} },
          purpose: 'dm',
          members: pair,
          private: true,
          hold: false,
          batch: 'stream',
        },
        ...pair.map((workerId): DomainEvent => ({ type: 'WorkerSubscribed', workerId, streamId, filter: null })),
      ];
  const content = [{ name: 'message', bytes: encodeMessage({ from, to: [toWorkerId], body }) }];
  const wakes = org.workers.get(toWorkerId)?.kind === 'ai';
  return [...events, ...published(org, { streamId, content, offset: events.length, wakes }, context)];
}

/** A message to the people who run the org. */
export function postNotice(
  org: Org,
  context: Context,
  offset: number,
  notice: { subject: string; body: string },
): DomainEvent {
  const content = [{ name: 'message', bytes: encodeMessage(notice) }];
  return newEvent(org, { streamId: NOTICES, content, offset }, context);
}

function newEvent(
  org: Org,
  { streamId, content, offset }: Omit<NewEvent, 'wakes'>,
  context: Context,
): Extract<OrgEventEvent, { type: 'EventPublished' }> {
  const id = context.eventId(context.seq + offset);
  const outbound = departuresOf(org, id, streamId, context.routes(streamId, content));
  return { type: 'EventPublished', id, streamId, content, ...(outbound ? { outbound } : {}) };
}

export function releaseEvent(
  org: Org,
  { event, streamId, keptOut = [] }: { event: number; streamId: string; keptOut?: string[] },
  { actor }: Context,
): DomainEvent[] {
  const { publisher } = requireHeld(org, event, streamId);
  const workers: string[] = [];
  for (const [workerId, { from }] of org.subscriptions.get(streamId) ?? []) {
    if (from >= event || workerId === publisher || keptOut.includes(workerId)) continue;
    if (org.workers.get(workerId)?.kind === 'ai') workers.push(workerId);
  }
  const limited = isPerson(org, actor) ? {} : { stillLimited: true as const };
  return [{ type: 'EventReleased', event, streamId, workers, ...limited }];
}

export function discardEvent(org: Org, { event, streamId }: { event: number; streamId: string }): DomainEvent[] {
  requireHeld(org, event, streamId);
  return [{ type: 'EventDiscarded', event, streamId }];
}

function requireHeld(org: Org, event: number, streamId: string): { publisher: string } {
  const held = org.heldEvents.get(event);
  if (held?.streamId !== streamId)
    throw notFound(`That Event is not held; event_status shows where it stands. event "${event}": record not found`);
  return held;
}

type NewEvent = {
  streamId: string;
  content: ContentPart[];
  quiet?: string | undefined;
  offset: number;
  wakes: boolean;
};

function published(org: Org, { streamId, content, quiet, offset, wakes }: NewEvent, context: Context): DomainEvent[] {
  const { limits, hops, root } = context;
  const seq = context.seq + offset;
  const event = { ...newEvent(org, { streamId, content, offset }, context), ...(quiet === undefined ? {} : { quiet }) };
  const events: DomainEvent[] = [event];
  if (quiet !== undefined) return events;
  if (hops <= limits.maxHops || (!wakes && !event.outbound)) {
    if (context.tooFast !== undefined) events.push(...paced(org, seq, streamId, context));
    return events;
  }
  if (context.tooFast !== undefined) {
    throw conflict(
      `This is ${hops} Workers away from its cause, and ${context.actor} publishes faster than it may; stop answering.`,
    );
  }
  const reason = `${hops} hops from its cause, the limit is ${limits.maxHops}`;
  events.push({ type: 'EventHeld', event: seq, streamId, reason });
  if (org.noticedRoots.has(root)) return events;
  const subject = `Loop stopped on ${streamId}`;
  const body =
    `An Event of ${context.actor} on ${streamId} is ${reason} (dispatch.max_hops), so it wakes nobody${event.outbound ? ', does not leave' : ''} and is held: ${context.eventId(seq)}. ` +
    'Workers are answering each other. Release or discard the Event, and change the Roles so that the conversation ends.';
  return [...events, postNotice(org, context, offset + events.length, { subject, body })];
}

/** Whatever a Worker publishes too fast waits for its turn, also what would wake nobody: it may be on its way outside. */
function paced(org: Org, event: number, streamId: string, context: Context): DomainEvent[] {
  const { actor } = context;
  checkPace(context);
  const reason = `${actor} publishes faster than it may (dispatch.publish_per_minute); it goes on by itself, in turn`;
  const events: DomainEvent[] = [{ type: 'EventHeld', event, streamId, reason, limit: 'pace' }];
  if (org.paced.has(actor)) return events;
  const subject = `${actor} publishes too fast`;
  const body =
    `Its Events are held and let go one by one, as fast as dispatch.publish_per_minute allows; beyond ${PACED_MAX} that wait, ` +
    `it is refused. Nothing is needed from you. If ${actor} is right to be that busy, raise dispatch.publish_per_minute or ` +
    `dispatch.publish_burst, which lets them go at once; if not, pause_worker ${actor} and change its Role.`;
  return [...events, postNotice(org, context, event - context.seq + 2, { subject, body })];
}

/** @throws OrgError conflict when so much of the Worker's waits that no more is taken */
function checkPace({ actor, tooFast }: Context): void {
  if (tooFast !== 'refused') return;
  throw conflict(
    `${PACED_MAX} Events of ${actor} wait already, because it publishes faster than it may (dispatch.publish_per_minute). ` +
      'This one was not taken: wait, and publish less.',
  );
}

function wakesAnybody(org: Org, streamId: string, publisher: string): boolean {
  for (const workerId of org.subscriptions.get(streamId)?.keys() ?? []) {
    if (workerId !== publisher && org.workers.get(workerId)?.kind === 'ai') return true;
  }
  return false;
}

function checkMayPublish(org: Org, streamId: string, stream: StreamState, { actor }: Context): void {
  const isWorker = org.workers.has(actor);
  if (stream.purpose === 'transcript' || stream.purpose === 'chat' || (stream.purpose === 'notices' && isWorker)) {
    throw conflict(`Stream ${streamId} is written by the daemon alone; publish on another Stream or send a dm.`);
  }
  if (!isWorker || actor === OWNER) return;
  if (stream.purpose === 'dm' && !stream.members.includes(actor)) {
    throw forbidden(`Stream ${streamId} is a conversation of ${stream.members.join(' and ')}.`);
  }
  if (stream.private && !org.subscriptions.get(streamId)?.has(actor)) {
    throw forbidden(`Stream ${streamId} is private; only its members publish there.`);
  }
}

/** The pair's own id, or one beside it when another pair already has that spelling. */
function freeDmId(org: Org, a: string, b: string): string {
  const usual = dmStreamId(a, b);
  for (let n = 1; ; n++) {
    const id = n === 1 ? usual : `${usual}-${n}`;
    if (!org.streams.has(id)) return id;
  }
}
