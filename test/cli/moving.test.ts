// What docs/deployment.md promises of upgrading, of going back, and of moving to another machine.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { cli, connectOwner, spawnDaemon, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';
import { filesIn } from '../support/files.ts';
import { fixturePath } from '../support/journal-fixture.ts';

const ownMigrations = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));
const quiet = (dir: string, ...argv: string[]) => cli([...argv, '--data-dir', dir, '--quiet']);

/** A data directory as the first version left it. */
async function oldData(): Promise<string> {
  const dir = join(temporaryDirectory(), 'org');
  mkdirSync(dir, { mode: 0o700 });
  const database = new Database(join(dir, 'org.db'));
  database.exec(`BEGIN;\n${readFileSync(fixturePath('journal-v1.sql'), 'utf8')}COMMIT;`);
  database.close();
  return dir;
}

async function exported(dir: string): Promise<Record<string, string>> {
  const folder = join(temporaryDirectory(), 'export');
  expect(await quiet(dir, 'export', folder)).toMatchObject({ code: 0, stderr: '' });
  return filesIn(folder);
}

it('what the first version wrote is served, gone on with, verified, and comes back from a backup elsewhere', async () => {
  const dir = await oldData();
  const daemon = await spawnDaemon({ dir });
  const owner = await connectOwner(daemon);
  await owner.call('create_role', { id: 'r-after', content: 'After the upgrade.' });
  await owner.close();
  expect((await daemon.kill('SIGTERM')).code).toBe(0);
  expect(await quiet(dir, 'verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('journal ok') });

  const file = join(temporaryDirectory(), 'org.tar');
  expect(await quiet(dir, 'backup', file, '--with-secrets')).toMatchObject({ code: 0 });
  const machine = join(temporaryDirectory(), 'other');
  expect(await quiet(machine, 'restore', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('paused') });
  expect(await quiet(machine, 'verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('journal ok') });
  expect(await exported(machine)).toEqual(await exported(dir));
  const there = await startTestDaemon({ dir: machine });
  expect(there.journal.org.paused).toBe(true);
  // The tokens came along, and the owner goes on.
  await (await connectOwner(there)).call('resume_org');
  expect(there.journal.org.paused).toBe(false);
});

it('an upgrade leaves a copy, with which the older version goes on where it was', async () => {
  const dir = await oldData();
  const before = await exported(dir);
  const db = join(dir, 'org.db');
  const newer = newerMigrations();
  const upgraded = openDatabase(db, 'full', newer);
  upgraded.sqlite.exec("INSERT INTO a_later_table VALUES ('later')");
  upgraded.sqlite.close();

  const refused = await quiet(dir, 'verify');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('newer helix-org') });
  expect((await quiet(dir, 'export', join(temporaryDirectory(), 'x'))).stderr).toContain('newer helix-org');

  mkdirSync(join(dir, 'newer'));
  for (const name of ['org.db', 'org.db-wal', 'org.db-shm'])
    if (existsSync(join(dir, name))) renameSync(join(dir, name), join(dir, 'newer', name));
  const copies = readdirSync(dir).filter((name) => name.startsWith('org.db.before-'));
  expect(copies).toHaveLength(1);
  renameSync(join(dir, copies[0]!), db);
  expect(await quiet(dir, 'verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('journal ok') });
  expect(await exported(dir)).toEqual(before);
  const daemon = await startTestDaemon({ dir });
  await (await connectOwner(daemon)).call('create_role', { id: 'r-back', content: 'Back.' });
});

/** Those of this version, and one that a later version might have. */
function newerMigrations(): string {
  const folder = join(temporaryDirectory(), 'migrations');
  cpSync(ownMigrations, folder, { recursive: true });
  const journalFile = join(folder, 'meta/_journal.json');
  const journal = JSON.parse(readFileSync(journalFile, 'utf8')) as { entries: Record<string, unknown>[] };
  const last = readMigrationFiles({ migrationsFolder: folder }).at(-1)!;
  journal.entries.push({
    ...journal.entries.at(-1),
    idx: journal.entries.length,
    when: last.folderMillis + 1,
    tag: '9999_later',
  });
  writeFileSync(journalFile, JSON.stringify(journal));
  writeFileSync(join(folder, '9999_later.sql'), 'CREATE TABLE a_later_table (word TEXT);');
  return folder;
}
