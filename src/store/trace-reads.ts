// What `trace` reads beyond the queries of tools and pages: what an entry led to, and what somebody may mean by an id of
// another system. Some of it walks through everything, so it is read on a connection of its own, off the daemon's thread.
import { decodeMessage, type Message } from '../domain/message.ts';
import type { Db } from './database.ts';

/** An entry that names another as its cause. */
export type Effect = { seq: number; type: string; activationId: string | null };

export type TraceReads = {
  /** What names this entry as its cause, oldest first. */
  effects(seq: number, limit: number): Effect[];
  /** The Event that a delivery is of. */
  eventOfDelivery(id: string): number | undefined;
  /** Ids of activations that begin so. */
  activationsLike(prefix: string, limit: number): string[];
  /** The activation of a line of a transcript. */
  activationOfLine(seq: number): string | undefined;
  /** Deliveries by the id under which they were sent, their receipt, or whom they went to; newest first. */
  deliveriesBy(text: string, limit: number): string[];
  /** seqs of Events that came in under this id of a provider's; newest first. */
  receivedAs(key: string, limit: number): number[];
  /** seqs of Events of a thread; on Streams whose transport names this repository where one is given. Newest first. */
  thread(thread: string, repository: string | null, limit: number): number[];
  /**
   * seqs of Events whose Message has this text as one of its values, or this mail address in it; newest first. Of one whose
   * Message-ID it is, only that.
   */
  mentions(text: string, limit: number): number[];
};

export function createTraceReads({ sqlite }: Db): TraceReads {
  const effects = sqlite.prepare(
    'SELECT seq, type, activation_id AS activationId FROM journal WHERE caused_by = ? ORDER BY seq LIMIT ?',
  );
  const delivery = sqlite.prepare('SELECT seq FROM deliveries WHERE id = ?').pluck();
  const activations = sqlite.prepare('SELECT id FROM activations WHERE id >= ? AND id < ? ORDER BY id LIMIT ?').pluck();
  const line = sqlite.prepare('SELECT activation_id FROM transcripts WHERE seq = ?').pluck();
  const sent = sqlite
    .prepare(
      `SELECT id FROM deliveries WHERE message_id = @text OR recipient = @text OR detail LIKE @within ESCAPE '\\'
       ORDER BY entry_seq DESC LIMIT @limit`,
    )
    .pluck();
  // A report about one of many recipients has the recipient behind the id.
  const received = sqlite
    .prepare(
      `SELECT DISTINCT seq FROM idempotency WHERE key = @key OR key LIKE @before ESCAPE '\\' ORDER BY seq DESC LIMIT @limit`,
    )
    .pluck();
  const thread = sqlite
    .prepare(
      `SELECT DISTINCT t.seq FROM threads t JOIN streams s ON s.id = t.stream
       WHERE t.thread = @thread AND (@repository IS NULL OR lower(json_extract(s.transport_config, '$.repo')) = lower(@repository))
       ORDER BY t.seq DESC LIMIT @limit`,
    )
    .pluck();
  const holding = sqlite.prepare(
    `SELECT seq, bytes FROM content WHERE name = 'message' AND bytes IS NOT NULL AND CAST(bytes AS TEXT) LIKE ? ESCAPE '\\'
     ORDER BY seq DESC`,
  );
  return {
    effects: (seq, limit) => effects.all(seq, limit) as Effect[],
    eventOfDelivery: (id) => delivery.get(id) as number | undefined,
    // The last character of an id is none that comes after these.
    activationsLike: (prefix, limit) => activations.all(prefix, `${prefix}~`, limit) as string[],
    activationOfLine: (seq) => line.get(seq) as string | undefined,
    deliveriesBy: (text, limit) => sent.all({ text, within: `% ${escaped(text)}%`, limit }) as string[],
    receivedAs: (key, limit) => received.all({ key, before: `${escaped(key)} %`, limit }) as number[],
    thread: (name, repository, limit) => thread.all({ thread: name, repository, limit }) as number[],
    mentions(text, limit) {
      const found: number[] = [];
      const needle = escaped(JSON.stringify(text).slice(1, -1));
      for (const { seq, bytes } of holding.iterate(`%${needle}%`) as Iterable<{ seq: number; bytes: Buffer }>) {
        const message = decodeMessage(bytes);
        if (message?.message_id === text) return [seq];
        if (message && found.length < limit && isIn(message, text)) found.push(seq);
      }
      return found;
    },
  };
}

/** Taken literally by LIKE. */
const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** A word in the text of a Message does not make it the one that is meant. */
function isIn(message: Message, text: string): boolean {
  const { from = '', to = [], cc = [] } = message;
  return holds(message, text) || [from, ...to, ...cc].some((mailbox) => isAddressIn(mailbox, text.toLowerCase()));
}

/** `Ann <ann@example.com>` and `ann@example.com` alike. */
const isAddressIn = (mailbox: string, address: string): boolean =>
  address.includes('@') &&
  mailbox
    .toLowerCase()
    .split(/[\s<>,;"]+/)
    .includes(address);

function holds(value: unknown, text: string): boolean {
  if (typeof value !== 'object' || value === null) return value === text;
  return Object.values(value).some((part) => holds(part, text));
}
