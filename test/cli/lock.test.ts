import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../src/cli/lock.ts';
import { cli, isUp, spawnDaemon, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

test('a lock is held until it is released, and all of several or none', () => {
  const dir = temporaryDirectory();
  const [a, b] = [join(dir, 'a.lock'), join(dir, 'b.lock')];
  const lock = takeLock([b]);
  expect(lock).toBeDefined();
  expect(takeLock([a, b])).toBeUndefined();
  const other = takeLock([a]);
  expect(other).toBeDefined();
  lock?.release();
  other?.release();
  const both = takeLock([a, b]);
  expect(both).toBeDefined();
  both?.release();
});

test("a second daemon is refused with the first one's address and pid", async () => {
  const first = await spawnDaemon();
  const { code, stdout, stderr } = await cli(['serve', '--data-dir', first.dir, '--addr', '127.0.0.1:0']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`A daemon already runs on ${first.dir}: ${first.url}, pid ${first.pid}.`);
  expect(await isUp(first.url)).toBe(true);
});

test('another data directory does not help on the same database, nor another database in the same directory', async () => {
  const first = await startTestDaemon();
  const elsewhere = temporaryDirectory();
  await expect(startTestDaemon({ dir: elsewhere, db: join(first.dir, 'org.db') })).rejects.toThrow(
    'Another helix-org process works on',
  );
  await expect(startTestDaemon({ dir: first.dir, db: join(elsewhere, 'org.db') })).rejects.toThrow(first.url);
  await expect(startTestDaemon({ dir: first.dir, db: ':memory:' })).rejects.toThrow(first.url);
});

test('kill -9 gives the lock back, and what it left in daemon.json is harmless', async () => {
  const first = await spawnDaemon();
  expect(await first.kill('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
  expect(JSON.parse(readFileSync(join(first.dir, 'daemon.json'), 'utf8'))).toMatchObject({
    pid: first.pid,
    url: first.url,
  });
  expect(await cli(['verify', '--data-dir', first.dir])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^journal ok: /),
  });
  const second = await spawnDaemon({ dir: first.dir });
  expect(second.pid).not.toBe(first.pid);
  expect(second.token).toBe(first.token);
});

test('a daemon that stops leaves no address behind, and its data free', async () => {
  const daemon = await startTestDaemon();
  const file = join(daemon.dir, 'daemon.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid, url: daemon.url });
  await daemon.stop();
  await daemon.stop();
  expect(existsSync(file)).toBe(false);
  await startTestDaemon({ dir: daemon.dir });
});

test('a daemon that cannot start gives everything back', async () => {
  const first = await startTestDaemon();
  const dir = temporaryDirectory();
  await expect(startTestDaemon({ dir, address: { host: '127.0.0.1', port: first.port } })).rejects.toThrow(
    'EADDRINUSE',
  );
  await startTestDaemon({ dir });
});

test('a key that is none is refused and leaves the data free', async () => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'key'), 'not a key');
  await expect(startTestDaemon({ dir })).rejects.toThrow('is not a key of 32 bytes');
  writeFileSync(join(dir, 'key'), Buffer.alloc(32).toString('base64'));
  await startTestDaemon({ dir });
});
