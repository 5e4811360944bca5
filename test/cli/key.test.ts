import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openCore } from '../../src/cli/core.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { createSecretBox } from '../../src/store/secrets.ts';
import { cli, spawnDaemon, startCli, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

const SECRET = 'sesame-token-of-postmark';
const keyOf = (dir: string) => readFileSync(join(dir, 'key'), 'utf8');

function withCore<T>(dir: string, work: (core: ReturnType<typeof openCore>) => T): T {
  const paths = dataPaths({ dataDir: dir }, {});
  const core = openCore({ paths, url: () => 'http://x', publicUrl: () => 'http://x', durability: 'normal' });
  try {
    return work(core);
  } finally {
    core.close();
  }
}

function withSecrets(dir = temporaryDirectory()): string {
  withCore(dir, ({ settings }) => {
    settings.set('transport.github', { token: SECRET });
    settings.setSecret('stream.s-a', 'whsec_of-a-stream');
  });
  return dir;
}

const read = (dir: string) =>
  withCore(dir, ({ settings }) => [
    (settings.account('transport.github') as { token: string }).token,
    settings.secret('stream.s-a'),
  ]);
const WHOLE = [SECRET, 'whsec_of-a-stream'];

test('without a daemon every secret is sealed with a new key, and the old key opens nothing', async () => {
  const dir = withSecrets();
  const before = keyOf(dir);
  const { code, stdout } = await cli(['key', 'rotate', '--data-dir', dir]);
  expect([code, stdout]).toEqual([0, expect.stringContaining('encrypted with a new key')]);
  expect(keyOf(dir)).not.toBe(before);
  expect(statSync(join(dir, 'key')).mode & 0o777).toBe(0o600);
  expect(existsSync(join(dir, 'key.next'))).toBe(false);
  expect(read(dir)).toEqual(WHOLE);
  withCore(dir, ({ db }) => {
    const old = createSecretBox(Buffer.from(before, 'base64'));
    const rows = db.sqlite.prepare('SELECT value FROM settings').pluck().all() as string[];
    for (const value of rows) expect(() => old.open(value.replace(/^sealed:/, ''))).toThrow('cannot be read');
  });
});

test('beside a running daemon it goes on with the new key', async () => {
  const daemon = await startTestDaemon();
  daemon.settings.set('transport.github', { token: SECRET });
  const before = keyOf(daemon.dir);
  expect((await cli(['key', 'rotate', '--json', '--data-dir', daemon.dir])).code).toBe(0);
  expect(keyOf(daemon.dir)).not.toBe(before);
  expect(daemon.settings.account('transport.github')).toMatchObject({ token: SECRET });
  daemon.settings.setSecret('stream.s-a', 'whsec_of-a-stream');
  await daemon.stop();
  expect(read(daemon.dir)).toEqual(WHOLE);
});

test('cut off with the new key half written, it is undone', () => {
  const dir = withSecrets();
  writeFileSync(join(dir, 'key.next'), 'half');
  expect(read(dir)).toEqual(WHOLE);
  expect(existsSync(join(dir, 'key.next'))).toBe(false);
});

test('cut off before anything was sealed anew, it is undone', () => {
  const dir = withSecrets();
  writeFileSync(join(dir, 'key.next'), `${randomBytes(32).toString('base64')}\n`);
  const before = keyOf(dir);
  expect(read(dir)).toEqual(WHOLE);
  expect(keyOf(dir)).toBe(before);
});

test('cut off before the new key took the place of the old one, it is finished', async () => {
  const dir = withSecrets();
  const [key, old] = [join(dir, 'key'), join(dir, 'old')];
  copyFileSync(key, old);
  await cli(['key', 'rotate', '--data-dir', dir]);
  const made = keyOf(dir);
  renameSync(key, join(dir, 'key.next'));
  renameSync(old, key);
  expect(read(dir)).toEqual(WHOLE);
  expect(keyOf(dir)).toBe(made);
});

test('a secret that the key does not open stops it before anything is changed', async () => {
  const dir = withSecrets();
  withCore(dir, ({ db }) => db.sqlite.exec("INSERT INTO settings VALUES ('secret.zz', 'bm9uc2Vuc2U=', '')"));
  const before = keyOf(dir);
  expect((await cli(['key', 'rotate', '--data-dir', dir])).code).toBe(1);
  expect(keyOf(dir)).toBe(before);
  expect(read(dir)).toEqual(WHOLE);
  expect(keyOf(dir)).toBe(before);
});

test('killed at any moment it loses no secret', async () => {
  const dir = withSecrets();
  const started = performance.now();
  expect((await startCli(['key', 'rotate', '--data-dir', dir]).ended).code).toBe(0);
  const whole = performance.now() - started;
  for (let round = 1; round <= 8; round++) {
    const running = startCli(['key', 'rotate', '--data-dir', dir]);
    // The moments lie around the end, where the files change.
    await pause(whole * (0.5 + round / 14));
    running.child.kill('SIGKILL');
    await running.ended;
    expect(read(dir)).toEqual(WHOLE);
  }
}, 60_000);

test('killed while a daemon rotates over and over, it starts again with every secret', async () => {
  const dir = withSecrets();
  const daemon = await spawnDaemon({ dir });
  const rounds: Promise<unknown>[] = [];
  for (let round = 0; round < 20; round++) rounds.push(daemon.control('key.rotate').catch(() => {}));
  await rounds[0];
  await daemon.kill('SIGKILL');
  await Promise.all(rounds);
  expect(read(dir)).toEqual(WHOLE);
}, 30_000);
