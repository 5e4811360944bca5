// Full-text search over Messages (SQLite FTS5). Filled behind the journal, so that publishing never waits for it.
import { decodeMessage, type Message } from '../domain/message.ts';
import type { Db } from './database.ts';
import { isUnavailable } from './disk-errors.ts';
import { createEntryReader } from './entry-reader.ts';

export type Search = {
  /**
   * seqs of Events that hold every word, newest first. Words match their beginnings; nothing in the text is syntax. What was
   * published a moment ago is found too, unless more than 2,000 Events have not been taken in yet, as after a flood.
   * @param before exclusive upper end
   */
  find(text: string, options: { stream?: string; before?: number; after?: number; limit: number }): number[];
  /** Takes in the next Events; false when it is up to date. */
  advance(most: number): boolean;
};

const CATCH_UP_SLICE = 500;
/** Some 2,000 Events take 100 ms, in which nobody else is answered; more are left to whoever calls `advance`. */
const CATCH_UP_SLICES = 4;
const WORDS_MAX = 20;

/** What is searched. Taking an Event out again needs the very same texts, since the index keeps none. */
const searchable = ({ from = '', subject = '', body = '' }: Message) => [from, subject, body];

/** Takes an Event out of the index, its words included; its content must still be there. */
export function createSearchErasure(sqlite: Db['sqlite']): (seq: number, message: Message) => void {
  const indexed = sqlite.prepare("SELECT value FROM counters WHERE name = 'search'").pluck();
  const remove = sqlite.prepare(
    "INSERT INTO search (search, rowid, sender, subject, body) VALUES ('delete', ?, ?, ?, ?)",
  );
  return (seq, message) => {
    if (seq <= ((indexed.get() as number | undefined) ?? 0)) remove.run(seq, ...searchable(message));
  };
}

export function createSearch(db: Db): Search {
  const { sqlite } = db;
  const entries = createEntryReader(db, 'message');
  const indexed = sqlite.prepare("SELECT value FROM counters WHERE name = 'search'").pluck();
  const setIndexed = sqlite.prepare(
    "INSERT INTO counters VALUES ('search', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  const next = sqlite.prepare('SELECT seq FROM journal WHERE seq > ? ORDER BY seq LIMIT ?').pluck();
  const insert = sqlite.prepare('INSERT INTO search (rowid, sender, subject, body) VALUES (?, ?, ?, ?)');
  const match = sqlite
    .prepare(
      `SELECT s.rowid FROM search s JOIN journal j ON j.seq = s.rowid
       WHERE search MATCH @query AND s.rowid < @before AND s.rowid > @after AND (@stream IS NULL OR j.stream = @stream)
       ORDER BY s.rowid DESC LIMIT @limit`,
    )
    .pluck();

  function take(seqs: number[]): void {
    for (const { seq, content, stream } of entries(seqs)) {
      if (stream === null) continue;
      const bytes = content.find(({ name }) => name === 'message')?.bytes;
      const message = bytes && decodeMessage(bytes);
      if (message) insert.run(seq, ...searchable(message));
    }
    setIndexed.run(seqs.at(-1));
  }

  function advance(most: number): boolean {
    const seqs = next.all((indexed.get() as number | undefined) ?? 0, most) as number[];
    if (seqs.length === 0) return false;
    sqlite.transaction(take)(seqs);
    return seqs.length === most;
  }

  /** On a full disk, what was taken in before is found at least. */
  function catchUp(): void {
    try {
      for (let slices = 0; slices < CATCH_UP_SLICES && advance(CATCH_UP_SLICE); slices++);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  return {
    advance,
    find(text, { stream, before = Number.MAX_SAFE_INTEGER, after = 0, limit }) {
      catchUp();
      const query = quoted(text);
      return query === '' ? [] : (match.all({ query, before, after, stream: stream ?? null, limit }) as number[]);
    },
  };
}

/** Every word in quotes, so that FTS5 takes none of it for its query language; the last letters may be missing. */
function quoted(text: string): string {
  const words = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words
    .slice(0, WORDS_MAX)
    .map((word) => `"${word}"*`)
    .join(' ');
}
