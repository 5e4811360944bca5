// GET /events: every Event the caller may read, as Server-Sent Events.
//
// A client is `catching up` (reading the journal in windows after its cursor, as fast as it takes them) or `live` (written to by
// each commit). It turns live in the same turn in which it found nothing left to read, so that no Event falls in between and
// none comes twice; it goes back to catching up when too much waits for it in memory. One that takes nothing for a while is
// let go; it resumes with Last-Event-ID.
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalid } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import type { Entry } from '../store/entries.ts';
import { type EventView, toView } from '../store/event-reader.ts';
import type { Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import type { TranscriptRow } from '../store/transcripts.ts';
import type { Auth, Credential } from './auth.ts';
import { allowOnly, type Log, Refusal, unauthorized } from './refusal.ts';
import { toStreamMatcher } from './stream-globs.ts';

export type FeedDeps = {
  auth: Auth;
  journal: Journal;
  queries: Pick<Queries, 'entriesAfter' | 'eventAt' | 'event'>;
  log: Log;
  /** Pause between comments that keep a quiet connection open. */
  keepAliveMs?: number;
};

type Client = {
  response: ServerResponse;
  /** seq of the last Event it was past. */
  cursor: number;
  live: boolean;
  transcripts: boolean;
  wants(streamId: string): boolean;
};

type Query = { since?: string; streams?: string; transcripts?: string };

const TYPE = 'text/event-stream; charset=utf-8';
const KEEP_ALIVE_MS = 15_000;
/** What may wait in memory for a live client before it has to catch up instead. */
const BUFFER_BYTES_MAX = 262_144;
/** Longest a client may take nothing of what waits for it. */
const PATIENCE_MS = 30_000;
/** Entries read at once; each may hold a body of a megabyte. */
const WINDOW = 32;

export function feedRoutes(app: FastifyInstance, deps: FeedDeps): void {
  const { auth, journal } = deps;
  const clients = new Set<Client>();
  let closing = false;

  const stopListening = journal.onCommit((entries, transcript) => {
    if (clients.size === 0) return;
    for (const view of viewsOf(entries, transcript)) {
      const frame = toFrame(view);
      for (const client of clients) {
        if (!client.live) continue;
        send(client, view, frame);
        if (client.response.writableLength <= BUFFER_BYTES_MAX) continue;
        client.live = false;
        follow(client, deps);
      }
    }
  });

  function viewsOf(entries: readonly Entry[], transcript: readonly TranscriptRow[]): EventView[] {
    const events = entries.flatMap((entry) => toView(entry) ?? []);
    for (const { transcripts } of clients) {
      if (!transcripts) continue;
      return [...events, ...transcript.flatMap(({ seq }) => deps.queries.eventAt(seq) ?? [])].sort(
        (a, b) => a.seq - b.seq,
      );
    }
    return events;
  }

  app.get<{ Querystring: Query }>('/events', async (request, reply) => {
    const credential = request.headers.authorization === undefined ? auth.session(request) : auth.bearer(request);
    if (!credential) throw unauthorized();
    if (closing) throw new Refusal(503, 'The daemon is stopping.', { 'retry-after': '2' });
    const client = toClient(request, reply.raw, deps, credential);
    if (request.method === 'HEAD') return reply.type(TYPE).send();
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': TYPE,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    reply.raw.write('retry: 2000\n\n');
    clients.add(client);
    const keepAlive = setInterval(() => {
      if (!stillHolds(auth, request, credential)) client.response.end(': the credential holds no more\n\n');
      else if (!client.response.writableNeedDrain) client.response.write(': keep-alive\n\n');
    }, deps.keepAliveMs ?? KEEP_ALIVE_MS);
    reply.raw.on('close', () => {
      clearInterval(keepAlive);
      clients.delete(client);
    });
    follow(client, deps);
    return reply;
  });
  allowOnly(app, '/events', ['GET']);

  app.addHook('preClose', async () => {
    closing = true;
    stopListening();
    for (const { response } of clients) response.end(': the daemon stops\n\n');
    clients.clear();
  });
}

function send(client: Client, view: EventView, frame: string): void {
  const { response } = client;
  client.cursor = view.seq;
  if (!response.writableEnded && !response.destroyed && client.wants(view.streamId)) response.write(frame);
}

/** Catches up by itself, until live or gone. */
function follow(client: Client, deps: FeedDeps): void {
  catchUp(client, deps).catch((error: unknown) => {
    deps.log.error({ err: error }, 'a feed broke off');
    client.response.destroy();
  });
}

async function catchUp(client: Client, { journal, queries }: FeedDeps): Promise<void> {
  const { response } = client;
  const mayGoOn = async () => !response.writableNeedDrain || (await drained(response));
  while (!response.destroyed && !response.writableEnded) {
    if (!(await mayGoOn())) return letGo(client);
    if (client.cursor >= journal.lastSeq) {
      client.live = true;
      return;
    }
    const { views, through } = readWindow(client, journal, queries);
    for (const view of views) {
      if (!(await mayGoOn())) return letGo(client);
      send(client, view, toFrame(view));
    }
    client.cursor = through;
    await nextTurn();
  }
}

function letGo({ response }: Client): void {
  response.end(': too slow; come back with Last-Event-ID\n\n');
  setTimeout(() => response.destroy(), 1_000).unref();
}

/** The next Events after the cursor, oldest first, and the seq up to which they are all. */
function readWindow({ cursor, transcripts }: Client, { lastSeq }: Journal, queries: FeedDeps['queries']) {
  if (!transcripts) {
    const entries = queries.entriesAfter(cursor, WINDOW);
    const through = entries.length === WINDOW ? (entries.at(-1)?.seq ?? lastSeq) : lastSeq;
    return { views: entries.flatMap((entry) => toView(entry) ?? []), through };
  }
  // Lines and Events share the numbers, so both are found by them.
  const through = Math.min(lastSeq, cursor + WINDOW);
  const views: EventView[] = [];
  for (let seq = cursor + 1; seq <= through; seq++) {
    const view = queries.eventAt(seq);
    if (view) views.push(view);
  }
  return { views, through };
}

function toClient(
  request: FastifyRequest<{ Querystring: Query }>,
  response: ServerResponse,
  deps: FeedDeps,
  { workerId }: Credential,
): Client {
  const { journal } = deps;
  const { streams, transcripts } = request.query;
  const matches = toStreamMatcher(streams);
  const withTranscripts = transcripts === '1';
  return {
    response,
    cursor: startOf(request, deps) ?? journal.lastSeq,
    live: false,
    transcripts: withTranscripts,
    wants: (streamId) =>
      matches(streamId) &&
      (withTranscripts || journal.org.streams.get(streamId)?.purpose !== 'transcript') &&
      mayRead(journal.org, workerId, streamId),
  };
}

/** Where to begin: what a reconnecting client saw last, else `since`, as a seq or an Event's id; undefined for now. */
function startOf(
  { headers, query }: FastifyRequest<{ Querystring: Query }>,
  { queries }: FeedDeps,
): number | undefined {
  const last = headers['last-event-id'];
  const given = typeof last === 'string' && last !== '' ? last : query.since;
  if (given === undefined || given === '') return undefined;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  const event = queries.event(given);
  if (!event)
    throw invalid(
      `since: there is no Event ${given.slice(0, 80)}. Give the id or the seq of an Event, or leave it out.`,
    );
  return event.seq;
}

/** One Event on the wire. JSON holds no line breaks, so it is one line of data. */
function toFrame({ seq, id, streamId, source, body, createdAt, message, redacted }: EventView): string {
  const subject = message?.subject === undefined ? {} : { subject: message.subject };
  const data = JSON.stringify({
    seq,
    id,
    streamId,
    source,
    body,
    createdAt,
    ...subject,
    ...(redacted ? { redacted } : {}),
  });
  return `id: ${seq}\ndata: ${data}\n\n`;
}

function stillHolds(auth: Auth, request: FastifyRequest, { id }: Credential): boolean {
  try {
    return (request.headers.authorization === undefined ? auth.session(request) : auth.bearer(request))?.id === id;
  } catch {
    return false;
  }
}

/** @returns false when the client took too little for too long */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isDrained: boolean) => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onDrain);
      resolve(isDrained);
    };
    const onDrain = () => settle(true);
    const timer = setTimeout(settle, PATIENCE_MS, false);
    response.on('drain', onDrain);
    response.on('close', onDrain);
  });
}
