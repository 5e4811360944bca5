// Events on their way out: what becomes of each delivery, as facts. Attempts and pauses between them are no facts.
import type { Route } from './delivery.ts';
import { conflict, forbidden, invalid } from './errors.ts';
import { NOTICES } from './ids.ts';
import type { Context, DomainEvent, Org } from './org.ts';
import { requireStream } from './stream.ts';

/** One way out that an Event takes, decided when it is published. */
export type Departure = {
  /** The same on every attempt, also on those that a person asks for later. */
  deliveryId: string;
  /** The transport that carries it. */
  kind: string;
  /** The Worker whom a copy is for. */
  recipient?: string;
  /** Why it waits for a person. */
  held?: string;
};

/** Names a delivery; `event` is the seq of the Event. */
export type DeliveryName = { event: number; streamId: string; deliveryId: string };

type Named = { event: number; streamId: string; deliveryIds: string[] };
type Notice = { subject: string; body: string };

export type OutboxCommand =
  | ({ type: 'RecordDelivered'; attempts: number; messageId?: string; detail?: string } & DeliveryName)
  /** `gone`: the target is no more, so nothing further is sent to it until a person says so. */
  | ({ type: 'RecordDead'; attempts: number; reason: string; gone: boolean; notice?: Notice } & DeliveryName)
  /** Lets held deliveries go, or tries dead ones again; those in another state are passed over. */
  | ({ type: 'RequeueDeliveries'; from: 'held' | 'failed' } & Named)
  | ({ type: 'DiscardDeliveries' } & Named)
  | { type: 'ResumeSending'; streamId: string };

export type OutboxEvent =
  /** `messageId`: by which answers and bounces will name it. */
  | ({ type: 'EventDelivered'; attempts: number; messageId?: string; detail?: string } & DeliveryName)
  | ({ type: 'DeliveryDied'; attempts: number; reason: string } & DeliveryName)
  | ({ type: 'DeliveryRequeued' } & DeliveryName)
  | ({ type: 'DeliveryDiscarded' } & DeliveryName)
  | { type: 'SendingStopped'; streamId: string; reason: string }
  | { type: 'SendingResumed'; streamId: string };

/** Why a delivery waits on a Stream that holds. */
export const HELD = 'the Stream holds what is to leave until a person releases it';

/** @returns undefined when the Event does not leave */
export function departuresOf(org: Org, eventId: string, streamId: string, routes: Route[]): Departure[] | undefined {
  if (routes.length === 0) return undefined;
  const held = org.streams.get(streamId)?.hold ? { held: HELD } : {};
  return routes.map(({ kind, recipient }) => ({
    deliveryId: `d-${eventId.slice(2)}${recipient === undefined ? '' : `-${recipient}`}`,
    kind,
    ...(recipient === undefined ? {} : { recipient }),
    ...held,
  }));
}

export function decideOutbox(
  org: Org,
  command: OutboxCommand,
  context: Context,
  post: (notice: Notice, offset: number) => DomainEvent,
): DomainEvent[] {
  switch (command.type) {
    case 'RecordDelivered': {
      const { type: _, ...delivered } = command;
      return [{ type: 'EventDelivered', ...delivered }];
    }
    case 'RecordDead':
      return recordDead(org, command, post);
    case 'RequeueDeliveries':
      return requeue(org, command, context);
    case 'DiscardDeliveries':
      return named(command).map((name) => ({ type: 'DeliveryDiscarded', ...name }));
    case 'ResumeSending':
      return resumeSending(org, command.streamId);
  }
}

export function resumeSending(org: Org, streamId: string): DomainEvent[] {
  return requireStream(org, streamId).sendingStopped === null ? [] : [{ type: 'SendingResumed', streamId }];
}

function recordDead(
  org: Org,
  { type: _, gone, notice, ...died }: Extract<OutboxCommand, { type: 'RecordDead' }>,
  post: (notice: Notice, offset: number) => DomainEvent,
): DomainEvent[] {
  const { streamId, reason } = died;
  const events: DomainEvent[] = [{ type: 'DeliveryDied', ...died }];
  const stream = org.streams.get(streamId);
  if (gone && stream?.deletedAt === null && stream.sendingStopped === null)
    events.push({ type: 'SendingStopped', streamId, reason });
  // A notice that could not leave must not lead to another one that cannot.
  return notice && streamId !== NOTICES ? [...events, post(notice, events.length)] : events;
}

function requeue(
  org: Org,
  command: Extract<OutboxCommand, { type: 'RequeueDeliveries' }>,
  { actor }: Context,
): DomainEvent[] {
  const { streamId, from } = command;
  requireStream(org, streamId);
  if (from === 'held' && org.workers.get(actor)?.kind === 'ai')
    throw forbidden('Only a person lets go what waits for a person; ask one of them to release it.');
  if (command.deliveryIds.length === 0)
    throw conflict('That delivery is neither held nor dead any more; event_status shows where it stands.');
  return [
    ...resumeSending(org, streamId),
    ...named(command).map((name): DomainEvent => ({ type: 'DeliveryRequeued', ...name })),
  ];
}

function named({ event, streamId, deliveryIds }: Named): DeliveryName[] {
  if (new Set(deliveryIds).size !== deliveryIds.length) throw invalid('A delivery is named twice.');
  return deliveryIds.map((deliveryId) => ({ event, streamId, deliveryId }));
}
