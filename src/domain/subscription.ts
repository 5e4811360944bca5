import { conflict, invalid, notFound } from './errors.ts';
import type { DomainEvent, Org } from './org.ts';
import { requireStream } from './stream.ts';
import { requireWorker } from './worker.ts';

/** Which Events of a Stream wake the subscriber: for each named field, one of the values must match. */
export type SubscriptionFilter = Record<string, string[]>;

export type SubscriptionCommand =
  | { type: 'Subscribe'; streamId: string; filter: SubscriptionFilter | null }
  | { type: 'Unsubscribe'; streamId: string }
  | { type: 'InviteWorkers'; streamId: string; workerIds: string[] };

export type SubscriptionEvent =
  | { type: 'WorkerSubscribed'; workerId: string; streamId: string; filter: SubscriptionFilter | null }
  | { type: 'WorkerUnsubscribed'; workerId: string; streamId: string };

/** Nothing is recorded when the Worker listens already, with the same filter. */
export function subscribeWorker(
  org: Org,
  workerId: string,
  streamId: string,
  filter: SubscriptionFilter | null,
): DomainEvent[] {
  requireWorker(org, workerId);
  const stream = requireStream(org, streamId);
  if (stream.purpose === 'dm' && !stream.members.includes(workerId)) {
    throw conflict(`Stream ${streamId} is a conversation of ${stream.members.join(' and ')}; nobody else can listen.`);
  }
  const current = org.subscriptions.get(streamId)?.get(workerId);
  if (current && JSON.stringify(current.filter) === JSON.stringify(filter)) return [];
  const subscribed: DomainEvent = { type: 'WorkerSubscribed', workerId, streamId, filter };
  return current ? [{ type: 'WorkerUnsubscribed', workerId, streamId }, subscribed] : [subscribed];
}

export function unsubscribeWorker(org: Org, workerId: string, streamId: string): DomainEvent[] {
  requireStream(org, streamId);
  if (!org.subscriptions.get(streamId)?.has(workerId)) {
    throw notFound(`${workerId} does not listen to ${streamId}. subscription ("${workerId}","${streamId}"): record not found`);
  }
  return [{ type: 'WorkerUnsubscribed', workerId, streamId }];
}

/** All of them or none. */
export function inviteWorkers(org: Org, { streamId, workerIds }: { streamId: string; workerIds: string[] }): DomainEvent[] {
  requireStream(org, streamId);
  if (workerIds.length === 0) throw invalid('workerIds must contain at least one worker');
  if (workerIds.some((id) => id.trim() === '')) throw invalid('workerIds contains an empty entry');
  for (const workerId of workerIds) requireWorker(org, workerId);
  return [...new Set(workerIds)]
    .filter((workerId) => !org.subscriptions.get(streamId)?.has(workerId))
    .flatMap((workerId) => subscribeWorker(org, workerId, streamId, null));
}
