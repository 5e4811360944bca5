import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, test } from 'vitest';
import { agentSessions } from '../../src/store/agent-schema.ts';
import * as attachmentSchema from '../../src/store/attachment-schema.ts';
import * as chatSchema from '../../src/store/chat-schema.ts';
import { openDatabase } from '../../src/store/database.ts';
import * as outboxSchema from '../../src/store/outbox-schema.ts';
import * as runTables from '../../src/store/run-tables.ts';
import * as schema from '../../src/store/schema.ts';
import { openOrg, testDirectory } from '../support/org.ts';

const OURS = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));
const LATER = '2100-01-01T00:00:00Z';

/** Our migrations and one more, as a later release would have. */
function laterRelease(directory: string, sql: string): string {
  const folder = join(directory, 'later-migrations');
  cpSync(OURS, folder, { recursive: true });
  const index = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(index, 'utf8')) as { entries: { idx: number }[] };
  const idx = journal.entries.length + 1;
  journal.entries.push({ ...journal.entries[0], idx, tag: '9999_later', when: Date.parse(LATER) } as { idx: number });
  writeFileSync(index, JSON.stringify(journal));
  writeFileSync(join(folder, '9999_later.sql'), sql);
  return folder;
}

const version = () => readdirSync(OURS).filter((name) => name.endsWith('.sql')).length;
const tablesOf = (file: string) => {
  const database = new Database(file, { readonly: true });
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  database.close();
  return names;
};

async function foundedFile(directory: string): Promise<string> {
  const file = join(directory, 'org.db');
  const org = openOrg(file);
  await org.found();
  org.close();
  return file;
}

describe('a database', () => {
  test('is opened so that what is acknowledged survives a power cut, and what is erased is zeroed', () => {
    const { sqlite } = openDatabase(join(testDirectory(), 'org.db'));
    const pragma = (name: string) => sqlite.pragma(name, { simple: true });
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(2);
    expect(pragma('secure_delete')).toBe(1);
    expect(pragma('foreign_keys')).toBe(1);
    sqlite.close();
  });

  test('takes values of every type behind `=` and LIMIT as they are given, and leaves texts in quotes alone', () => {
    const { sqlite } = openDatabase(':memory:');
    sqlite.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, x)');
    const values = ['text', '12', 12, 1.5, Buffer.from([0, 255]), null];
    for (const value of values) sqlite.prepare('INSERT INTO t (x) VALUES (?)').run(value);
    const set = sqlite.prepare('UPDATE t SET x = @x WHERE id=@id');
    for (const [index, x] of values.toReversed().entries()) set.run({ x, id: index + 1 });
    expect(sqlite.prepare('SELECT x FROM t ORDER BY id').pluck().all()).toEqual(values.toReversed());
    const found = sqlite.prepare('SELECT id FROM t WHERE x = ? ORDER BY id LIMIT ?').pluck();
    expect([found.all('12', 9), found.all(12, 9), found.all(1.5, 0)]).toEqual([[5], [4], []]);
    expect(sqlite.prepare("SELECT 'it''s a = ? LIMIT @x' || ?").pluck().get('!')).toBe("it's a = ? LIMIT @x!");
    sqlite.close();
  });

  test('is opened less durably only when asked', () => {
    const { sqlite } = openDatabase(join(testDirectory(), 'org.db'), 'normal');
    expect(sqlite.pragma('synchronous', { simple: true })).toBe(1);
    sqlite.close();
  });

  test('that is none is refused, and left as it was', () => {
    const file = join(testDirectory(), 'org.db');
    writeFileSync(file, 'Dear diary, '.repeat(1_000));
    expect(() => openDatabase(file)).toThrow('file is not a database');
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, '.repeat(1_000));
  });

  test('opened again has no copy made of it', async () => {
    const directory = testDirectory();
    const file = await foundedFile(directory);
    openDatabase(file).sqlite.close();
    expect(readdirSync(directory)).toEqual(['org.db']);
  });
});

describe('a later release', () => {
  const migration = 'CREATE TABLE later (id TEXT PRIMARY KEY) STRICT;';

  test('brings the schema up to date, and leaves a copy of how it was', async () => {
    const directory = testDirectory();
    const file = await foundedFile(directory);
    openDatabase(file, 'full', laterRelease(directory, migration)).sqlite.close();
    expect(tablesOf(file)).toContain('later');
    const copy = `${file}.before-${version() + 1}`;
    expect(tablesOf(copy)).not.toContain('later');
    const org = openOrg(copy);
    expect(org.journal.org.workers.has('w-owner')).toBe(true);
    org.close();
  });

  test('copies once, and nothing where there was nothing', async () => {
    const directory = testDirectory();
    const folder = laterRelease(directory, migration);
    const file = await foundedFile(directory);
    openDatabase(file, 'full', folder).sqlite.close();
    rmSync(`${file}.before-${version() + 1}`);
    openDatabase(file, 'full', folder).sqlite.close();
    openDatabase(join(directory, 'new.db'), 'full', folder).sqlite.close();
    expect(readdirSync(directory).filter((name) => name.includes('before'))).toEqual([]);
  });

  test('copies what was still in the write-ahead log', async () => {
    const directory = testDirectory();
    const folder = laterRelease(directory, migration);
    const org = openOrg(join(directory, 'org.db'));
    await org.found();
    // As after a crash: the files as they lie there while the log has not been written back.
    const crashed = join(directory, 'crashed');
    mkdirSync(crashed);
    for (const end of ['', '-wal']) cpSync(join(directory, `org.db${end}`), join(crashed, `org.db${end}`));
    org.close();
    openDatabase(join(crashed, 'org.db'), 'full', folder).sqlite.close();
    const copy = openOrg(join(crashed, `org.db.before-${version() + 1}`));
    expect(copy.journal.org.workers.has('w-owner')).toBe(true);
    copy.close();
  });

  test('that fails changes nothing', async () => {
    const directory = testDirectory();
    const file = await foundedFile(directory);
    const folder = laterRelease(
      directory,
      `${migration}\n--> statement-breakpoint\nCREATE TABLE journal (seq INTEGER);`,
    );
    expect(() => openDatabase(file, 'full', folder)).toThrow();
    expect(tablesOf(file)).not.toContain('later');
    openDatabase(file).sqlite.close();
    expect(existsSync(`${file}.before-${version() + 1}`)).toBe(true);
  });

  test('is needed for what it has written: this one refuses it with a sentence, and touches nothing', async () => {
    const directory = testDirectory();
    const file = await foundedFile(directory);
    openDatabase(file, 'full', laterRelease(directory, migration)).sqlite.close();
    const bytes = readFileSync(file);
    let refused: unknown;
    try {
      openDatabase(file);
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({
      code: 'conflict',
      message: `${file} was written by a newer helix-org; upgrade this one, or restore a copy made before the upgrade.`,
    });
    expect(readFileSync(file)).toEqual(bytes);
  });
});

describe('the migrations', () => {
  const { entries } = JSON.parse(readFileSync(join(OURS, 'meta', '_journal.json'), 'utf8')) as {
    entries: { tag: string; when: number }[];
  };

  test('are all listed, in the order of their names', () => {
    const files = readdirSync(OURS).filter((name) => name.endsWith('.sql'));
    expect(entries.map(({ tag }) => `${tag}.sql`)).toEqual(files.sort());
  });

  test('have rising times: drizzle skips one that is older than the last it ran', () => {
    for (const [index, { when }] of entries.entries()) expect(when).toBeGreaterThan(entries[index - 1]?.when ?? 0);
  });
});

describe('schema.ts', () => {
  const { sqlite } = openDatabase(':memory:');
  const tables = Object.values({
    ...schema,
    ...runTables,
    ...outboxSchema,
    ...attachmentSchema,
    ...chatSchema,
    agentSessions,
  }).filter((value) => is(value, SQLiteTable));

  test('names every table that SQLite has', () => {
    const names = sqlite
      .prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
      )
      .pluck()
      .all();
    expect([...tables.map(getTableName), '__drizzle_migrations'].sort()).toEqual(names.sort());
  });

  test.each(tables.map((table) => [getTableName(table), table] as const))('has the columns of %s', (name, table) => {
    const { columns, primaryKeys } = getTableConfig(table);
    const keys =
      primaryKeys[0]?.columns.map((column) => column.name) ??
      columns.filter((column) => column.primary).map((column) => column.name);
    const ours = columns.map((column) => ({
      name: column.name,
      type: column.getSQLType().toUpperCase(),
      // SQLite does not say so of a rowid.
      notnull: column.primary && column.getSQLType() === 'integer' ? 0 : Number(column.notNull),
      pk: keys.indexOf(column.name) + 1,
    }));
    const theirs = sqlite.prepare(`SELECT name, type, "notnull", pk FROM pragma_table_info('${name}')`).all();
    expect(ours).toEqual(theirs);
  });

  test('lists as read tables those that a rebuild may empty, and no others', () => {
    const operational = ['outbox', 'idempotency', 'transcripts', 'processes', 'tokens', 'settings', 'counters'];
    const kept = ['journal', 'content', ...operational];
    kept.push('agent_sessions', 'attachments', 'attachment_slices', 'conversations', 'chat_lines');
    const read = schema.readTables.map(getTableName);
    expect([...read, ...kept].sort()).toEqual(tables.map(getTableName).sort());
  });

  test('keeps every table strict, so that no column holds what it should not', () => {
    const loose = sqlite
      .prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite%'",
      )
      .pluck()
      .all();
    expect(loose).toEqual(['__drizzle_migrations']);
  });
});
