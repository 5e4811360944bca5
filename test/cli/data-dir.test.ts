import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDataDir, dataPaths } from '../../src/cli/data-dir.ts';
import { runCli, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('everything lies in ~/.helix-org, in HELIX_ORG_HOME, or where --data-dir says, the later winning', () => {
  expect(dataPaths({}, {}).dataDir).toBe(join(homedir(), '.helix-org'));
  expect(dataPaths({}, { HELIX_ORG_HOME: '/a' }).dataDir).toBe('/a');
  expect(dataPaths({ dataDir: '/b' }, { HELIX_ORG_HOME: '/a' })).toMatchObject({
    dataDir: '/b',
    db: '/b/org.db',
    envsDir: '/b/workers',
    keyFile: '/b/key',
    lockFiles: ['/b/org.db.lock'],
  });
});

test('--db and --envs-dir move the database and the folders alone, and are made absolute', () => {
  const paths = dataPaths({ dataDir: '/b', db: 'x/other.db', envsDir: 'y' }, {});
  expect(paths).toMatchObject({
    dataDir: '/b',
    db: join(process.cwd(), 'x/other.db'),
    envsDir: join(process.cwd(), 'y'),
  });
  expect(paths.lockFiles).toEqual(['/b/org.db.lock', `${paths.db}.lock`]);
});

test('folders are made for owner and group, files for the owner alone (A3)', async () => {
  const dir = join(temporaryDirectory(), 'new');
  const daemon = await startTestDaemon({ dir });
  await daemon.journal.commit('w-owner', { type: 'CreateRole', roleId: 'r-a', content: 'A.' });
  for (const folder of [dir, join(dir, 'workers'), join(dir, 'workers', 'w-owner')])
    expect(mode(folder), folder).toBe('750');
  const files = ['key', 'owner-token', 'daemon.json', 'org.db', 'org.db-wal', 'org.db.lock', 'workers/w-owner/role.md'];
  for (const file of files) expect(mode(join(dir, file)), file).toBe('600');
});

test('a missing folder of the owner is made again (A3)', async () => {
  const dir = temporaryDirectory();
  await (await startTestDaemon({ dir })).stop();
  rmSync(join(dir, 'workers'), { recursive: true });
  await startTestDaemon({ dir });
  expect(mode(join(dir, 'workers', 'w-owner'))).toBe('750');
});

test('the folders that tools name are absolute, whatever --envs-dir said (A4)', async () => {
  const cwd = temporaryDirectory();
  const { stdout } = await runCli(['bootstrap', '--data-dir', './data', '--envs-dir', './x'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ environmentPath: join(cwd, 'x', 'w-owner') });
});

test("the owner's token is kept over restarts, and made anew when its file is gone", async () => {
  const dir = temporaryDirectory();
  const file = join(dir, 'owner-token');
  const first = await startTestDaemon({ dir });
  await first.stop();
  chmodSync(file, 0o644);
  const second = await startTestDaemon({ dir });
  expect(second.ownerToken).toBe(first.ownerToken);
  expect(mode(file)).toBe('600');
  await second.stop();
  rmSync(file);
  const third = await startTestDaemon({ dir });
  expect(third.ownerToken).not.toBe(first.ownerToken);
  expect(readFileSync(file, 'utf8')).toBe(`${third.ownerToken}\n`);
  expect(third.tokens.verify(first.ownerToken, 'token')).toBeUndefined();
});

test('a file that is there keeps its bytes', () => {
  const paths = dataPaths({ dataDir: temporaryDirectory() }, {});
  createDataDir(paths);
  createDataDir(paths);
  expect(statSync(paths.db).size).toBe(0);
});
