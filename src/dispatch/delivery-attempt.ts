// One attempt to deliver: what is to leave, handed to its transport, with a limit of time.
import { randomBytes } from 'node:crypto';
import {
  type Deliverer,
  DeliveryFailure,
  type Outbound,
  type OutboundRequest,
  type Receipt,
} from '../domain/delivery.ts';
import { decodeMessage } from '../domain/message.ts';
import type { Entry } from '../store/entries.ts';
import type { Journal } from '../store/journal.ts';
import { createMask, type Mask } from '../store/mask.ts';
import type { Due } from '../store/outbox.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import { streamSecrets } from '../store/stream-secrets.ts';

/** A transport that sends, with its setting as it is now. */
export type Sender = { send: Deliverer<unknown>; account(): unknown };

export type AttemptDeps = {
  journal: Pick<Journal, 'org'>;
  queries: Pick<Queries, 'entry' | 'file'>;
  settings: Pick<Settings, 'secret' | 'setSecret' | 'secretValues'>;
  senderOf(kind: string): Sender | undefined;
  request: OutboundRequest;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

export type Attempted = { receipt: Receipt } | { failure: DeliveryFailure } | 'interrupted';

const MESSAGE_MAX = 500;

/** Never rejects. @param closing aborted when the daemon stops and does not wait any longer */
export async function attempt(
  deps: AttemptDeps,
  due: Due,
  entry: Entry | undefined,
  closing: AbortSignal,
): Promise<Attempted> {
  const late = new AbortController();
  const sender = deps.senderOf(due.kind);
  const seconds = (sender?.send.attemptMs ?? 0) / 1_000;
  const cancel = deps.after(seconds * 1_000, () =>
    late.abort(new DeliveryFailure('retry', `no answer within ${seconds} s`)),
  );
  const signal = AbortSignal.any([late.signal, closing]);
  try {
    if (!sender) throw new DeliveryFailure('refused', `the Stream's transport sends nothing (any more)`);
    const outbound = outboundOf(deps, due, entry);
    const key = (name: string) => keyOf(deps.settings, name);
    const tools = { account: sender.account(), signal, key, now: deps.now(), request: deps.request };
    return { receipt: await Promise.race([sender.send.deliver(outbound, tools), aborted(signal)]) };
  } catch (error) {
    if (closing.aborted) return 'interrupted';
    return { failure: toFailure(late.signal.aborted ? late.signal.reason : error, createMask(deps.settings)) };
  } finally {
    cancel();
  }
}

/** Not every transport heeds the signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Random, and kept from then on. */
function keyOf(settings: AttemptDeps['settings'], name: string): string {
  const known = settings.secret(name);
  if (known !== undefined) return known;
  const made = randomBytes(32).toString('base64');
  settings.setSecret(name, made);
  return made;
}

function outboundOf(
  { journal, queries, settings, now }: AttemptDeps,
  due: Due,
  entry: Entry | undefined,
): Outbound<unknown> {
  const { id: deliveryId, stream: streamId, recipient } = due;
  const stream = journal.org.streams.get(streamId);
  const { email } = journal.org.workers.get(recipient ?? '') ?? {};
  const bytes = entry?.content.find(({ name }) => name === 'message')?.bytes;
  if (!stream || !bytes || entry.event.type !== 'EventPublished')
    throw new DeliveryFailure('refused', 'there is nothing left of the Event that could be sent');
  return {
    deliveryId,
    eventId: entry.event.id,
    streamId,
    streamName: stream.name,
    config: recipient === null ? stream.transport.config : {},
    ...(recipient === null ? {} : { recipient, ...(email ? { address: email } : {}) }),
    secrets: streamSecrets(settings, streamId, now()),
    message: decodeMessage(bytes) ?? {},
    bytes,
    parts: new Map(
      entry.content
        .filter(({ name }) => name !== 'message')
        .map((part) => [part.name, queries.file(entry.seq, part.name) ?? part.bytes]),
    ),
    hops: entry.hops,
    root: entry.root,
    from: entry.actor,
    at: new Date(entry.at),
  };
}

/** What no transport judged is taken for a trouble of the moment: an unreachable host, a broken connection, a bug. */
function toFailure(error: unknown, mask: Mask): DeliveryFailure {
  const { what, retryAfterMs } =
    error instanceof DeliveryFailure ? error : { what: 'retry' as const, retryAfterMs: undefined };
  return new DeliveryFailure(what, mask(textOf(error)).slice(0, MESSAGE_MAX), retryAfterMs);
}

/** Errors of connections that were tried on several addresses have no message of their own. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(textOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as { code?: string }).code ?? error.name);
}
