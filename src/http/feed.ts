// GET /events: every Event the caller may read, as Server-Sent Events.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalid } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import type { Entry } from '../store/entries.ts';
import { type EventView, toView } from '../store/event-reader.ts';
import type { Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import type { TranscriptRow } from '../store/transcripts.ts';
import type { Auth, Credential } from './auth.ts';
import { createFeedClient, type FeedClient, type FeedOptions, toFrame } from './feed-client.ts';
import { allowOnly, type Log, Refusal } from './refusal.ts';
import { toStreamMatcher } from './stream-globs.ts';

export type FeedDeps = {
  auth: Auth;
  journal: Journal;
  queries: Pick<Queries, 'entriesAfter' | 'eventAt' | 'event'>;
  log: Log;
  /** Pause between comments that keep a quiet connection open. */
  keepAliveMs?: number;
};

/** `since`: a seq or an Event's id; `streams`: patterns; `transcripts=1`: their lines too. */
type Query = { since?: unknown; streams?: unknown; transcripts?: unknown };

const TYPE = 'text/event-stream; charset=utf-8';
const KEEP_ALIVE_MS = 15_000;

export function feedRoutes(app: FastifyInstance, deps: FeedDeps): void {
  const { auth, journal, queries, keepAliveMs = KEEP_ALIVE_MS } = deps;
  const clients = new Set<FeedClient>();
  let closing = false;

  const stopListening = journal.onCommit((entries, transcript) => {
    if (clients.size === 0) return;
    for (const view of viewsOf(entries, transcript)) {
      const frame = toFrame(view);
      for (const client of clients) client.offer(view, frame);
    }
  });

  /** What was written, oldest first; lines only when somebody reads them. */
  function viewsOf(entries: readonly Entry[], transcript: readonly TranscriptRow[]): EventView[] {
    const views = entries.flatMap((entry) => toView(entry) ?? []);
    if (transcript.length === 0 || !clients.values().some(({ transcripts }) => transcripts)) return views;
    const lines = transcript.flatMap(({ seq }) => queries.eventAt(seq) ?? []);
    return [...views, ...lines].sort((a, b) => a.seq - b.seq);
  }

  app.get<{ Querystring: Query }>('/events', async (request, reply) => {
    const credential = auth.either(request);
    const options = toOptions(request, deps, credential);
    if (closing) throw new Refusal(503, 'The daemon is stopping.', { 'retry-after': '2' });
    if (request.method === 'HEAD') return reply.type(TYPE).send();
    begin(reply);
    const client = createFeedClient(reply.raw, options, deps);
    clients.add(client);
    const keepAlive = setInterval(() => {
      if (holdsStill(auth, request, credential)) client.comment('keep-alive');
      else client.end('the credential holds no more');
    }, keepAliveMs);
    reply.raw.on('close', () => {
      clearInterval(keepAlive);
      clients.delete(client);
    });
    return reply;
  });
  allowOnly(app, '/events', ['GET']);

  app.addHook('preClose', async () => {
    closing = true;
    stopListening();
    for (const client of clients) client.end('the daemon stops');
    clients.clear();
  });
}

function begin(reply: FastifyReply): void {
  const headers = { 'content-type': TYPE, 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers });
  reply.raw.write('retry: 2000\n\n');
}

function toOptions(
  request: FastifyRequest<{ Querystring: Query }>,
  deps: FeedDeps,
  { workerId }: Credential,
): FeedOptions {
  const { journal } = deps;
  const matches = toStreamMatcher(text(request.query.streams));
  const transcripts = request.query.transcripts === '1';
  return {
    after: startOf(request, deps) ?? journal.lastSeq,
    transcripts,
    wants: (streamId) =>
      matches(streamId) &&
      (transcripts || journal.org.streams.get(streamId)?.purpose !== 'transcript') &&
      mayRead(journal.org, workerId, streamId),
  };
}

/** Where to begin: after what a reconnecting client saw last, else `since`; undefined for now. */
function startOf(
  { headers, query }: FastifyRequest<{ Querystring: Query }>,
  { queries }: FeedDeps,
): number | undefined {
  const given = text(headers['last-event-id']) || text(query.since);
  if (!given) return undefined;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  const event = queries.event(given);
  if (event) return event.seq;
  throw invalid(`since: there is no Event ${given.slice(0, 80)}. Give the id or seq of an Event, or leave it out.`);
}

function holdsStill(auth: Auth, request: FastifyRequest, { id }: Credential): boolean {
  try {
    return auth.either(request).id === id;
  } catch {
    return false;
  }
}

/** A parameter that was given once. */
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
