import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { entryHash, GENESIS, type JournalRow } from '../../src/store/entries.ts';
import { type Verification, verifyJournal } from '../../src/store/verify.ts';
import {
  messageContent,
  openOrg,
  staff,
  stream,
  subscribe,
  type TestOrg,
  testDirectory,
  testOrg,
} from '../support/org.ts';

const GUARDS = [
  'journal_no_update',
  'journal_no_delete',
  'journal_no_replace',
  'content_only_erased',
  'content_no_delete',
  'content_no_replace',
];

let org: TestOrg;
let file: string;
let events: number[];

beforeEach(async () => {
  file = join(testDirectory(), 'org.db');
  org = await staff(await testOrg(file));
  await stream(org, 's-in');
  await subscribe(org, 'w-ada', 's-in');
  events = [];
  for (const body of ['first', 'second', 'third']) events.push(await org.publish('w-owner', 's-in', body));
});

/** What somebody does who has the file and no scruples: takes the guards away, changes, puts them back. */
function tamper(...statements: string[]): Verification {
  const intruder = new Database(file);
  const guards = intruder.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  for (const guard of GUARDS) intruder.exec(`DROP TRIGGER ${guard}`);
  for (const statement of statements) intruder.exec(statement);
  for (const guard of guards) intruder.exec(guard);
  intruder.close();
  return verifyJournal(org.db);
}

const redact = (event: number, alsoErase: number[] = []) =>
  org.entries('w-owner', { type: 'RedactEvent', event, streamId: 's-in', alsoErase, reason: 'Asked to.' });

describe('the append-only guards', () => {
  test.each([
    ["UPDATE journal SET data = '{}' WHERE seq = 1", /append-only/],
    ['UPDATE journal SET seq = seq + 100000', /append-only/],
    ['DELETE FROM journal WHERE seq = 1', /append-only/],
    ['DELETE FROM journal', /append-only/],
    ['INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 2', /append-only/],
    ['REPLACE INTO journal SELECT * FROM journal', /append-only/],
    ["UPDATE content SET bytes = x'00'", /erased, not changed/],
    ["UPDATE content SET bytes = NULL, salt = NULL, name = 'x'", /erased, not changed/],
    ['UPDATE content SET bytes = NULL', /erased, not changed/],
    ['DELETE FROM content', /erased, not deleted/],
    ["INSERT OR REPLACE INTO content SELECT seq, name, x'00', x'00' FROM content", /erased, not changed/],
  ])('refuse %s', (statement, reason) => {
    expect(() => org.db.sqlite.exec(statement)).toThrow(reason);
    expect(verifyJournal(org.db).problems).toEqual([]);
  });

  test('refuse an entry that is no new one at the end', () => {
    const rows = org.db.sqlite.prepare('SELECT * FROM journal WHERE seq = 2');
    const insert = `INSERT INTO journal VALUES (${Array.from({ length: 17 }, () => '?').join()})`;
    const values = Object.values(rows.get() as object);
    for (const seq of [-1, 0, 2])
      expect(() => org.db.sqlite.prepare(insert).run(seq, ...values.slice(1))).toThrow(/append-only/);
  });

  test('still let content be erased', () => {
    org.db.sqlite.exec(`UPDATE content SET salt = NULL, bytes = NULL WHERE seq = ${events[0]}`);
  });
});

describe('a journal as it was written', () => {
  test('verifies, with its length and the link that anybody may note down', () => {
    const count = org.db.sqlite.prepare('SELECT count(*) FROM journal').pluck().get();
    const head = org.db.sqlite
      .prepare('SELECT hex(hash) FROM journal ORDER BY seq DESC LIMIT 1')
      .pluck()
      .get() as string;
    expect(verifyJournal(org.db)).toEqual({ entries: count, redacted: 0, head: head.toLowerCase(), problems: [] });
  });

  test('verifies while gaps are in its numbers', async () => {
    org.journal.transcribe([{ worker: 'w-ada', activationId: 'a-1', at: '2026-01-01T00:00:00.000Z', body: 'x' }]);
    await org.journal.flush();
    await org.publish('w-owner', 's-in', 'after the gap');
    expect(verifyJournal(org.db).problems).toEqual([]);
  });

  test('verifies after redactions, and counts what was erased', async () => {
    await redact(events[0]!);
    await redact(events[2]!);
    expect(verifyJournal(org.db)).toMatchObject({ redacted: 2, problems: [] });
  });

  test('verifies when it is empty', () => {
    const empty = openOrg();
    expect(verifyJournal(empty.db)).toEqual({ entries: 0, redacted: 0, head: GENESIS.toString('hex'), problems: [] });
    empty.close();
  });

  test('has all its links over the text that is stored', () => {
    const row = org.db.sqlite.prepare('SELECT * FROM journal WHERE seq = 3').get() as Record<string, never>;
    const asRow = {
      ...row,
      onBehalfOf: row.on_behalf_of,
      causedBy: row.caused_by,
      activationId: row.activation_id,
      prevHash: row.prev_hash,
    } as unknown as JournalRow;
    expect(entryHash(asRow)).toEqual(row.hash);
  });
});

describe('verify names', () => {
  const sqlite3 = spawnSync('sqlite3', ['--version']).status === 0;

  test.skipIf(!sqlite3)('the entry of which one byte was edited with the sqlite3 shell', () => {
    const seq = events[1]!;
    const guard = org.db.sqlite
      .prepare("SELECT sql FROM sqlite_schema WHERE name = 'journal_no_update'")
      .pluck()
      .get() as string;
    const edit = `DROP TRIGGER journal_no_update; UPDATE journal SET data = replace(data, '"s-in"', '"s-on"') WHERE seq = ${seq}; ${guard};`;
    const { status, stderr } = spawnSync('sqlite3', [file, edit], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(verifyJournal(org.db).problems).toEqual([
      { seq, problem: 'was changed: its hash does not fit what it says' },
    ]);
  });

  test.each([
    ['data', "data || ' '"],
    ['actor', "'w-eve'"],
    ['on_behalf_of', "'w-eve'"],
    ['at', "'2020-01-01T00:00:00.000Z'"],
    ['type', "'OrgPaused'"],
    ['via', "'ui'"],
    ['hops', 'hops + 1'],
    ['root', 'root + 1'],
    ['caused_by', '1'],
    ['activation_id', "'a-1'"],
    ['stream', "'s-on'"],
    ['subject', "'s-on'"],
    ['v', '2'],
  ])('an entry whose %s was changed', (column, value) => {
    const { problems } = tamper(`UPDATE journal SET ${column} = ${value} WHERE seq = ${events[1]}`);
    expect(problems[0]).toMatchObject({ seq: events[1], problem: expect.stringMatching(/was changed/) });
  });

  test('an entry that is filed wrongly, so that a restart would not read it', () => {
    const { problems } = tamper('UPDATE journal SET shapes_org = 0 WHERE seq = 2');
    expect(problems).toEqual([{ seq: 2, problem: 'is filed wrongly: shapes_org does not fit its type' }]);
  });

  test('the entry after one that was removed', () => {
    const { problems } = tamper(
      `DELETE FROM journal WHERE seq = ${events[1]}`,
      `DELETE FROM content WHERE seq = ${events[1]}`,
    );
    expect(problems).toEqual([
      { seq: events[2], problem: expect.stringMatching(/^does not follow the entry before it/) },
    ]);
  });

  test('what was removed at the end, by the content it leaves behind', () => {
    const { problems } = tamper(`DELETE FROM journal WHERE seq = ${events[2]}`);
    expect(problems).toEqual([{ seq: events[2], problem: 'has content but no entry' }]);
  });

  test('entries that were exchanged', () => {
    const [a, b] = [events[0], events[1]];
    const { problems } = tamper(
      `UPDATE journal SET seq = -1 WHERE seq = ${a}`,
      `UPDATE journal SET seq = ${a} WHERE seq = ${b}`,
      `UPDATE journal SET seq = ${b} WHERE seq = -1`,
    );
    expect(new Set(problems.map(({ seq }) => seq))).toEqual(new Set(events));
  });

  test('an entry slipped in between', () => {
    const { problems } = tamper(
      `UPDATE journal SET seq = seq + 1 WHERE seq = ${events[2]}`,
      `INSERT INTO journal SELECT ${events[2]}, v, type, NULL, subject, actor, on_behalf_of, via, caused_by, root, hops,
       activation_id, at, data, prev_hash, hash, shapes_org FROM journal WHERE seq = 2`,
    );
    expect(problems.map(({ seq }) => seq)).toContain(events[2]);
  });

  test('a forger who makes the links anew, as long as someone noted the head', () => {
    const noted = verifyJournal(org.db).head;
    const intruder = new Database(file);
    for (const guard of GUARDS) intruder.exec(`DROP TRIGGER ${guard}`);
    intruder.exec(`UPDATE journal SET actor = 'w-eve' WHERE seq = ${events[0]}`);
    let prev: Buffer = Buffer.from(
      intruder.prepare(`SELECT prev_hash FROM journal WHERE seq = ${events[0]}`).pluck().get() as Buffer,
    );
    for (const seq of events) {
      const row = intruder.prepare('SELECT * FROM journal WHERE seq = ?').get(seq) as Record<string, unknown>;
      const { on_behalf_of: onBehalfOf, caused_by: causedBy, activation_id: activationId } = row;
      const hash = entryHash({ ...row, onBehalfOf, causedBy, activationId, prevHash: prev } as never);
      intruder.prepare('UPDATE journal SET prev_hash = ?, hash = ? WHERE seq = ?').run(prev, hash, seq);
      prev = hash;
    }
    intruder.close();
    const verified = verifyJournal(org.db);
    expect(verified.head).not.toBe(noted);
    expect(verified.problems.every(({ seq }) => seq === 0)).toBe(true);
  });

  test('content that was changed', () => {
    const { problems } = tamper(
      `UPDATE content SET bytes = CAST('{"body":"forged"}' AS BLOB) WHERE seq = ${events[0]}`,
    );
    expect(problems).toEqual([{ seq: events[0], problem: 'its content "message" was changed' }]);
  });

  test('content whose salt was changed', () => {
    const { problems } = tamper(`UPDATE content SET salt = zeroblob(16) WHERE seq = ${events[0]}`);
    expect(problems).toEqual([{ seq: events[0], problem: 'its content "message" was changed' }]);
  });

  test('content that was erased without a redaction', () => {
    const { problems } = tamper(`UPDATE content SET salt = NULL, bytes = NULL WHERE seq = ${events[0]}`);
    expect(problems).toEqual([{ seq: events[0], problem: 'its content "message" was erased without a redaction' }]);
  });

  test('content that was taken away, added, or belongs to no entry', () => {
    const { problems } = tamper(
      `DELETE FROM content WHERE seq = ${events[0]}`,
      `INSERT INTO content VALUES (${events[1]}, 'extra', x'00', x'00')`,
      `UPDATE content SET name = 'massage' WHERE seq = ${events[2]}`,
      "INSERT INTO content VALUES (999999, 'message', x'00', x'00')",
    );
    expect(problems).toEqual([
      { seq: events[0], problem: 'has other content than it says' },
      { seq: events[1], problem: 'has other content than it says' },
      { seq: events[2], problem: 'lacks its content "message"' },
      { seq: 999_999, problem: 'has content but no entry' },
    ]);
  });

  test.each([
    ['salt = x\'00\', bytes = CAST(\'{"body":"forged"}\' AS BLOB)'],
    ['salt = NULL, bytes = CAST(\'{"body":"forged"}\' AS BLOB)'],
    ["salt = x'00', bytes = NULL"],
  ])('words put into the mouth of a redacted Event (%s)', async (change) => {
    await redact(events[0]!);
    const { problems } = tamper(`UPDATE content SET ${change} WHERE seq = ${events[0]}`);
    expect(problems).toEqual([{ seq: events[0], problem: 'still has content "message" although it was redacted' }]);
  });

  test('a redaction that was itself removed', async () => {
    const [entry] = await redact(events[0]!);
    await org.publish('w-owner', 's-in', 'later');
    const { problems } = tamper(`DELETE FROM journal WHERE seq = ${entry!.seq}`);
    expect(problems.map(({ problem }) => problem)).toEqual([
      'its content "message" was erased without a redaction',
      expect.stringMatching(/^does not follow/),
    ]);
  });

  test('what is no JSON any more, without failing itself', async () => {
    const [entry] = await redact(events[0]!);
    const { problems } = tamper(
      `UPDATE journal SET data = '{' WHERE seq = ${events[1]}`,
      `UPDATE journal SET data = 'null' WHERE seq = ${events[2]}`,
      `UPDATE journal SET data = '{"alsoErased":7}' WHERE seq = ${entry!.seq}`,
    );
    expect(new Set(problems.map(({ seq }) => seq))).toEqual(new Set([...events, entry!.seq]));
  });

  test.each(GUARDS)('the guard %s when it is missing', (guard) => {
    org.db.sqlite.exec(`DROP TRIGGER ${guard}`);
    expect(verifyJournal(org.db).problems).toEqual([
      { seq: 0, problem: `the trigger ${guard}, which keeps the journal append-only, is missing` },
    ]);
  });

  test('a hundred problems and no more, however many there are', async () => {
    await Promise.all(Array.from({ length: 300 }, () => org.publish('w-owner', 's-in', 'x')));
    expect(tamper("UPDATE journal SET via = 'ui'").problems).toHaveLength(100);
  });
});

test('two Events that say the same have different digests, so that none can be guessed from the other', async () => {
  const data = await Promise.all(
    [1, 2].map(async () => {
      const content = messageContent('yes');
      const [entry] = await org.entries('w-owner', { type: 'Publish', streamId: 's-in', content });
      return org.db.sqlite.prepare('SELECT data FROM journal WHERE seq = ?').pluck().get(entry!.seq) as string;
    }),
  );
  const digests = data.map((text) => (JSON.parse(text) as { content: { digest: string }[] }).content[0]!.digest);
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(digests[0]).not.toBe(digests[1]);
});
