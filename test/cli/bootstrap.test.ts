import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, spawnDaemon, temporaryDirectory } from '../support/daemon.ts';

const seat = (environmentPath: string) => `${JSON.stringify({ environmentPath, positionId: 'p-root', roleId: 'r-owner', workerId: 'w-owner' }, null, 2)}\n`;

test('on an empty directory it makes the org and prints who its owner is (A9)', async () => {
  const dir = temporaryDirectory();
  const [db, envs] = [join(dir, 'some.db'), join(dir, 'envs')];
  const home = { env: { HELIX_ORG_HOME: join(dir, 'home') } };
  const made = await runCli(['bootstrap', '--db', db, '--envs-dir', envs], home);
  expect(made).toEqual({ code: 0, signal: null, stdout: seat(join(envs, 'w-owner')), stderr: `Data directory: ${join(dir, 'home')}\n` });
  expect(await runCli(['verify', '--db', db], home)).toMatchObject({ code: 0 });
});

test('on an org it says so, changes nothing, and prints the same (A10)', async () => {
  const dir = temporaryDirectory();
  const first = await runCli(['bootstrap', '--data-dir', dir]);
  const before = await runCli(['verify', '--data-dir', dir]);
  const second = await runCli(['bootstrap', '--data-dir', dir]);
  expect(second).toMatchObject({ code: 0, stdout: first.stdout });
  expect(second.stderr).toContain('org is already initialised');
  expect((await runCli(['verify', '--data-dir', dir])).stdout).toBe(before.stdout);
});

test('beside a running daemon it is the same (A10)', async () => {
  const daemon = await spawnDaemon();
  const again = await runCli(['bootstrap', '--data-dir', daemon.dir]);
  expect(again).toMatchObject({ code: 0, stdout: seat(join(daemon.dir, 'workers', 'w-owner')) });
  expect(again.stderr).toContain('org is already initialised');
});
