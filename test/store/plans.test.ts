import { beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { createHeldTriggers } from '../../src/store/held-triggers.ts';
import { createInbox } from '../../src/store/inbox.ts';
import { openJournal } from '../../src/store/journal.ts';
import { createProcesses } from '../../src/store/processes.ts';
import { createQueries } from '../../src/store/queries.ts';
import { createTokens } from '../../src/store/tokens.ts';

/** Every statement that is prepared once and run often → how SQLite goes about it. */
const plans = new Map<string, string[]>();

beforeAll(() => {
  const db = openDatabase(':memory:');
  const prepare = db.sqlite.prepare.bind(db.sqlite);
  db.sqlite.prepare = ((sql: string) => {
    const names = sql.match(/(?<=@)\w+/g);
    const values = names ? [Object.fromEntries(names.map((name) => [name, 1]))] : (sql.match(/\?/g) ?? []).map(() => 1);
    const steps = prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
    plans.set(
      sql.replaceAll('"', '').replace(/\s+/g, ' ').trim(),
      steps.map(({ detail }) => detail),
    );
    return prepare(sql);
  }) as typeof prepare;
  openJournal({ db });
  createQueries(db);
  createInbox(db);
  createHeldTriggers(db);
  createTokens(db);
  createProcesses(db);
  db.sqlite.close();
});

/** What may read a whole table or index, because it is as large as the org and not as its history, or for once. */
const SCANS_ALLOWED = [
  /^select .* from (roles|positions) order by/,
  /^select .* from (workers|streams) where \w+\.(fired|deleted)_at is null order by/,
  /^SELECT id FROM workers WHERE kind = 'ai'/,
  // The decision state, at the start.
  /^SELECT .* FROM journal WHERE shapes_org = 1 ORDER BY seq$/,
  // One row at the end of an index, or of a partial index that holds only what runs.
  /^SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1$/,
  /^SELECT max\(coalesce\(/,
  // The newest of a partial index that holds only the remarks about unanswered questions; and at most 200 Events after one.
  /^SELECT j\.seq, .* FROM journal j JOIN activations a .* ORDER BY j\.seq DESC LIMIT \?$/,
  /^SELECT 1 FROM \(SELECT actor FROM journal WHERE stream = \? AND seq > \? ORDER BY seq LIMIT 200\)/,
  // Full text, by its own index.
  /^SELECT s\.rowid FROM search s/,
  // Redacting, which is rare: the threads, and at most the deliveries of seven days.
  /^DELETE FROM threads WHERE stream = @stream AND seq = @seq$/,
  /^UPDATE idempotency SET body_digest = NULL WHERE seq = \?$/,
];

/** The list of what is wanted is handed over with the statement; it is no table. */
const HANDED_OVER = /^SCAN wanted VIRTUAL TABLE/;

test('no statement reads a whole table, but those that may', () => {
  const scans = (step: string) => step.startsWith('SCAN') && !HANDED_OVER.test(step);
  const scanning = [...plans].filter(([, steps]) => steps.some(scans)).map(([sql]) => sql);
  expect(scanning.filter((sql) => !SCANS_ALLOWED.some((allowed) => allowed.test(sql)))).toEqual([]);
  expect(SCANS_ALLOWED.filter((allowed) => !scanning.some((sql) => allowed.test(sql)))).toEqual([]);
});

test('no statement builds an index or sorts a table to answer', () => {
  const sorting = [...plans].filter(([, steps]) => steps.some((step) => /AUTOMATIC|TEMP B-TREE/.test(step)));
  expect(sorting.map(([sql]) => sql)).toEqual([]);
});

test.each([
  [
    /^SELECT seq FROM journal j WHERE stream =/,
    /^SEARCH j USING INDEX journal_stream \(stream=\? AND seq>\? AND seq<\?\)$/,
  ],
  [
    /^SELECT seq FROM journal WHERE stream =/,
    /^SEARCH journal USING COVERING INDEX journal_stream \(stream=\? AND seq>\? AND seq<\?\)$/,
  ],
  [/FROM json_each\(\?\) wanted CROSS JOIN journal j/, /^SEARCH j USING INTEGER PRIMARY KEY \(rowid=\?\)$/],
  [
    /FROM json_each\(\?\) wanted CROSS JOIN journal j .* AND c\.name =/,
    /^SEARCH c USING INDEX sqlite_autoindex_content_1 \(seq=\? AND name=\?\) LEFT-JOIN$/,
  ],
  [/FROM json_each\(@seqs\) wanted CROSS JOIN set_aside/, /^SEARCH a USING PRIMARY KEY \(worker=\? AND seq=\?\)$/],
  [/^SELECT s\.stream AS stream/, /^SEARCH s USING PRIMARY KEY \(worker=\?\)$/],
  [/^SELECT seq FROM wakes/, /^SEARCH w USING PRIMARY KEY \(worker=\? AND seq>\?\)$/],
  [/^SELECT seq FROM threads/, /^SEARCH threads USING PRIMARY KEY \(thread=\? AND stream=\? AND seq>\? AND seq<\?\)$/],
  [
    /^SELECT seq, worker, at, body, extra FROM transcripts WHERE worker/,
    /USING INDEX transcripts_worker \(worker=\? AND seq>\? AND seq<\?\)$/,
  ],
  [/^SELECT seq, body_digest FROM idempotency/, /USING PRIMARY KEY \(stream=\? AND provider=\? AND key=\?\)$/],
  [/^SELECT seq FROM journal WHERE seq > \? ORDER BY seq/, /^SEARCH journal USING INTEGER PRIMARY KEY \(rowid>\?\)$/],
  [/^select .* from tokens where tokens\.hash =/, /USING INDEX sqlite_autoindex_tokens_2 \(hash=\?\)$/],
  [/^SELECT count\(\*\) FROM activations WHERE root =/, /USING COVERING INDEX activations_root \(root=\?\)$/],
  [/^SELECT a\.id FROM activation_triggers t JOIN activations a/, /^SEARCH a USING INDEX activations_seq \(seq=\?\)$/],
])('%s goes by %s', (statement, step) => {
  const [found] = [...plans].filter(([sql]) => statement.test(sql));
  expect(found, 'no such statement').toBeDefined();
  expect(found![1]).toContainEqual(expect.stringMatching(step));
});
