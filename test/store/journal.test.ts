import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { OWNER } from '../../src/domain/ids.ts';
import type { Command } from '../../src/domain/org.ts';
import { openJournal } from '../../src/store/journal.ts';
import { dumpReadTables } from '../../src/store/rebuild.ts';
import type { TranscriptLine } from '../../src/store/transcripts.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import {
  hire,
  openOrg,
  refusal,
  staff,
  stream,
  subscribe,
  type TestOrg,
  testDirectory,
  testOrg,
  typesOf,
} from '../support/org.ts';

const createRole = (roleId: string): Command => ({ type: 'CreateRole', roleId, content: 'x' });
const line = (body: string, activationId = 'a-1'): TranscriptLine => ({
  worker: 'w-ada',
  activationId,
  at: '2026-01-01T00:00:00.000Z',
  body,
});

const linesOf = ({ db }: TestOrg) => db.sqlite.prepare('SELECT body FROM transcripts ORDER BY seq').pluck().all();
const entryCount = ({ db }: TestOrg) => db.sqlite.prepare('SELECT count(*) FROM journal').pluck().get() as number;

/** Every statement given to `exec`, which is how transactions begin and end; `fault` may make one fail. */
function watch({ db: { sqlite } }: TestOrg, fault?: (statement: string) => void): string[] {
  const seen: string[] = [];
  const exec = sqlite.exec.bind(sqlite);
  sqlite.exec = (statement) => {
    seen.push(statement);
    fault?.(statement);
    return exec(statement);
  };
  return seen;
}

const sqliteError = (code: string) => Object.assign(new Error(code), { code });

/** Fails whenever a row of this table with this id is written. */
const poison = ({ db }: TestOrg, table: string, id: string, how: 'ABORT' | 'ROLLBACK' = 'ABORT') =>
  db.sqlite.exec(
    `CREATE TEMP TRIGGER poison_${table} BEFORE INSERT ON main.${table} WHEN NEW.id = '${id}'
     BEGIN SELECT RAISE(${how}, 'poisoned'); END`,
  );

/** What is decided on must be what is on disk. */
function expectSound(org: TestOrg) {
  expect(openJournal({ db: org.db }).org).toEqual(org.journal.org);
  expect(verifyJournal(org.db).problems).toEqual([]);
}

describe('an entry', () => {
  test('says who, through which door, in whose name, and where in a chain', async () => {
    const org = await staff(await testOrg());
    await stream(org, 's-in');
    const cause = { causedBy: 3, root: 2, hops: 1, activationId: 'a-1' };
    const [published] = await org.entries(
      'w-ada',
      { type: 'Publish', streamId: 's-in', content: [] },
      { via: 'mcp', onBehalfOf: 'w-bob', cause },
    );
    expect(published).toMatchObject({ actor: 'w-ada', via: 'mcp', onBehalfOf: 'w-bob', stream: 's-in', subject: null });
    expect(published).toMatchObject({ causedBy: 3, root: 2, hops: 2, activationId: 'a-1', v: 1 });
    expect(published!.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('read from disk is what the commit gave', async () => {
    const org = await staff(await testOrg());
    await stream(org, 's-in');
    const seq = await org.publish('w-owner', 's-in', { body: 'hi', subject: 'x' });
    const { entries } = await org.commit('w-owner', { type: 'FireWorker', workerId: 'w-ada' });
    for (const entry of [...entries, (await hire(org, 'w-new'))[0]!])
      expect(org.queries.entry(entry.seq)).toEqual(entry);
    expect(org.queries.entry(seq)).toMatchObject({ event: { type: 'EventPublished', streamId: 's-in' } });
  });

  test('stands one hop from the people and the outside, and one more for each AI Worker', async () => {
    const org = await staff(await testOrg());
    await stream(org, 's-in');
    const hops = async (actor: string, before?: number) => {
      const options = before === undefined ? {} : { cause: { causedBy: 1, root: 1, hops: before } };
      return (await org.entries(actor, { type: 'Publish', streamId: 's-in', content: [] }, options))[0]!.hops;
    };
    expect(await hops(OWNER, 5)).toBe(0);
    expect(await hops('w-eve', 5)).toBe(0);
    expect(await hops('transport:webhook')).toBe(0);
    expect(await hops('w-ada')).toBe(1);
    expect(await hops('w-ada', 5)).toBe(6);
    expect(await hops('system', 5)).toBe(5);
  });

  test('after the first of a decision is caused by the first, and all share its root', async () => {
    const org = await testOrg();
    const entries = await hire(org, 'w-ada');
    const first = entries[0]!;
    expect(entries.length).toBeGreaterThan(2);
    expect(first).toMatchObject({ causedBy: null, root: first.seq });
    for (const entry of entries.slice(1)) expect(entry).toMatchObject({ causedBy: first.seq, root: first.seq });
  });

  test('of a notice is the daemon’s, whoever set it off', async () => {
    const org = await staff(await testOrg(undefined, { limits: () => ({ maxHops: 0 }) }));
    await stream(org, 's-in');
    await subscribe(org, 'w-bob', 's-in');
    const { entries } = await org.commit('w-ada', { type: 'Publish', streamId: 's-in', content: [] });
    expect(entries.map(({ actor, stream: on }) => [actor, on])).toEqual([
      ['w-ada', 's-in'],
      ['w-ada', null],
      ['system', 's-notices'],
    ]);
  });
});

describe('commands of one turn', () => {
  test('share one transaction', async () => {
    const org = await testOrg();
    const seen = watch(org);
    await Promise.all(Array.from({ length: 200 }, (_, n) => org.commit(OWNER, createRole(`r-${n}`))));
    expect(seen).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    expect(org.journal.org.roles.size).toBe(201);
  });

  test('are answered only after the commit', async () => {
    const org = await testOrg();
    const order = watch(org);
    const answered = org.commit(OWNER, createRole('r-a')).then(() => order.push('answered'));
    const refused = org.commit(OWNER, createRole('r-a')).catch(() => order.push('refused'));
    await Promise.all([answered, refused]);
    expect(order).toEqual(['BEGIN IMMEDIATE', 'COMMIT', 'answered', 'refused']);
  });

  test('are decided one after the other, and a refusal undoes only itself', async () => {
    const org = await testOrg();
    const [first, second, third] = await Promise.allSettled([
      org.commit(OWNER, createRole('r-a')),
      org.commit(OWNER, createRole('r-a')),
      org.commit(OWNER, { type: 'CreatePosition', positionId: 'p-a', roleId: 'r-a', parentId: null }),
    ]);
    expect([first.status, second.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expectSound(org);
  });

  test('that are very many take several turns, in order', async () => {
    const org = await testOrg();
    const seen = watch(org);
    const all = await Promise.all(Array.from({ length: 600 }, (_, n) => org.entries(OWNER, createRole(`r-${n}`))));
    expect(seen.filter((statement) => statement === 'COMMIT')).toHaveLength(3);
    expect(all.map(([entry]) => entry!.seq)).toEqual(all.map((_, n) => all[0]![0]!.seq + n));
  });

  test('that do nothing write nothing', async () => {
    const org = await testOrg();
    const before = entryCount(org);
    expect(await org.commit(OWNER, { type: 'ResumeOrg' })).toEqual({ entries: [] });
    expect(entryCount(org)).toBe(before);
  });
});

describe('a bug in one command', () => {
  test.each(['ABORT', 'ROLLBACK'] as const)('fails only that command (%s)', async (how) => {
    const org = await testOrg();
    poison(org, 'roles', 'r-bad', how);
    org.journal.transcribe([line('kept')]);
    const settled = await Promise.allSettled(['r-a', 'r-bad', 'r-b'].map((id) => org.commit(OWNER, createRole(id))));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: expect.objectContaining({ message: 'poisoned' }) });
    expect([...org.journal.org.roles]).toEqual(['r-owner', 'r-a', 'r-b']);
    expect(linesOf(org)).toEqual(['kept']);
    expectSound(org);
  });

  test('leaves no trace of the facts it had recorded before it failed', async () => {
    const org = await testOrg();
    poison(org, 'streams', 's-activations-w-ada');
    const before = [entryCount(org), dumpReadTables(org.db)];
    await expect(hire(org, 'w-ada')).rejects.toThrow('poisoned');
    expect([entryCount(org), dumpReadTables(org.db)]).toEqual(before);
    expect(org.journal.org.workers.has('w-ada')).toBe(false);
    expectSound(org);
  });

  test('does not take the transcript lines of the same turn with it', async () => {
    const org = await testOrg();
    poison(org, 'roles', 'r-bad');
    org.journal.transcribe([line('one'), line('two')]);
    await expect(org.commit(OWNER, createRole('r-bad'))).rejects.toThrow('poisoned');
    await org.journal.flush();
    expect(linesOf(org)).toEqual(['one', 'two']);
  });

  test('gives the numbers it would have had to the next, which nobody has seen', async () => {
    const org = await testOrg();
    poison(org, 'roles', 'r-bad');
    const last = org.journal.lastSeq;
    await expect(org.commit(OWNER, createRole('r-bad'))).rejects.toThrow('poisoned');
    const [entry] = await org.entries(OWNER, createRole('r-a'));
    expect(entry!.seq).toBe(last + 1);
    expectSound(org);
  });
});

test('a transcript line that cannot be written is lost alone, and not silently', async () => {
  const bugs: unknown[] = [];
  const org = await testOrg(undefined, { onBug: (error) => bugs.push(error) });
  const bad = { ...line('bad'), body: { not: 'text' } as unknown as string };
  org.journal.transcribe([line('one'), bad, line('two')]);
  await org.journal.flush();
  expect(linesOf(org)).toEqual(['one', 'two']);
  expect(bugs).toEqual([expect.any(TypeError)]);
  expectSound(org);
});

describe('a commit that fails', () => {
  test('answers all of its commands with the error, and leaves the state as the disk has it', async () => {
    const org = await testOrg();
    let failing = true;
    watch(org, (statement) => {
      if (failing && statement === 'COMMIT') throw sqliteError('SQLITE_FULL');
    });
    const before = [entryCount(org), structuredClone(org.journal.org), org.journal.lastSeq];
    const settled = await Promise.allSettled(['r-a', 'r-b'].map((id) => org.commit(OWNER, createRole(id))));
    expect(settled).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ code: 'SQLITE_FULL' }) },
      { status: 'rejected', reason: expect.objectContaining({ code: 'SQLITE_FULL' }) },
    ]);
    expect([entryCount(org), structuredClone(org.journal.org), org.journal.lastSeq]).toEqual(before);
    failing = false;
    await org.commit(OWNER, createRole('r-a'));
    expectSound(org);
  });

  test('tells no listener', async () => {
    const org = await testOrg();
    let told = 0;
    org.journal.onCommit(() => {
      told += 1;
    });
    watch(org, (statement) => {
      if (statement === 'COMMIT') throw sqliteError('SQLITE_FULL');
    });
    await refusal(org.commit(OWNER, createRole('r-a')));
    expect(told).toBe(0);
  });

  test.each(['SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_WRITE', 'SQLITE_CORRUPT'])(
    'because of the disk itself (%s) is told once, and answered to nobody as done',
    async (code) => {
      const failures: unknown[] = [];
      const org = await testOrg(undefined, { onDiskFailure: (error) => failures.push(error) });
      watch(org, (statement) => {
        if (statement === 'COMMIT') throw sqliteError(code);
      });
      const settled = await Promise.allSettled(['r-a', 'r-b'].map((id) => org.commit(OWNER, createRole(id))));
      expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(failures).toEqual([expect.objectContaining({ code })]);
      expect(org.db.sqlite.inTransaction).toBe(false);
    },
  );

  test('because of the disk itself ends the process with 74 unless told otherwise', () => {
    const directory = testDirectory();
    const script = join(directory, 'fail.ts');
    const source = (path: string) => fileURLToPath(new URL(`../../src/store/${path}.ts`, import.meta.url));
    writeFileSync(
      script,
      `const { openDatabase } = await import(${JSON.stringify(source('database'))});
       const { openJournal } = await import(${JSON.stringify(source('journal'))});
       const db = openDatabase(${JSON.stringify(join(directory, 'org.db'))});
       const journal = openJournal({ db });
       const exec = db.sqlite.exec.bind(db.sqlite);
       db.sqlite.exec = (statement) => {
         if (statement === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
         return exec(statement);
       };
       const grants = [];
       const found = { type: 'FoundOrg', ownerRole: 'x', ownerIdentity: 'x', grants };
       journal.commit('system', found).then(() => console.log('acknowledged'), () => setTimeout(() => console.log('still here'), 1000));`,
    );
    // Node 22.14 to 22.17 need the flag; later ones take it as well.
    const args = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning', script];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 74, stdout: '' });
    expect(stderr).toContain(
      'the disk failed, stopping so that nothing is acknowledged wrongly: Error: disk I/O error',
    );
  });
});

describe('a full disk', () => {
  const pages = ({ db }: TestOrg) => db.sqlite.pragma('page_count', { simple: true }) as number;

  test('refuses what does not fit, reads on, and works again when there is room', async () => {
    const org = await staff(await testOrg(join(testDirectory(), 'org.db')));
    await stream(org, 's-in');
    org.db.sqlite.pragma(`max_page_count = ${pages(org)}`);
    const big = 'x'.repeat(100_000);
    const refused = await refusal(org.publish(OWNER, 's-in', big));
    expect(refused).toEqual({ code: 'SQLITE_FULL', message: 'database or disk is full' });
    org.journal.transcribe([line(big)]);
    await org.journal.flush();
    expect(linesOf(org)).toEqual([]);
    expect(org.queries.streams().map(({ id }) => id)).toContain('s-in');
    expectSound(org);
    org.db.sqlite.pragma('max_page_count = 1000000');
    await org.publish(OWNER, 's-in', big);
    expect(linesOf(org)).toEqual([big]);
    expectSound(org);
  });

  test('does not hang what waits for the journal to be flushed or closed', async () => {
    const org = await testOrg();
    watch(org, (statement) => {
      if (statement === 'COMMIT') throw sqliteError('SQLITE_FULL');
    });
    org.journal.transcribe([line('one')]);
    await org.journal.flush();
    org.journal.close();
    expect(linesOf(org)).toEqual([]);
  });

  test('keeps the transcript lines, in order, also those that came with commands', async () => {
    const org = await testOrg();
    let isFull = true;
    watch(org, (statement) => {
      if (isFull && statement === 'COMMIT') throw sqliteError('SQLITE_FULL');
    });
    org.journal.transcribe([line('one')]);
    await refusal(org.commit(OWNER, createRole('r-a')));
    org.journal.transcribe([line('two')]);
    await Promise.allSettled([org.commit(OWNER, createRole('r-a')), org.commit(OWNER, createRole('r-b'))]);
    // More lines than a call takes arguments.
    org.journal.transcribe([line('three')]);
    for (let n = 0; n < 150; n++) org.journal.transcribe(Array.from({ length: 1_000 }, () => line('x')));
    await org.journal.flush();
    isFull = false;
    await org.journal.flush();
    expect(linesOf(org).slice(0, 4)).toEqual(['one', 'two', 'three', 'x']);
    expect(linesOf(org)).toHaveLength(150_003);
  });
});

test('another program that holds the database is waited for once, not once for each command', async () => {
  const file = join(testDirectory(), 'org.db');
  const org = await testOrg(file);
  org.db.sqlite.pragma('busy_timeout = 100');
  const other = new Database(file);
  other.exec('BEGIN IMMEDIATE');
  const started = performance.now();
  const commits = Array.from({ length: 50 }, (_, n) => org.commit(OWNER, createRole(`r-${n}`)));
  const settled = await Promise.allSettled(commits);
  expect(performance.now() - started).toBeLessThan(2_500);
  expect(new Set(settled.map(({ status }) => status))).toEqual(new Set(['rejected']));
  other.exec('ROLLBACK');
  other.close();
  await org.commit(OWNER, createRole('r-a'));
  expectSound(org);
});

describe('a listener', () => {
  test('is told what each commit wrote, entries and transcript lines alike', async () => {
    const org = await testOrg();
    const told: unknown[] = [];
    org.journal.onCommit((entries, transcript) => told.push([typesOf(entries), transcript.map(({ body }) => body)]));
    org.journal.transcribe([line('one')]);
    await org.commit(OWNER, createRole('r-a'));
    await org.commit(OWNER, { type: 'ResumeOrg' });
    expect(told).toEqual([[['RoleCreated'], ['one']]]);
  });

  test('is told no more once it stops', async () => {
    const org = await testOrg();
    let told = 0;
    const stop = org.journal.onCommit(() => {
      told += 1;
    });
    await org.commit(OWNER, createRole('r-a'));
    stop();
    await org.commit(OWNER, createRole('r-b'));
    expect(told).toBe(1);
  });

  test('that fails keeps neither the others nor the next commands waiting', async () => {
    const failures: unknown[] = [];
    const org = await testOrg(undefined, { onBug: (error) => failures.push(error) });
    const told: string[] = [];
    org.journal.onCommit(() => {
      throw new Error('broken');
    });
    org.journal.onCommit((entries) => told.push(...typesOf(entries)));
    await Promise.all(Array.from({ length: 300 }, (_, n) => org.commit(OWNER, createRole(`r-${n}`))));
    expect(told).toHaveLength(300);
    expect(failures).toEqual([new Error('broken'), new Error('broken')]);
  });

  test('may commit and transcribe in turn', async () => {
    const org = await testOrg();
    org.journal.onCommit((entries) => {
      for (const { event } of entries) {
        if (event.type === 'RoleCreated' && event.roleId === 'r-a') {
          org.journal.transcribe([line('saw r-a')]);
          void org.commit(OWNER, createRole('r-b'));
        }
      }
    });
    await org.commit(OWNER, createRole('r-a'));
    await org.journal.flush();
    expect(org.journal.org.roles.has('r-b')).toBe(true);
    expect(linesOf(org)).toEqual(['saw r-a']);
  });
});

test('a command that comes when the database is closed is refused, and takes nothing else down', async () => {
  const org = openOrg();
  await org.found();
  org.close();
  const late = [org.commit(OWNER, createRole('r-a')), org.commit(OWNER, createRole('r-b'))];
  const settled = await Promise.allSettled(late);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

describe('transcript lines', () => {
  test('share the seq counter with entries, and come before those of the same turn', async () => {
    const org = await testOrg();
    org.journal.transcribe([line('one'), line('two')]);
    const [entry] = await org.entries(OWNER, createRole('r-a'));
    const seqs = org.db.sqlite.prepare('SELECT seq FROM transcripts ORDER BY seq').pluck().all() as number[];
    const [next] = await org.entries(OWNER, createRole('r-b'));
    expect([...seqs, entry!.seq, next!.seq]).toEqual([0, 1, 2, 3].map((n) => seqs[0]! + n));
  });

  test('are written by themselves within a moment', async () => {
    const org = await testOrg();
    const written = new Promise<void>((resolve) => {
      org.journal.onCommit(() => resolve());
    });
    org.journal.transcribe([line('one')]);
    expect(linesOf(org)).toEqual([]);
    await written;
    expect(linesOf(org)).toEqual(['one']);
  });

  test('handed over before the journal is closed are written', async () => {
    const file = join(testDirectory(), 'org.db');
    const org = await testOrg(file);
    org.journal.transcribe([line('last words')]);
    const done = org.commit(OWNER, createRole('r-a'));
    org.journal.close();
    await done;
    expect(linesOf(org)).toEqual(['last words']);
  });
});
