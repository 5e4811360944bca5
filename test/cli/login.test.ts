// `helix-org login` with programs in the place of the agents: what they are started with, what is stored, and what is not.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLogin } from '../../src/cli/agent-setup.ts';
import { createMask } from '../../src/store/mask.ts';
import { cli, connectOwner, runCli, startTestDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';

const TOKEN = 'sk-ant-oat01-aaaaaaaaaaaaaaaaaaaaaaaa';
const REFRESH = 'rt-bbbbbbbbbbbbbbbbbbbbbbbb';
const AUTH = JSON.stringify({ tokens: { access_token: 'a', refresh_token: REFRESH, account_id: 'acc' } });

/** Notes how it was started beside itself, then does what `body` says. */
function program(name: string, version: string, body: string): string {
  const file = join(temporaryDirectory(), name);
  writeFileSync(
    file,
    `#!${process.execPath}
const fs = require('node:fs');
if (process.argv[2] === '--version') { console.log(${JSON.stringify(version)}); process.exit(0); }
fs.writeFileSync(${JSON.stringify(`${file}.json`)}, JSON.stringify({ argv: process.argv.slice(2), env: process.env }));
${body}
`,
  );
  chmodSync(file, 0o755);
  return file;
}

const seen = (file: string) =>
  JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { argv: string[]; env: Record<string, string> };

async function stage(settings: Record<string, string>) {
  const daemon = await startTestDaemon();
  for (const [key, value] of Object.entries(settings)) daemon.settings.set(key, value);
  const login = (args: string[], input = '', env: Record<string, string> = {}) =>
    runCli(['login', ...args, '--data-dir', daemon.dir], { input, env });
  return { daemon, login };
}

test('claude: its own set-up command runs in a home of ours, and the pasted token is stored, encrypted', async () => {
  const bin = program('claude', '2.1.329', "console.log('Your token: …');");
  const { daemon, login } = await stage({ 'claude.bin': bin });
  const home = temporaryDirectory();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', '.credentials.json'), 'my own');
  const run = await login(['claude'], `${TOKEN}\n`, { HOME: home, ANTHROPIC_API_KEY: 'sk-ant-api-mine' });
  expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('Claude subscription') });
  const { argv, env } = seen(bin);
  expect([argv, env.ANTHROPIC_API_KEY]).toEqual([['setup-token'], undefined]);
  expect(env.CLAUDE_CONFIG_DIR).not.toContain(home);
  expect(existsSync(env.CLAUDE_CONFIG_DIR ?? '')).toBe(false);
  expect(readFileSync(join(home, '.claude', '.credentials.json'), 'utf8')).toBe('my own');
  expect(run.stdout + run.stderr).not.toContain(TOKEN);
  expect(JSON.parse(daemon.settings.secret('login.claude') ?? '')).toEqual({ CLAUDE_CODE_OAUTH_TOKEN: TOKEN });
  const rows = daemon.db.sqlite.prepare("SELECT value FROM settings WHERE key = 'secret.login.claude'").pluck().all();
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(TOKEN);
  expect(createMask(daemon.settings)(`an agent prints ${TOKEN}!`)).toBe('an agent prints [secret]!');
});

test('codex: logs in into a CODEX_HOME of ours, which is gone when its auth.json is stored', async () => {
  const write = `fs.writeFileSync(process.env.CODEX_HOME + '/auth.json', ${JSON.stringify(AUTH)});`;
  const bin = program('codex', 'codex-cli 0.169.0', write);
  const { daemon, login } = await stage({ 'codex.bin': bin });
  const run = await login(['codex']);
  expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('ChatGPT account') });
  const { argv, env } = seen(bin);
  expect(argv).toEqual(['login']);
  expect(existsSync(env.CODEX_HOME ?? '')).toBe(false);
  expect(JSON.parse(daemon.settings.secret('login.codex') ?? '')).toEqual({ CODEX_AUTH_JSON: AUTH });
  expect(createMask(daemon.settings)(`an agent prints ${REFRESH}!`)).toBe('an agent prints [secret]!');
});

test('a set-up that fails, or is given nothing, stores nothing and says so', async () => {
  const bin = program('claude', '2.1.329', 'process.exit(3);');
  const { daemon, login } = await stage({ 'claude.bin': bin });
  expect(await login(['claude'], TOKEN)).toMatchObject({ code: 1, stderr: expect.stringContaining('exit code 3') });
  daemon.settings.set('claude.bin', program('claude', '2.1.329', ''));
  expect(await login(['claude'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no token and no key') });
  daemon.settings.set('claude.bin', '/nonexistent/claude');
  expect(await login(['claude'], TOKEN)).toMatchObject({ code: 1, stderr: expect.stringContaining('no such program') });
  expect(daemon.settings.secret('login.claude')).toBeUndefined();
});

test('a key for scripts comes over standard input; --status says who pays, --remove forgets it', async () => {
  const claude = program('claude', '2.1.329', '');
  const { daemon, login } = await stage({ 'claude.bin': claude, 'codex.bin': '/nonexistent/codex' });
  expect(await login(['codex', '--api-key'], 'sk-proj-aaaaaaaaaaaaaaaaaaaa')).toMatchObject({ code: 0 });
  expect(await login(['claude', '--from-stdin'], 'sk-ant-api03-aaaaaaaaaaaaaaaa')).toMatchObject({ code: 0 });
  const status = await cli(['login', '--status', '--json', '--data-dir', daemon.dir]);
  expect(status.stdout).not.toContain('aaaaaaaa');
  expect(JSON.parse(status.stdout)).toMatchObject([
    {
      kind: 'claude',
      loggedIn: true,
      from: 'stored',
      pays: expect.stringContaining('Anthropic API'),
      version: '2.1.329',
    },
    {
      kind: 'codex',
      loggedIn: true,
      from: 'stored',
      found: null,
      problems: [{ fix: expect.stringContaining('Install') }],
    },
  ]);
  const removed = await cli(['login', 'claude', '--remove', '--data-dir', daemon.dir]);
  expect(removed.stdout).toMatch(/^Removed\. claude 2\.1\.329: /);
  expect(daemon.settings.secret('login.claude')).toBeUndefined();
});

test('without a daemon it opens the data itself; an agent that needs no login is refused by name', async () => {
  const dir = temporaryDirectory();
  expect(await runCli(['bootstrap', '--data-dir', dir])).toMatchObject({ code: 0 });
  const status = await runCli(['login', 'claude', '--status', '--data-dir', dir]);
  expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(/^claude.*: not logged in\./) });
  expect(await cli(['login', 'command', '--data-dir', dir])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('unknown agent "command" (valid: claude, codex)'),
  });
});

test('what is pasted is told apart by its look', () => {
  expect(parseLogin('claude', ` ${TOKEN}\n`)).toEqual({ CLAUDE_CODE_OAUTH_TOKEN: TOKEN });
  expect(parseLogin('claude', 'key-aaaaaaaaaaaaaaaa', true)).toEqual({ ANTHROPIC_API_KEY: 'key-aaaaaaaaaaaaaaaa' });
  expect(parseLogin('codex', 'access-aaaaaaaaaaaaaa')).toEqual({ CODEX_ACCESS_TOKEN: 'access-aaaaaaaaaaaaaa' });
  expect(parseLogin('codex', '{"OPENAI_API_KEY":"k","tokens":null}')).toEqual({ CODEX_API_KEY: 'k' });
  expect(() => parseLogin('codex', '{"a":1}')).toThrow('no auth.json');
  expect(() => parseLogin('claude', 'two words that are long')).toThrow('no token and no key');
});

test('a login ends the wait of those whom the agent is held for, without waiting for the next probe', async () => {
  const bin = program('claude', '2.1.329', 'process.exit(0);');
  // No timer ever rings, so nothing but the login can try the agent again.
  const daemon = await startTestDaemon({
    agent: [process.execPath, '-e', ''],
    settings: { 'claude.bin': bin },
    after: () => () => {},
  });
  const owner = await connectOwner(daemon);
  await owner.call('create_role', { id: 'r-a', content: '# A' });
  await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  const identityContent = 'A.';
  await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent, agent: 'claude' });
  await waitFor('claude is held', () => daemon.dispatcher.activity('w-a') === 'held');
  expect(existsSync(`${bin}.json`)).toBe(false);
  expect((await runCli(['login', 'claude', '--from-stdin', '--data-dir', daemon.dir], { input: TOKEN })).code).toBe(0);
  await waitFor('it was started', () => existsSync(`${bin}.json`));
  expect(seen(bin).env.CLAUDE_CODE_OAUTH_TOKEN).toBe(TOKEN);
});
