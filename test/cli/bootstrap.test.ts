import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

const seat = (environmentPath: string) =>
  `${JSON.stringify({ environmentPath, positionId: 'p-root', roleId: 'r-owner', workerId: 'w-owner' }, null, 2)}\n`;

test('on an empty directory it makes the org and prints who its owner is (A9)', async () => {
  const dir = temporaryDirectory();
  const [db, envs] = [join(dir, 'some.db'), join(dir, 'envs')];
  const home = { HELIX_ORG_HOME: join(dir, 'home') };
  const made = await cli(['bootstrap', '--db', db, '--envs-dir', envs], home);
  expect(made).toEqual({
    code: 0,
    stdout: seat(join(envs, 'w-owner')),
    stderr: `Data directory: ${join(dir, 'home')}\n`,
  });
  expect(await cli(['verify', '--db', db], home)).toMatchObject({ code: 0 });
});

test('on an org it says so, changes nothing, and prints the same (A10)', async () => {
  const dir = temporaryDirectory();
  const first = await cli(['bootstrap', '--data-dir', dir]);
  const before = await cli(['verify', '--data-dir', dir]);
  const second = await cli(['bootstrap', '--data-dir', dir]);
  expect(second).toMatchObject({ code: 0, stdout: first.stdout });
  expect(second.stderr).toContain('org is already initialised');
  expect((await cli(['verify', '--data-dir', dir])).stdout).toBe(before.stdout);
});

test('beside a running daemon it is the same (A10)', async () => {
  const daemon = await startTestDaemon();
  const again = await cli(['bootstrap', '--data-dir', daemon.dir]);
  expect(again).toMatchObject({ code: 0, stdout: seat(join(daemon.dir, 'workers', 'w-owner')) });
  expect(again.stderr).toContain('org is already initialised');
});
