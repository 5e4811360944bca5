// Reading Events: range scans on (stream, seq). Transcript lines are read as Events of their Streams.
import { activationStreamId, chatStreamId, eventId, seqOfEventId } from '../domain/ids.ts';
import { type Message, parseMessage, textOf } from '../domain/message.ts';
import type { DomainEvent } from '../domain/org.ts';
import type { Db } from './database.ts';
import { type Entry, toEvent } from './entries.ts';
import { createEntryReader, WANTED } from './entry-reader.ts';

/** An Event as tools and pages show it. `message` is absent when the stored bytes are no Message, or were erased. */
export type EventView = {
  id: string;
  seq: number;
  streamId: string;
  /** The Worker who published it; empty for the outside and the daemon. */
  source: string;
  /** The visible text, or the stored bytes as they are. */
  body: string;
  message?: Message;
  createdAt: string;
  /** Why it wakes nobody. */
  quiet?: string;
  redacted?: true;
};

export type EventRange = {
  /** Exclusive lower end. */
  after?: number;
  /** Exclusive upper end. */
  before?: number;
  limit: number;
  /** Only Events of this thread. */
  thread?: string;
};

export type EventReader = {
  /** The newest Events of these Streams within the range, newest first. */
  events(streamIds: string[], range: EventRange): EventView[];
  /** The Event or transcript line with this id. */
  event(id: string): EventView | undefined;
  eventAt(seq: number): EventView | undefined;
  entry(seq: number): Entry | undefined;
  /** Entries after a seq, oldest first: the whole journal as one feed. */
  entriesAfter(seq: number, limit: number): Entry[];
  /** seq of the newest Event or line in a Stream; 0 when there is none. */
  lastSeqOf(streamId: string): number;
};

type EventPublished = Extract<DomainEvent, { type: 'EventPublished' }>;
type EventRow = Pick<Entry, 'seq' | 'v' | 'actor' | 'at'> & { type: string; data: string; message: string | null };
type LineRow = { seq: number; worker: string; at: string; body: string; extra: string | null };

/** Streams whose lines have a table of their own, and how each is named after its Worker. */
const KEPT_APART = [
  { prefix: 's-activations-', table: 'transcripts', streamIdOf: activationStreamId },
  { prefix: 's-chat-', table: 'chat_lines', streamIdOf: chatStreamId },
] as const;
/** Transcript lines have no random part of their own; the zeros still make a valid id. */
const NO_RANDOM = new Uint8Array(10);
const FOREVER = Number.MAX_SAFE_INTEGER;

export function createEventReader(db: Db): EventReader {
  const { sqlite } = db;
  const entries = createEntryReader(db);
  // As text, since bytes come as Buffers, which cost more to make and to clear away than all else here.
  const eventRows = sqlite.prepare(
    `SELECT j.seq, j.v, j.type, j.actor, j.at, j.data, CAST(c.bytes AS TEXT) AS message
     FROM ${WANTED} LEFT JOIN content c ON c.seq = j.seq AND c.name = 'message'`,
  );
  const scan = sqlite
    .prepare('SELECT seq FROM journal WHERE stream = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?')
    .pluck();
  const scanThread = sqlite
    .prepare(
      'SELECT seq FROM threads WHERE thread = ? AND stream = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?',
    )
    .pluck();
  const kept = KEPT_APART.map(({ prefix, table, streamIdOf }) => {
    const columns = `SELECT seq, worker, at, body, extra FROM ${table}`;
    return {
      prefix,
      view: (row: LineRow) => lineView(row, streamIdOf(row.worker)),
      scan: sqlite.prepare(`${columns} WHERE worker = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?`),
      line: sqlite.prepare(`${columns} WHERE seq = ?`),
      newest: sqlite.prepare(`SELECT max(seq) FROM ${table} WHERE worker = ?`).pluck(),
    };
  });
  const keptOf = (streamId: string) => kept.find(({ prefix }) => streamId.startsWith(prefix));
  const newestEvent = sqlite.prepare('SELECT last_seq FROM streams WHERE id = ?').pluck();
  const after = sqlite.prepare('SELECT seq FROM journal WHERE seq > ? ORDER BY seq LIMIT ?').pluck();

  /** In the order asked for, without entries that are no Events. */
  const viewsOf = (seqs: number[]): EventView[] =>
    seqs.length === 0 ? [] : (eventRows.all(JSON.stringify(seqs)) as EventRow[]).flatMap((row) => rowView(row) ?? []);

  function ofStream(streamId: string, { after: from = 0, before = FOREVER, limit, thread }: EventRange): EventView[] {
    const apart = keptOf(streamId);
    if (apart) {
      const worker = streamId.slice(apart.prefix.length);
      return thread === undefined ? (apart.scan.all(worker, from, before, limit) as LineRow[]).map(apart.view) : [];
    }
    return viewsOf(seqsOf(streamId, { after: from, before, limit, ...(thread === undefined ? {} : { thread }) }));
  }

  function seqsOf(streamId: string, { after: from = 0, before = FOREVER, limit, thread }: EventRange): number[] {
    const seqs =
      thread === undefined
        ? scan.all(streamId, from, before, limit)
        : scanThread.all(thread, streamId, from, before, limit);
    return seqs as number[];
  }

  /** Where the newest are; Messages are read when it is known which these are. */
  function placesOf(streamId: string, range: EventRange): { seq: number; line?: EventView }[] {
    return keptOf(streamId)
      ? ofStream(streamId, range).map((line) => ({ seq: line.seq, line }))
      : seqsOf(streamId, range).map((seq) => ({ seq }));
  }

  function lastSeqOf(streamId: string): number {
    const apart = keptOf(streamId);
    if (!apart) return (newestEvent.get(streamId) as number | undefined) ?? 0;
    return (apart.newest.get(streamId.slice(apart.prefix.length)) as number | null) ?? 0;
  }

  function eventAt(seq: number): EventView | undefined {
    const [row] = eventRows.all(JSON.stringify([seq])) as EventRow[];
    if (row) return rowView(row);
    for (const { line, view } of kept) {
      const row = line.get(seq) as LineRow | undefined;
      if (row) return view(row);
    }
    return undefined;
  }

  return {
    events(streamIds, range) {
      if (streamIds.length === 1) return ofStream(streamIds[0] ?? '', range);
      // Newest Stream first, so that quiet ones need not be scanned once enough newer Events are found.
      const active = [...new Set(streamIds)]
        .map((id) => ({ id, lastSeq: lastSeqOf(id) }))
        .filter(({ lastSeq }) => lastSeq > (range.after ?? 0))
        .sort((a, b) => b.lastSeq - a.lastSeq);
      let found: ReturnType<typeof placesOf> = [];
      for (const { id, lastSeq } of active) {
        const oldestKept = found.length >= range.limit ? (found.at(-1)?.seq ?? 0) : 0;
        if (lastSeq <= oldestKept) break;
        found = [...found, ...placesOf(id, range)].sort((a, b) => b.seq - a.seq).slice(0, range.limit);
      }
      const seqs = found.flatMap(({ seq, line }) => (line ? [] : [seq]));
      const views = new Map(viewsOf(seqs).map((view) => [view.seq, view]));
      return found.flatMap(({ seq, line }) => line ?? views.get(seq) ?? []);
    },
    event(id) {
      const seq = seqOfEventId(id);
      const view = seq === undefined ? undefined : eventAt(seq);
      return view?.id === id ? view : undefined;
    },
    eventAt,
    entry: (seq) => entries([seq])[0],
    entriesAfter: (seq, limit) => entries(after.all(seq, limit) as number[]),
    lastSeqOf,
  };
}

/** The Event an entry is, or undefined when it is another kind of fact. */
export function toView(entry: Entry): EventView | undefined {
  const { event } = entry;
  if (event.type !== 'EventPublished') return undefined;
  const bytes = entry.content.find(({ name }) => name === 'message')?.bytes;
  return eventView(entry, event, bytes ? textOf(bytes) : null);
}

function rowView(row: EventRow): EventView | undefined {
  const event = toEvent(row, []);
  return event.type === 'EventPublished' ? eventView(row, event, row.message) : undefined;
}

/** @param text of its Message; null when it was erased */
function eventView(
  { seq, actor, at }: Pick<Entry, 'seq' | 'actor' | 'at'>,
  { id, streamId, quiet }: EventPublished,
  text: string | null,
): EventView {
  const source = actor.startsWith('w-') ? actor : '';
  const common = { id, seq, streamId, source, createdAt: at, ...(quiet === undefined ? {} : { quiet }) };
  if (text === null) return { ...common, body: '', redacted: true };
  const message = parseMessage(text);
  return message ? { ...common, body: message.body ?? '', message } : { ...common, body: text };
}

function lineView({ seq, worker, at, body, extra }: LineRow, streamId: string): EventView {
  const message: Message = { from: worker, body, ...(extra === null ? {} : { extra: JSON.parse(extra) as unknown }) };
  return {
    id: eventId(seq, NO_RANDOM),
    seq,
    streamId,
    source: worker,
    body,
    message,
    createdAt: at,
  };
}
