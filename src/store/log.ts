// Rows of the journal, in and out: the tail of the hash chain, and the seq counter.
import type { DomainEvent } from '../domain/org.ts';
import type { Db } from './database.ts';
import { type Entry, GENESIS, headerValues, type JournalRow, type SaltedPart, toEvent } from './entries.ts';

type StateRow = Pick<JournalRow, 'seq' | 'v' | 'type' | 'actor' | 'root' | 'at' | 'data'>;
export type StateEntry = Pick<Entry, 'seq' | 'actor' | 'root' | 'at' | 'event'>;

export type Log = {
  readonly lastSeq: number;
  /** Hash of the newest entry. */
  readonly head: Buffer;
  /** Inside the caller's transaction. */
  append(row: JournalRow, parts: SaltedPart[], event: DomainEvent): Entry;
  /** The next seq, for a line that is no journal entry. */
  takeSeq(): number;
  /** Facts that shape the org's decision state, in order. Nothing else may be read or written meanwhile. */
  stateEntries(): Iterable<StateEntry>;
  /** Reads the tail again, after a transaction was rolled back. */
  reload(): void;
};

export function createLog({ sqlite }: Db): Log {
  const insertEntry = sqlite.prepare(
    `INSERT INTO journal (seq, v, type, stream, subject, actor, on_behalf_of, via, caused_by, root, hops, activation_id, at,
     data, prev_hash, hash, shapes_org) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertContent = sqlite.prepare('INSERT INTO content VALUES (?, ?, ?, ?)');
  const stateRows = sqlite.prepare(
    'SELECT seq, v, type, actor, root, at, data FROM journal WHERE shapes_org = 1 ORDER BY seq',
  );
  const tail = sqlite.prepare('SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1');
  // Lines that were pruned must not give their numbers to others, so pruning leaves its highest seq in counters.
  const highest = sqlite
    .prepare(
      `SELECT max(coalesce((SELECT max(seq) FROM journal), 0), coalesce((SELECT max(seq) FROM transcripts), 0), coalesce((SELECT max(seq) FROM chat_lines), 0),
       coalesce((SELECT value FROM counters WHERE name = 'seq'), 0))`,
    )
    .pluck();
  let lastSeq = 0;
  let head: Buffer = GENESIS;
  return {
    get lastSeq() {
      return lastSeq;
    },
    get head() {
      return head;
    },
    append(row, parts, event) {
      insertEntry.run(valuesOf(row));
      for (const { name, salt, bytes } of parts) insertContent.run(row.seq, name, salt, bytes);
      lastSeq = row.seq;
      head = row.hash;
      const { data: _, prevHash: _prev, hash: _hash, shapesOrg: _shapes, type: _type, ...header } = row;
      return { ...header, event, content: parts } as Entry;
    },
    takeSeq() {
      lastSeq += 1;
      return lastSeq;
    },
    *stateEntries() {
      for (const row of stateRows.iterate() as Iterable<StateRow>) {
        const { seq, actor, root, at } = row;
        yield { seq, actor, root, at, event: toEvent(row, []) };
      }
    },
    reload() {
      const row = tail.get() as { seq: number; hash: Buffer } | undefined;
      head = row?.hash ?? GENESIS;
      lastSeq = highest.get() as number;
    },
  };
}

/** By place: to bind so many by name costs a tenth of the insert. */
const valuesOf = (row: JournalRow) => [...headerValues(row), row.data, row.prevHash, row.hash, row.shapesOrg ? 1 : 0];
