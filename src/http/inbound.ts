// What comes in from outside, for all transports alike: take the raw bytes, let the transport say what they are, commit,
// answer. The answer comes after the commit, so what was acknowledged is on disk; nobody's activation is waited for.
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { notFound, OrgError } from '../domain/errors.ts';
import type { Org } from '../domain/org.ts';
import type { Once } from '../store/idempotency.ts';
import type { Journal } from '../store/journal.ts';
import { createProvenance, type Provenance } from '../store/provenance.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import { streamSecrets } from '../store/stream-secrets.ts';
import { REPLY_KEY } from '../transports/email-reply-address.ts';
import {
  type AccountSetting,
  type RawRequest,
  type Receiver,
  type Transport,
  type TransportStream,
  Unready,
} from '../transports/transport.ts';
import { causeOf } from './inbound-cause.ts';
import { type Placed, place } from './inbound-placing.ts';
import { createInboundReader, type InboundReader, type Reading } from './inbound-reading.ts';
import { createRoom, type Room, SMALL_BYTES } from './inbound-room.ts';
import { allowOnly, Refusal } from './refusal.ts';

export type InboundDeps = {
  journal: Journal;
  queries: Pick<Queries, 'eventAt' | 'event' | 'entry' | 'activation'>;
  settings: Pick<Settings, 'secret' | 'setSecret' | 'account'>;
  transports: ReadonlyMap<string, Transport>;
};

type Landed = { id: string; streamId: string };

/** Routes of every transport that receives. */
export function inboundRoutes(app: FastifyInstance, deps: InboundDeps): void {
  const reader = createInboundReader();
  const provenance = createProvenance(deps.settings);
  const room = createRoom();
  app.addHook('onClose', () => reader.close());
  const parts = { ...deps, reader, provenance };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    for (const { kind, account, receive } of deps.transports.values()) {
      if (!receive) continue;
      const { path, bodyBytesMax: bodyLimit } = receive;
      const way: Way = { kind, account, receive };
      const onRequest: onRequestHookHandler = (request, reply, done) => {
        // What the sender calls the body is for the transport to judge; to the framework it is bytes, however malformed the name.
        request.headers = { 'content-type': 'application/octet-stream' };
        const length = request.raw.headers['content-length'];
        const bytes = length === undefined ? bodyLimit : Math.min(Number(length), bodyLimit);
        if (bytes <= SMALL_BYTES) done();
        else enter(room, bytes, reply).then(() => done(), done);
      };
      scope.post(path, { bodyLimit, config: REACH, onRequest }, (request, reply) => take(parts, way, request, reply));
      allowOnly(scope, receive.path, ['POST'], REACH);
    }
  });
}

const REACH = { reach: 'inbound' } as const;

/** Waits for room, and gives it back when the request is over. */
async function enter(room: Room, bytes: number, reply: FastifyReply): Promise<void> {
  const leave = await room.take(bytes);
  // Who went away while waiting is not heard of again.
  if (reply.raw.closed) leave();
  else reply.raw.once('close', leave);
}

/** How a kind of transport takes requests. */
type Way = { kind: string; account: AccountSetting | undefined; receive: Receiver<unknown> };

/** @returns what landed: one Event where the path names the Stream, else a list; nothing for providers that read nothing */
async function take(
  deps: InboundDeps & { reader: InboundReader; provenance: Provenance },
  way: Way,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { kind, account, receive } = way;
  const { stream: named } = request.params as { stream?: string };
  const { org } = deps.journal;
  const streams = named === undefined ? allOfKind(org, kind) : [openStream(org, kind, named)];
  const reading = {
    kind,
    request: toRawRequest(request),
    streams: streams.map((id) => toTransportStream(deps, org, id)),
    account: account && deps.settings.account(account.key),
  };
  const { inbound, digest } = await genuine(deps.reader, reading, receive);
  // One that fails fails the request: the provider comes again, and what has landed is recognised then.
  const context = { org, queries: deps.queries, replyKey: deps.settings.secret(REPLY_KEY) };
  const bodyDigest = Buffer.from(digest.buffer, digest.byteOffset, digest.length);
  const placed = inbound.flatMap((one) => place(context, kind, one) ?? []);
  const landed = await Promise.all(placed.map((one) => land(deps, way, one, { bodyDigest, account: reading.account })));
  if (receive.accepted) return reply.code(receive.accepted).send();
  return named === undefined ? { events: landed } : landed[0];
}

async function land(
  deps: InboundDeps & { provenance: Provenance },
  { kind, receive }: Way,
  { actor, streamId, command, delivery, origin }: Placed,
  { bodyDigest, account }: { bodyDigest: Buffer; account: unknown },
): Promise<Landed> {
  const { journal, queries } = deps;
  const cause = origin && (await causeOf(deps, origin, { receive, account }));
  const once: Once | undefined = delivery && {
    stream: streamId,
    provider: delivery.provider,
    key: delivery.key,
    bodyDigest,
    refuseOtherBody: delivery.ownKey,
  };
  const { entries, repeatOf } = await journal.commit(actor, command, {
    via: 'transport',
    ...(once ? { once } : {}),
    ...(cause ? { cause } : {}),
  });
  const published = entries.find(({ event }) => event.type === 'EventPublished')?.event;
  const id =
    published?.type === 'EventPublished'
      ? published.id
      : repeatOf === undefined
        ? undefined
        : queries.eventAt(repeatOf)?.id;
  if (id === undefined) throw new Error(`an accepted ${kind} delivery left no Event on ${streamId}`);
  return { id, streamId };
}

/** @throws OrgError not_found; a conversation, a transcript or the notices take nothing from outside, whatever their transport */
function openStream(org: Org, kind: string, streamId: string): string {
  const stream = org.streams.get(streamId);
  const name = () => JSON.stringify(streamId.slice(0, 100));
  if (!stream || stream.deletedAt !== null) throw notFound(`stream ${name()}: not found`);
  if (stream.transport.kind !== kind || stream.purpose !== 'open')
    throw notFound(`stream ${name()} is not a ${kind} stream`);
  return streamId;
}

function allOfKind(org: Org, kind: string): string[] {
  const open = [...org.streams].filter(
    ([, { transport, purpose, deletedAt }]) => transport.kind === kind && purpose === 'open' && deletedAt === null,
  );
  return open.map(([id]) => id);
}

/** @throws Refusal 503 when a Stream wants signatures and its secret is gone: that is ours to mend, so the sender shall retry */
function toTransportStream({ settings }: InboundDeps, org: Org, id: string): TransportStream<unknown> {
  const config = org.streams.get(id)?.transport.config ?? {};
  if (config.secret !== true) return { id, config, secrets: [] };
  const secrets = streamSecrets(settings, id, new Date());
  if (secrets.length === 0)
    throw new Refusal(503, `stream "${id}" takes signed requests, but its secret is not set on this daemon.`);
  return { id, config, secrets };
}

/** What a transport calls forbidden is a request that did not prove itself: 401. */
async function genuine(reader: InboundReader, reading: Reading, receive: Receiver<unknown>) {
  try {
    return await reader.read(reading, receive);
  } catch (error) {
    if (error instanceof OrgError && error.code === 'forbidden') throw new Refusal(401, error.message);
    if (error instanceof Unready) throw new Refusal(503, error.message);
    throw error;
  }
}

function toRawRequest({ method, url, raw, body }: FastifyRequest): RawRequest {
  const end = url.indexOf('?');
  const [path, query] = end < 0 ? [url, ''] : [url.slice(0, end), url.slice(end + 1)];
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  return { method, path, query, headers: raw.headers, body: bytes, at: new Date() };
}
