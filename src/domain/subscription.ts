import { conflict, forbidden, invalid, notFound } from './errors.ts';
import type { SubscriptionFilter } from './filter.ts';
import { mayRead } from './may-read.ts';
import type { Context, DomainEvent, Org } from './org.ts';
import { requireStream } from './stream.ts';
import { requireWorker } from './worker.ts';

export type SubscriptionCommand =
  | { type: 'Subscribe'; streamId: string; filter: SubscriptionFilter | null }
  | { type: 'Unsubscribe'; streamId: string }
  | {
      type: 'InviteWorkers';
      streamId: string;
      workerIds: string[];
      /** Null is for all Events; left out, whoever listens already keeps the filter it has. */
      filter?: SubscriptionFilter | null;
    };

export type SubscriptionEvent =
  | { type: 'WorkerSubscribed'; workerId: string; streamId: string; filter: SubscriptionFilter | null }
  | { type: 'WorkerUnsubscribed'; workerId: string; streamId: string };

export function subscribe(
  org: Org,
  { streamId, filter }: { streamId: string; filter: SubscriptionFilter | null },
  { actor }: Context,
): DomainEvent[] {
  checkMayListen(org, actor, streamId, actor);
  return subscribeWorker(org, actor, streamId, filter);
}

/** To listen is to read: conversations stay among their members, and nobody opens to others what they may not read. */
export function checkMayListen(org: Org, workerId: string, streamId: string, actor: string): void {
  const { purpose, members } = requireStream(org, streamId);
  if ((purpose === 'dm' || purpose === 'chat') && !members.includes(workerId)) {
    throw conflict(`Stream ${streamId} is a conversation of ${members.join(' and ')}; nobody else can listen.`);
  }
  if (org.workers.has(actor) && !mayRead(org, actor, streamId)) {
    throw forbidden(`Stream ${streamId} is private; only its members bring others to it.`);
  }
}

/** Nothing is recorded when the Worker listens already, with the same filter. */
export function subscribeWorker(
  org: Org,
  workerId: string,
  streamId: string,
  filter: SubscriptionFilter | null,
): DomainEvent[] {
  requireWorker(org, workerId);
  requireStream(org, streamId);
  const current = org.subscriptions.get(streamId)?.get(workerId);
  if (current && JSON.stringify(current.filter) === JSON.stringify(filter)) return [];
  const subscribed: DomainEvent = { type: 'WorkerSubscribed', workerId, streamId, filter };
  return current ? [{ type: 'WorkerUnsubscribed', workerId, streamId }, subscribed] : [subscribed];
}

export function unsubscribeWorker(org: Org, workerId: string, streamId: string): DomainEvent[] {
  requireStream(org, streamId);
  if (!org.subscriptions.get(streamId)?.has(workerId)) {
    throw notFound(
      `${workerId} does not listen to ${streamId}. subscription ("${workerId}","${streamId}"): record not found`,
    );
  }
  return [{ type: 'WorkerUnsubscribed', workerId, streamId }];
}

/** All of them or none. */
export function inviteWorkers(
  org: Org,
  { streamId, workerIds, filter }: { streamId: string; workerIds: string[]; filter?: SubscriptionFilter | null },
  { actor }: Context,
): DomainEvent[] {
  requireStream(org, streamId);
  if (workerIds.length === 0) throw invalid('workerIds must contain at least one worker');
  if (workerIds.some((id) => id.trim() === '')) throw invalid('workerIds contains an empty entry');
  for (const workerId of workerIds) {
    requireWorker(org, workerId);
    checkMayListen(org, workerId, streamId, actor);
  }
  return [...new Set(workerIds)]
    .filter((workerId) => filter !== undefined || !org.subscriptions.get(streamId)?.has(workerId))
    .flatMap((workerId) => subscribeWorker(org, workerId, streamId, filter ?? null));
}
