import { expect, test } from 'vitest';
import { cli, startTestDaemon, temporaryDirectory } from '../support/daemon.ts';
import { ACCOUNT, fakePostmark } from '../support/mail.ts';

const KEY = 'transport.postmark';
const json = (value: object) => JSON.stringify(value);

async function command() {
  const dir = temporaryDirectory();
  const run = (...argv: string[]) => cli([...argv, '--data-dir', dir, '--quiet']);
  await run('bootstrap');
  return run;
}

test('A27: what is no JSON object is refused', async () => {
  const run = await command();
  for (const value of ['notjson', '7', '[]'])
    expect(await run('config', 'set', KEY, value)).toMatchObject({
      code: 1,
      stderr: `validate "${KEY}": not a JSON object\n`,
    });
});

test.each([
  [{ ...ACCOUNT, token: '' }, 'token is empty'],
  [{ inbound: ACCOUNT.inbound, from: ACCOUNT.from }, 'token is empty'],
  [{ ...ACCOUNT, inbound: 'x' }, 'inbound "x" is not an email address'],
  [{ ...ACCOUNT, from: 'x' }, 'from "x" is not an email address'],
  [{ ...ACCOUNT, from: 'a@b.example, c@d.example' }, 'from "a@b.example, c@d.example" is not an email address'],
  [{ ...ACCOUNT, inbound_user: 'u' }, 'inbound_user and inbound_password go together'],
  [{ ...ACCOUNT, smtp: { host: '' } }, 'smtp.host is empty'],
  [{ ...ACCOUNT, api_url: 'ftp://x' }, 'api_url is no http(s) URL'],
])('%j is refused with a sentence that names the key', async (value, sentence) => {
  const run = await command();
  expect(await run('config', 'set', KEY, json(value))).toMatchObject({ code: 1, stderr: `${KEY}: ${sentence}\n` });
});

test('A29 A31: its secrets are shown as "..." unless they are asked for, the flag being last', async () => {
  const run = await command();
  const smtp = { host: 'mail.example', user: 'u', pass: 'smtp-secret' };
  const value = { ...ACCOUNT, token: 'token-secret', inbound_user: 'pm', inbound_password: 'in-secret', smtp };
  const set = await run('config', 'set', KEY, json(value));
  expect(set.code).toBe(0);
  const shown = await run('config', 'get', KEY);
  expect(shown.stdout).toContain('"token":"..."');
  expect(shown.stdout).toContain('"pass":"..."');
  expect(shown.stdout).toContain('mail.example');
  const listed = await run('config', 'list');
  for (const { stdout } of [set, shown, listed]) expect(stdout).not.toMatch(/-secret/);
  expect((await run('config', 'get', KEY, '--reveal-secrets')).stdout).toContain(json(value));
  // Given back as it was shown, it keeps its secrets.
  await run(
    'config',
    'set',
    KEY,
    shown.stdout.slice(shown.stdout.indexOf('{')).trim().replace('mail.example', 'post.example'),
  );
  const changed = { ...value, smtp: { ...smtp, host: 'post.example' } };
  expect((await run('config', 'get', KEY, '--reveal-secrets')).stdout).toContain(json(changed));
});

test('A34: what the command line changes while the daemon runs holds for the next mail', async () => {
  const [first, second] = [await fakePostmark(), await fakePostmark()];
  const daemon = await startTestDaemon();
  const call = (tool: string, args: object) => daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, tool, args);
  await call('create_stream', { id: 's-a', name: 'a', transport: { kind: 'email', config: { alias: 'a' } } });
  for (const { account } of [first, second]) {
    const { code } = await cli(['config', 'set', KEY, json(account), '--data-dir', daemon.dir, '--quiet']);
    expect(code).toBe(0);
    await call('publish', { streamId: 's-a', to: ['ada@kunde.example'], body: 'x' });
    await daemon.courier.idle();
  }
  expect([first.sent.length, second.sent.length]).toEqual([1, 1]);
});
