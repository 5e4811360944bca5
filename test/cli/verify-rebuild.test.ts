import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { cli, connectOwner, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

const OK = /^journal ok: (\d+) entries, 0 redacted, head ([0-9a-f]{64})\n$/;

/** A directory with an org in which something was published, closed. */
async function closedOrg(): Promise<string> {
  const daemon = await startTestDaemon();
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-a', name: 'a' });
  await owner.call('publish', { streamId: 's-a', body: 'hello' });
  await daemon.stop();
  return daemon.dir;
}

function tamper(dir: string, sql: string): void {
  const sqlite = new Database(join(dir, 'org.db'));
  sqlite.exec(`DROP TRIGGER journal_no_update; ${sql}`);
  sqlite.exec(
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
  );
  sqlite.close();
}

test('verify says the same of a whole journal with a daemon and without one', async () => {
  const daemon = await startTestDaemon();
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-a', name: 'a' });
  const beside = await cli(['verify', '--data-dir', daemon.dir]);
  expect(beside).toMatchObject({ code: 0, stdout: expect.stringMatching(OK) });
  await daemon.stop();
  expect((await cli(['verify', '--data-dir', daemon.dir])).stdout).toBe(beside.stdout);
  expect(JSON.parse((await cli(['verify', '--json', '--data-dir', daemon.dir])).stdout)).toMatchObject({
    entries: Number(OK.exec(beside.stdout)?.[1]),
    head: OK.exec(beside.stdout)?.[2],
    problems: [],
  });
});

test('verify names the seq of an entry that was changed, and exits 1, with a daemon and without one', async () => {
  const dir = await closedOrg();
  tamper(dir, "UPDATE journal SET actor = 'w-mallory' WHERE seq = 3");
  const alone = await cli(['verify', '--data-dir', dir]);
  expect(alone).toMatchObject({ code: 1, stdout: 'seq 3: was changed: its hash does not fit what it says\n' });
  const daemon = await startTestDaemon({ dir });
  expect(await cli(['verify', '--data-dir', daemon.dir])).toMatchObject({ code: 1, stdout: alone.stdout });
});

test('verify reads a journal that cannot even be loaded', async () => {
  const dir = await closedOrg();
  tamper(dir, "UPDATE journal SET type = 'RoleVanished', data = '{' WHERE seq = 1");
  const { code, stdout } = await cli(['verify', '--data-dir', dir]);
  expect(code).toBe(1);
  expect(stdout).toContain('seq 1: was changed');
});

test('rebuild says whether the read tables were as they should be, and mends them', async () => {
  const dir = await closedOrg();
  const rebuild = async () => (await cli(['rebuild', '--data-dir', dir])).stdout;
  expect(await rebuild()).toMatch(/^rebuilt from \d+ entries: the read tables were as they should be\n$/);
  const sqlite = new Database(join(dir, 'org.db'));
  sqlite.exec("UPDATE streams SET name = 'forged'; DELETE FROM workers");
  sqlite.close();
  expect(await rebuild()).toMatch(/: the read tables differed from the journal and are mended\n$/);
  expect(JSON.parse((await cli(['rebuild', '--json', '--data-dir', dir])).stdout)).toMatchObject({ differed: false });
  expect((await startTestDaemon({ dir })).queries.stream('s-a')?.name).toBe('a');
});

test('rebuild refuses beside a daemon', async () => {
  const daemon = await startTestDaemon();
  expect(await cli(['rebuild', '--data-dir', daemon.dir])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining(`A daemon already runs on ${daemon.dir}: ${daemon.url}`),
  });
});

test('neither makes a database where there is none', async () => {
  const dir = temporaryDirectory();
  for (const command of ['verify', 'rebuild']) {
    expect(await cli([command, '--data-dir', dir])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`There is no organisation here: ${join(dir, 'org.db')} does not exist.`),
    });
  }
});
