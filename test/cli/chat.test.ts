import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { seqOfEventId } from '../../src/domain/ids.ts';
import { person } from '../support/chat-person.ts';
import {
  cli,
  connect,
  isAlive,
  NOWHERE,
  runCli,
  spawnDaemon,
  startTestDaemon,
  temporaryDirectory,
  waitFor,
} from '../support/daemon.ts';
import { noTerminal, openTerminal } from '../support/terminal.ts';
import { type Seen, terminalClaude } from './terminal-claude.ts';

const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A daemon that knows where the stand-in is, and the command line as its owner runs it. */
async function setUp() {
  const claude = terminalClaude();
  const daemon = await startTestDaemon({ settings: { 'claude.bin': claude.bin } });
  const env = { HELIX_ORG_HOME: daemon.dir, ANTHROPIC_API_KEY: 'the-persons-key' };
  const run = (args: string[], input = '') => runCli(args, { env, input });
  const terminal = () => openTerminal(env);
  const said = () =>
    (daemon.db.sqlite.prepare('SELECT body FROM chat_lines ORDER BY seq').pluck().all() as string[]).filter(
      (body) => !body.startsWith('==='),
    );
  const credentials = () => daemon.tokens.list().filter(({ kind }) => kind === 'chat');
  return { claude, daemon, env, run, terminal, said, credentials };
}

const after = ({ argv }: Seen, flag: string) => (argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined);
const serversOf = (seen: Seen) => JSON.parse(after(seen, '--mcp-config') ?? '{}').mcpServers;

async function hireAnn({ daemon }: Awaited<ReturnType<typeof setUp>>) {
  const hire = {
    workerId: 'w-ann',
    positionId: 'p-root',
    kind: 'ai',
    identity: 'I am Ann.',
    streams: [] as string[],
  } as const;
  await daemon.journal.commit('w-owner', {
    type: 'HireWorker',
    ...hire,
    grants: [
      { grantId: 'g-1', tool: 'publish' },
      { grantId: 'g-2', tool: 'agent:Bash(ls *)' },
    ],
  });
}

describe('asked once', () => {
  test('A19: chat -p a b passes -p "a b" before the MCP configuration, and neither --name nor --resume', async () => {
    const { claude, run } = await setUp();
    expect(await run(['chat', '-p', 'a', 'b'])).toMatchObject({ code: 0, stdout: 'You said: a b\n' });
    const { argv } = claude.last();
    expect(argv.slice(0, 2)).toEqual(['-p', 'a b']);
    expect(argv.indexOf('--mcp-config')).toBeGreaterThan(1);
    expect(argv).not.toContain('--name');
    expect(argv).not.toContain('--resume');
  });

  test('A20: in `echo x | chat -p` claude reads the piped text from stdin; without -p as well', async () => {
    const { claude, run } = await setUp();
    expect(await run(['chat', '-p'], 'x\n')).toMatchObject({ code: 0, stdout: 'You said: x\n' });
    expect(claude.last()).toMatchObject({ stdin: 'x\n', argv: expect.arrayContaining(['-p']) });
    expect(await run(['chat'], 'y\n')).toMatchObject({ code: 0, stdout: 'You said: y\n' });
    expect(await run(['chat', '-p', 'explain'], 'z\n')).toMatchObject({ stdout: 'You said: explain / z\n' });
  });

  test('A23: prompt "text" does what chat -p "text" does', async () => {
    const { claude, run } = await setUp();
    const outcomes = [await run(['chat', '-p', 'how are we?']), await run(['prompt', 'how are we?'])];
    expect(outcomes[1]).toEqual(outcomes[0]);
    const [chat, prompt] = claude
      .starts()
      .map((seen) => ({ ...seen, argv: seen.argv.filter((word) => !SESSION.test(word)) }));
    expect(prompt?.argv).toEqual(chat?.argv);
    expect(prompt?.cwd).toBe(chat?.cwd);
  });

  test('what begins with a dash is still a question', async () => {
    const { run } = await setUp();
    expect(await run(['chat', '-p', '--', '--help'])).toMatchObject({ code: 0, stdout: 'You said:  --help\n' });
  });

  test('what was said becomes a conversation that the page has, once', async () => {
    const { run, said, daemon } = await setUp();
    await run(['chat', '-p', 'first']);
    await run(['chat', '-p', 'second']);
    expect(said()).toEqual(['you: first', 'assistant: You said: first', 'you: second', 'assistant: You said: second']);
    const rows = daemon.db.sqlite.prepare('SELECT DISTINCT conversation FROM chat_lines').pluck().all();
    expect(rows).toHaveLength(2);
    const stream = daemon.journal.org.streams.get('s-chat-w-owner');
    expect(stream).toMatchObject({ private: true });
    expect(daemon.journal.org.subscriptions.get('s-chat-w-owner')?.size ?? 0).toBe(0);
  });
});

describe('who it speaks for', () => {
  test('A11: serve, bootstrap, chat works from beginning to end', async () => {
    const claude = terminalClaude();
    const daemon = await spawnDaemon({ settings: { 'claude.bin': claude.bin } });
    const env = { HELIX_ORG_HOME: daemon.dir };
    expect(await runCli(['bootstrap'], { env })).toMatchObject({ code: 0 });
    expect(await runCli(['chat', '-p', 'hello'], { env })).toMatchObject({ code: 0, stdout: 'You said: hello\n' });
    expect(serversOf(claude.last()).helix.url).toBe(`${daemon.url}/workers/w-owner/mcp`);
  });

  test('A16: chat --worker w-x --server-url http://h:1/ points at http://h:1/workers/w-x/mcp, with one slash', async () => {
    const stage = await setUp();
    await hireAnn(stage);
    await stage.run(['chat', '-p', 'hi', '--worker', 'w-ann', '--server-url', 'http://h:1/']);
    expect(serversOf(stage.claude.last()).helix.url).toBe('http://h:1/workers/w-ann/mcp');
  });

  test('nothing of the person’s own configuration reaches it, but their login, unless one is stored', async () => {
    const { claude, daemon, run, env } = await setUp();
    const home = temporaryDirectory();
    const own = {
      ...env,
      HOME: home,
      CLAUDE_CONFIG_DIR: join(home, '.claude'),
      CLAUDE_CODE_SOMETHING: '1',
      HELIX_CHAT_TOKEN: 'x',
      MY_SECRET: 'y',
    };
    await runCli(['chat', '-p', 'hi'], { env: own });
    const { env: given, cwd } = claude.last();
    expect(cwd).toBe(join(daemon.dir, 'workers', 'w-owner'));
    expect(given).toMatchObject({
      CLAUDE_CONFIG_DIR: join(cwd, '.home', '.claude-chat'),
      HOME: join(cwd, '.home'),
      ANTHROPIC_API_KEY: 'the-persons-key',
    });
    for (const name of ['CLAUDE_CODE_SOMETHING', 'HELIX_CHAT_TOKEN', 'MY_SECRET'])
      expect(given).not.toHaveProperty(name);
    daemon.settings.setSecret('login.claude', JSON.stringify({ ANTHROPIC_API_KEY: 'the-stored-key' }));
    await run(['chat', '-p', 'hi']);
    expect(claude.last().env.ANTHROPIC_API_KEY).toBe('the-stored-key');
    const state = JSON.parse(readFileSync(join(cwd, '.home', '.claude-chat', '.claude.json'), 'utf8'));
    expect(state).toMatchObject({
      hasCompletedOnboarding: true,
      projects: { [cwd]: { hasTrustDialogAccepted: true } },
    });
  });

  test('settings and hooks that lie in its directory are gone before it starts; sessions and a login by hand stay', async () => {
    const { claude, run } = await setUp();
    await run(['chat', '-p', 'hi']);
    const directory = claude.last().env.CLAUDE_CONFIG_DIR ?? '';
    for (const name of ['settings.json', '.credentials.json']) writeFileSync(join(directory, name), '{}');
    await run(['chat', '-p', 'hi']);
    expect(existsSync(join(directory, 'settings.json'))).toBe(false);
    expect(existsSync(join(directory, '.credentials.json'))).toBe(true);
  });
});

describe('refusals', () => {
  test('A21: contradictions are refused with their sentences', async () => {
    const refused = async (...args: string[]) => (await cli(args)).stderr.trim();
    expect(await refused('chat', '--new', '--resume')).toBe('--new and --resume are mutually exclusive');
    expect(await refused('chat', '-p', '--new')).toBe('-p is mutually exclusive with --new and --resume');
    expect(await refused('chat', '-p', 'x', '--resume')).toBe('-p is mutually exclusive with --new and --resume');
    expect(await refused('chat', '--worker', '')).toBe('--worker must not be empty');
    expect((await cli(['chat', '--worker', ''])).code).toBe(1);
  });

  test('A22: chat --claude-bin nope says that it is not there, and what to do', async () => {
    const { run, credentials } = await setUp();
    const refused = await run(['chat', '-p', 'hi', '--claude-bin', 'nope']);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('locate claude "nope": no such program. Install Claude Code'),
    });
    expect(credentials()).toMatchObject([{ revokedAt: expect.any(String) }]);
  });

  test('without a daemon it says how to start one', async () => {
    const { daemon, run, claude } = await setUp();
    await daemon.stop();
    expect(await run(['chat', '-p', 'hi'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`helix-org serve --data-dir "${daemon.dir}"`),
    });
    expect(await runCli(['chat', '-p', 'hi'], { env: { HELIX_ORG_HOME: NOWHERE } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('helix-org serve'),
    });
    expect(claude.starts()).toEqual([]);
  });

  test('a Worker that is not there has no chat', async () => {
    const { run } = await setUp();
    expect(await run(['chat', '-p', 'hi', '--worker', 'w-nobody'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('w-nobody'),
    });
  });
});

describe.skipIf(noTerminal)(`at a terminal${noTerminal ? ` (${noTerminal})` : ''}`, () => {
  test('A15: chat starts claude restricted, with the owner’s endpoint alone and a name; the token is in no argument', async () => {
    const { claude, daemon, terminal, credentials } = await setUp();
    const window = terminal();
    const chat = window.start(['chat', '--model', 'opus']);
    await window.shows('READY');
    const seen = claude.last();
    expect(seen.argv.slice(0, 4)).toEqual(['--restricted', '--strict-mcp-config', '--permission-mode', 'dontAsk']);
    expect(after(seen, '--name')).toBe('helix-org: w-owner');
    expect(after(seen, '--model')).toBe('opus');
    expect(Object.keys(serversOf(seen))).toEqual(['helix']);
    expect(serversOf(seen).helix).toMatchObject({
      url: `${daemon.url}/workers/w-owner/mcp`,
      headers: { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' },
    });
    const token = seen.env.HELIX_MCP_TOKEN ?? '';
    expect(token).toMatch(/^hxo_/);
    expect(seen.argv.join(' ')).not.toContain('hxo_');
    // What any user of the machine can see, of us and of it.
    const everyone = execFileSync('ps', ['-ww', '-eo', 'args'], { encoding: 'utf8' });
    expect(everyone).not.toContain(token);
    const caller = await connect(daemon.url, 'w-owner', token);
    expect(await caller.tools()).toContain('hire_worker');
    window.press('C-d');
    expect(await chat.ended()).toMatchObject({ code: 0 });
    expect(credentials()).toMatchObject([{ worker: 'w-owner', onBehalfOf: null, revokedAt: expect.any(String) }]);
  });

  test('A17: goes on in the newest session by its id, on the page and here; without one no resume flag is passed', async () => {
    const { claude, terminal, said, daemon } = await setUp();
    const window = terminal();
    const first = window.start(['chat']);
    await window.shows('READY');
    expect(claude.last().argv).not.toContain('--resume');
    const session = after(claude.last(), '--session-id');
    expect(session).toMatch(SESSION);
    window.type('remember me');
    await window.shows('You said: remember me');
    window.press('C-d');
    await first.ended();
    expect(said()).toEqual(['you: remember me', 'assistant: You said: remember me']);
    expect(daemon.db.sqlite.prepare('SELECT session FROM conversations').pluck().all()).toEqual([session]);
    const again = terminal();
    again.start(['chat']);
    await again.shows('READY');
    expect(after(claude.last(), '--resume')).toBe(session);
    expect(claude.last().argv).not.toContain('--session-id');
    again.type('and this');
    await again.shows('You said: and this');
    again.press('C-d');
    await waitFor('it is part of the same conversation', () => said().at(-1) === 'assistant: You said: and this');
    expect(daemon.db.sqlite.prepare('SELECT count(*) FROM conversations').pluck().get()).toBe(1);
  });

  test('while a conversation goes on at a terminal, the page says so and does not speak in it', async () => {
    const { claude, terminal, daemon } = await setUp();
    const { get, post, start } = person(daemon);
    const isShown = async () => (await get('/ui/')).html.includes('This conversation goes on at a terminal');
    const first = terminal();
    const chat = first.start(['chat']);
    await first.shows('READY');
    first.type('remember me');
    await first.shows('You said: remember me');
    first.press('C-d');
    await chat.ended();
    expect(await isShown()).toBe(false);
    const window = terminal();
    const again = window.start(['chat']);
    await window.shows('READY');
    expect(await isShown()).toBe(true);
    const starts = claude.starts().length;
    const answer = await start('and from here');
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain('Write there, end the chat there, or begin a new chat here.');
    const counts = daemon.db.sqlite.prepare("SELECT count(*) FROM chat_lines WHERE body LIKE '%from here%'").pluck();
    expect([claude.starts().length, counts.get()]).toEqual([starts, 0]);
    await post('/ui/chat/new', {});
    expect(await isShown()).toBe(false);
    window.press('C-d');
    await again.ended();
    const { id } = daemon.db.sqlite.prepare("SELECT id FROM conversations WHERE title <> ''").get() as { id: string };
    await post('/ui/chat/open', { conversation: id });
    expect(await isShown()).toBe(false);
  });

  test('while a conversation goes on at a terminal, another terminal does not go on in it, and begins a new one', async () => {
    const { claude, run, terminal, credentials } = await setUp();
    await run(['chat', '-p', 'before']);
    const session = after(claude.last(), '--session-id') ?? '';
    const first = terminal();
    const chat = first.start(['chat']);
    await first.shows('READY');
    const second = terminal();
    const refused = second.start(['chat']);
    expect(await refused.ended()).toMatchObject({ code: 1 });
    await second.shows('This conversation goes on at another terminal.');
    expect(await run(['chat', '-p', 'beside'])).toMatchObject({ code: 0 });
    expect(credentials().filter(({ revokedAt }) => revokedAt === null)).toHaveLength(1);
    const third = terminal();
    const beside = third.start(['chat', '--new']);
    await third.shows('READY');
    third.press('C-d');
    expect(await beside.ended()).toMatchObject({ code: 0 });
    first.press('C-d');
    await chat.ended();
    const fourth = terminal();
    const again = fourth.start(['chat', '--resume', session]);
    await fourth.shows('READY');
    expect(after(claude.last(), '--resume')).toBe(session);
    fourth.press('C-d');
    await again.ended();
  });

  test('A18: chat --new passes no resume flag; chat --resume passes it without an id, and with one it passes that', async () => {
    const { claude, run, terminal } = await setUp();
    await run(['chat', '-p', 'before']);
    const known = after(claude.last(), '--session-id') ?? '';
    const argvOf = async (...args: string[]) => {
      const window = terminal();
      const chat = window.start(['chat', ...args]);
      await window.shows('READY');
      window.press('C-d');
      await chat.ended();
      return claude.last();
    };
    expect((await argvOf('--new')).argv).not.toContain('--resume');
    expect(after(await argvOf('--resume'), '--resume')).toBe('--mcp-config');
    expect(after(await argvOf('--resume', known), '--resume')).toBe(known);
  });

  test('a chat as another Worker is recorded as on the owner’s behalf, through the door chat, as a person’s doing', async () => {
    const stage = await setUp();
    const { claude, daemon, env, credentials } = stage;
    await hireAnn(stage);
    await daemon.journal.commit('w-owner', {
      type: 'CreateStream',
      streamId: 's-in',
      name: 'in',
      description: '',
      transport: { kind: 'local', config: {} },
      private: false,
      hold: false,
      batch: 'stream',
    } as never);
    const terminal = openTerminal(env);
    const chat = terminal.start(['chat', '--worker', 'w-ann']);
    await terminal.shows('READY');
    const { env: given, argv } = claude.last();
    const caller = await connect(daemon.url, 'w-ann', given.HELIX_MCP_TOKEN ?? '');
    const { id } = await caller.call('publish', { streamId: 's-in', body: 'hello' });
    expect(daemon.queries.entry(seqOfEventId(String(id)) ?? 0)).toMatchObject({
      actor: 'w-ann',
      onBehalfOf: 'w-owner',
      via: 'chat',
      hops: 0,
    });
    expect(argv.join(' ')).toContain('Bash(ls *)');
    expect(credentials()).toMatchObject([
      { worker: 'w-ann', onBehalfOf: 'w-owner', revokedAt: null, expiresAt: expect.any(String) },
    ]);
    terminal.press('C-d');
    expect(await chat.ended()).toMatchObject({ code: 0 });
    expect(credentials()).toMatchObject([{ revokedAt: expect.any(String) }]);
    await expect(connect(daemon.url, 'w-ann', given.HELIX_MCP_TOKEN ?? '')).rejects.toThrow();
  });

  test('has the size of the terminal, hears Ctrl-C itself, and leaves the terminal as it was', async () => {
    const { claude, terminal } = await setUp();
    const window = terminal();
    const chat = window.start(['chat']);
    await window.shows('READY 100x30');
    window.resize(83, 21);
    await window.shows('READY 83x21');
    window.press('C-c', 'C-c');
    await waitFor('it heard both', () => claude.got().length === 2);
    expect(claude.got()).toEqual(['Ctrl-C', 'Ctrl-C']);
    window.type('still here');
    await window.shows('You said: still here');
    window.type('fail');
    const { before, after: now, code } = await chat.ended();
    expect(now).toBe(before);
    expect(code).toBe(7);
  });

  test('a claude that is killed leaves the terminal as it was, with a sentence, and nothing that was said is lost', async () => {
    const { claude, terminal, said, credentials } = await setUp();
    const window = terminal();
    const chat = window.start(['chat']);
    await window.shows('READY');
    window.type('do not forget');
    await window.shows('You said: do not forget');
    process.kill(claude.last().pid, 'SIGKILL');
    const { before, after: now, code } = await chat.ended();
    expect(now).toBe(before);
    expect(code).toBe(137);
    expect(await window.shows('ended by SIGKILL')).not.toContain('READY');
    window.type('echo it$((1+1))works');
    await window.shows('it2works');
    expect(said()).toEqual(['you: do not forget', 'assistant: You said: do not forget']);
    expect(credentials()).toMatchObject([{ revokedAt: expect.any(String) }]);
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)(
    '%s ends claude too, gives the terminal and the credential back',
    async (signal) => {
      const { claude, terminal, credentials } = await setUp();
      const window = terminal();
      const chat = window.start(['chat']);
      await window.shows('READY');
      const ours = execFileSync('ps', ['-o', 'ppid=', '-p', String(claude.last().pid)], { encoding: 'utf8' });
      process.kill(Number(ours), signal);
      const { before, after: now, code } = await chat.ended();
      expect(now).toBe(before);
      expect(code).toBe(signal === 'SIGTERM' ? 143 : 129);
      expect(claude.got()).toEqual([signal]);
      expect(credentials()).toMatchObject([{ revokedAt: expect.any(String) }]);
    },
  );

  test('a window that is closed takes claude and the credential with it', async () => {
    const { claude, terminal, credentials } = await setUp();
    const window = terminal();
    window.start(['chat']);
    await window.shows('READY');
    const { pid } = claude.last();
    window.close();
    await waitFor('claude is gone', () => !isAlive(pid));
    await waitFor('the credential has ended', () => credentials()[0]?.revokedAt);
  });

  test('words without -p are told how to ask', async () => {
    const { terminal } = await setUp();
    const window = terminal();
    const chat = window.start(['chat', 'hello']);
    expect(await chat.ended()).toMatchObject({ code: 1 });
    await window.shows('To ask once, write: helix-org chat -p "hello"');
  });
});
