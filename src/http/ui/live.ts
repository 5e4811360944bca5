// GET /ui/live: the one connection of an open page. It tells which topics changed (`live:org`), so that the page asks for the
// partials that show them, or brings a rendered piece along. Signals are gathered for a moment, so a busy org costs a page two
// requests a second at most, and an idle one none. Ids are seqs: whoever comes back with Last-Event-ID misses nothing.
import type { FastifyReply } from 'fastify';
import { activationStreamId, chatStreamId } from '../../domain/ids.ts';
import type { Entry } from '../../store/entries.ts';
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import type { Auth } from '../auth.ts';
import { Refusal } from '../refusal.ts';
import { createLiveClient, type LiveClient } from './live-client.ts';
import { type Topic, topicsOf } from './live-topics.ts';
import type { Visit } from './visit.ts';

export type LiveDeps = {
  auth: Auth;
  journal: Journal;
  queries: Pick<Queries, 'entriesAfter' | 'lastSeqOf'>;
  keepAliveMs?: number | undefined;
};

export type Live = {
  /** Answers with the stream of a page. */
  connect(visit: Visit, reply: FastifyReply): FastifyReply;
  /**
   * Sends what `render` makes of an entry to every page that listens to the topic, instead of a signal, at once. It is made
   * once for all of them, so it must be the same for everybody who may read the topic: `<hx-partial hx-target="…">…</hx-partial>`.
   */
  carry(topic: 'stream' | 'transcript', render: (entry: Entry) => string | undefined): void;
  /** Sends HTML to every page that listens to the topic, at once; a page that is behind asks for it anew. */
  bring(topic: Topic, html: string): void;
  /** Whether any page listens to a topic. */
  hears(topic: Topic): boolean;
  /** Tells every page that listens that a topic changed. */
  mark(topic: Topic): void;
  /** Ends every connection. */
  close(): void;
};

const KEEP_ALIVE_MS = 15_000;
const TOPICS_MAX = 20;
/** A page that missed more than this asks for all of it anew. */
const REPLAY_MAX = 300;

export function createLive({ auth, journal, queries, keepAliveMs = KEEP_ALIVE_MS }: LiveDeps): Live {
  const clients = new Set<LiveClient>();
  const renderers = new Map<string, (entry: Entry) => string | undefined>();
  let closing = false;

  const stopListening = journal.onCommit((entries, transcript) => {
    if (clients.size === 0) return;
    const seq = Math.max(entries.at(-1)?.seq ?? 0, transcript.at(-1)?.seq ?? 0);
    const lines = new Set(transcript.map(({ worker, isChat }): Topic => `${isChat ? 'chat' : 'transcript'}:${worker}`));
    tell(clients, entries, lines, seq);
  });

  function tell(to: ReadonlySet<LiveClient>, entries: readonly Entry[], more: Iterable<Topic>, seq: number): void {
    const pieces = entries.map((entry) => pieceOf(entry, to));
    const changed = new Set<Topic>([...more, ...pieces.flatMap(({ topics }) => topics)]);
    if (entries.length > 0) changed.add('journal');
    for (const client of to) {
      for (const { carried, html } of pieces) if (carried && html !== undefined) client.bring(carried, html, seq);
      client.mark(changed, seq);
    }
  }

  /** The topics an entry changes; one of them may be brought as HTML instead. */
  function pieceOf(entry: Entry, to: ReadonlySet<LiveClient>): { topics: Topic[]; carried?: Topic; html?: string } {
    const topics = topicsOf(entry.event);
    const carried = topics.find((topic) => renderers.has(topic.split(':')[0] ?? '') && topic.includes(':'));
    const isWanted = carried !== undefined && [...to].some((client) => client.wants(carried));
    // Nobody waits for it, so it need not be made.
    const html = isWanted && renderers.get(carried.split(':')[0] ?? '')?.(entry);
    return carried && typeof html === 'string'
      ? { topics: topics.filter((topic) => topic !== carried), carried, html }
      : { topics };
  }

  /** What happened since the page was rendered, or since its connection broke. */
  function replay(client: LiveClient, since: number, topics: Topic[]): void {
    if (since >= journal.lastSeq) return;
    const missed = queries.entriesAfter(since, REPLAY_MAX);
    const lines = topics.filter((topic) => {
      const [kind, id = ''] = split(topic);
      return (kind === 'transcript' || kind === 'chat') && queries.lastSeqOf(streamOf(kind, id)) > since;
    });
    if (missed.length < REPLAY_MAX) tell(new Set([client]), missed, lines, journal.lastSeq);
    else client.mark(new Set(topics), journal.lastSeq);
  }

  return {
    connect(visit, reply) {
      if (closing) throw new Refusal(503, 'The daemon is stopping.', { 'retry-after': '2' });
      const topics = visit.param('topics').split(',').slice(0, TOPICS_MAX) as Topic[];
      begin(reply);
      const client = createLiveClient(reply.raw, topics, (topic) => mayHear(visit, topic));
      clients.add(client);
      replay(client, sinceOf(visit), topics);
      const keepAlive = setInterval(() => {
        if (auth.session(visit.request)?.id === visit.credential.id) client.comment('keep-alive');
        else client.end();
      }, keepAliveMs);
      reply.raw.on('close', () => {
        clearInterval(keepAlive);
        clients.delete(client);
        client.end();
      });
      return reply;
    },
    carry: (topic, render) => void renderers.set(topic, render),
    bring(topic, html) {
      for (const client of clients) client.bring(topic, html, journal.lastSeq);
    },
    hears: (topic) => [...clients].some((client) => client.wants(topic)),
    mark(topic) {
      for (const client of clients) client.mark(new Set([topic]), journal.lastSeq);
    },
    close() {
      closing = true;
      stopListening();
      for (const client of clients) client.end();
      clients.clear();
    },
  };
}

function begin(reply: FastifyReply): void {
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  };
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers });
  reply.raw.write(': connected\n\n');
}

function sinceOf(visit: Visit): number {
  const last = visit.request.headers['last-event-id'];
  const given = typeof last === 'string' && last !== '' ? last : visit.param('since');
  return /^\d{1,15}$/.test(given) ? Number(given) : Number.MAX_SAFE_INTEGER;
}

/** That something was said is for those who may read it; everything else is seen by everybody. */
function mayHear(visit: Visit, topic: Topic): boolean {
  const [kind, id] = split(topic);
  if (id === undefined) return true;
  return visit.mayRead(streamOf(kind, id));
}

function streamOf(kind: string, id: string): string {
  if (kind === 'chat') return chatStreamId(id);
  return kind === 'transcript' ? activationStreamId(id) : id;
}

const split = (topic: string): [kind: string, id?: string] => {
  const colon = topic.indexOf(':');
  return colon < 0 ? [topic] : [topic.slice(0, colon), topic.slice(colon + 1)];
};
