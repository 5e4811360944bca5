import { describe, expect, test } from 'vitest';
import { type Caller, cli, connect, connectOwner, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';

const hire = async (owner: Caller) => {
  await owner.call('create_role', { id: 'r-a', content: '# A' });
  await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  await owner.call('hire_worker', {
    id: 'w-a',
    positionId: 'p-a',
    kind: 'human',
    identityContent: 'A.',
    grants: ['publish'],
  });
};

const status = async (url: string, workerId: string, token: string) =>
  (await fetch(`${url}/workers/${workerId}/mcp`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } }))
    .status;

describe('beside a running daemon', () => {
  test('a token is made, works as its Worker, is listed without its secret, and ends when it is revoked', async () => {
    const daemon = await startTestDaemon();
    await hire(await connectOwner(daemon));
    const made = await cli([
      'token',
      'create',
      '--worker',
      'w-a',
      '--label',
      'laptop',
      '--expires',
      '30d',
      '--data-dir',
      daemon.dir,
    ]);
    expect(made.code).toBe(0);
    const token = made.stdout.trim();
    expect(token).toMatch(/^hxo_/);
    const [id = ''] = /t-[0-9a-f-]{36}/.exec(made.stderr) ?? [];
    expect(made.stderr).toContain(`${id} for w-a, until 20`);
    expect(await (await connect(daemon.url, 'w-a', token)).tools()).toEqual(['publish']);

    const list = await cli(['token', 'list', '--data-dir', daemon.dir]);
    expect(list.stdout).toMatch(new RegExp(`^${id} +w-a +token +laptop +until 20`, 'm'));
    expect(list.stdout + list.stderr).not.toContain('hxo_');
    const listed = JSON.parse((await cli(['token', 'list', '--json', '--data-dir', daemon.dir])).stdout) as object[];
    expect(Object.keys(listed[0] ?? {})).not.toContain('hash');

    expect(await cli(['token', 'revoke', id, '--data-dir', daemon.dir])).toMatchObject({
      code: 0,
      stdout: `revoked ${id}\n`,
    });
    expect(await status(daemon.url, 'w-a', token)).toBe(401);
  });

  test('a login link signs a browser in as the owner, or as whom it is for, once', async () => {
    const daemon = await startTestDaemon();
    await hire(await connectOwner(daemon));
    const signIn = async (...args: string[]) => {
      const { stdout } = await cli(['token', 'login', ...args, '--data-dir', daemon.dir]);
      const link = new URL(stdout.trim());
      const post = () =>
        fetch(new URL('/login', link), {
          method: 'POST',
          headers: { Origin: link.origin },
          body: link.searchParams,
          redirect: 'manual',
        });
      const cookie = (await post()).headers.get('set-cookie')?.split(';')[0] ?? '';
      expect((await post()).status).toBe(401);
      return (await fetch(`${daemon.url}/ui`, { headers: { cookie } })).text();
    };
    expect(await signIn()).toContain('w-owner');
    expect(await signIn('--worker', 'w-a')).toContain('w-a');
  });

  test.each([
    [['create', '--worker', 'w-ownr'], 'did you mean w-owner?'],
    [['create', '--worker', 'w-owner', '--label', 'owner'], 'The label "owner" is the command line\'s own'],
    [['revoke', 't-nope'], 'No token t-nope; see `helix-org token list`.'],
    [['login', '--worker', 'w-nobody'], 'No Worker w-nobody'],
  ])('`token %j` is refused', async (args, sentence) => {
    const daemon = await startTestDaemon();
    const { code, stdout, stderr } = await cli(['token', ...args, '--data-dir', daemon.dir]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});

test('without a daemon tokens are made, listed and revoked all the same; only a login link needs one', async () => {
  const dir = temporaryDirectory();
  const at = ['--data-dir', dir];
  await cli(['bootstrap', ...at]);
  const made = JSON.parse((await cli(['token', 'create', '--worker', 'w-owner', '--json', ...at])).stdout) as {
    id: string;
    token: string;
  };
  expect((await cli(['token', 'list', ...at])).stdout).toContain(made.id);
  expect(await cli(['token', 'login', ...at])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No daemon runs'),
  });
  const daemon = await startTestDaemon({ dir });
  expect(await status(daemon.url, 'w-owner', made.token)).not.toBe(401);
  await daemon.stop();
  expect(await cli(['token', 'revoke', made.id, ...at])).toMatchObject({ code: 0 });
  expect((await startTestDaemon({ dir })).tokens.verify(made.token, 'token')).toBeUndefined();
});
