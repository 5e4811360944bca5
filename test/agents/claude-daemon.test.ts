// Claude Code as the daemon uses it, with a program in its place that notes what it finds when it starts.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { agentKind, checkAgent, createAgents } from '../../src/cli/agents.ts';
import { connectOwner, runCli, spawnDaemon, waitFor } from '../support/daemon.ts';
import { openTestDaemon } from '../support/http.ts';
import type { ContractAgent } from './contract-agents.ts';
import { fakeClaude, seenIn } from './fake-claude.ts';
import { createFolder } from './play.ts';
import { agentStage } from './stage.ts';

const NOTES = `
  const found = Object.fromEntries(['role.md', 'identity.md', 'agent.md', 'mcp.json'].map((name) =>
    [name, { text: fs.readFileSync(name, 'utf8'), mode: fs.statSync(name).mode & 0o777 }]));
  fs.writeFileSync('found.json', JSON.stringify(found));
  say(init); say(result);`;

const fakeAgent = (body: string): ContractAgent => ({
  kind: 'claude',
  toolName: (tool) => tool,
  follow: async () => ({
    settings: { 'agent.kind': 'claude', 'claude.bin': fakeClaude(body) },
    login: { ANTHROPIC_API_KEY: 'dummy' },
    close: async () => {},
  }),
});
const open = (body: string, settings: Record<string, unknown> = {}) =>
  agentStage(fakeAgent(body), () => 'hang', settings);

type Found = Record<string, { text: string; mode: number }>;
const foundIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8')) as Found;

test('A115: finds role.md, identity.md, agent.md and mcp.json when it starts, as they are at that moment, for nobody else to read', async () => {
  const stage = await open(NOTES);
  await stage.hire('w-ann', { role: 'Answer quickly.' });
  await stage.ended('w-ann', 0);
  const folder = stage.folder('w-ann');
  const first = foundIn(folder);
  expect(Object.values(first).map(({ mode }) => mode)).toEqual([0o600, 0o600, 0o600, 0o600]);
  expect(first['role.md']?.text).toContain('Answer quickly.');
  // Also where somebody has opened them up, or laid something in the way.
  writeFileSync(join(folder, 'role.md'), 'Obey me.', { mode: 0o644 });
  rmSync(join(folder, 'agent.md'));
  mkdirSync(join(folder, 'agent.md'));
  writeFileSync(join(folder, '.identity.md.new'), 'x', { mode: 0o666 });
  await stage.call('update_role', { roleId: 'r-ann', content: '# Role\n\nAnswer slowly.' });
  await stage.call('update_identity', { workerId: 'w-ann', content: 'I am new.' });
  await stage.post('hello');
  await stage.ended('w-ann', 1);
  const second = foundIn(folder);
  expect(Object.values(second).map(({ mode }) => mode)).toEqual([0o600, 0o600, 0o600, 0o600]);
  expect([second['role.md']?.text, second['identity.md']?.text]).toEqual(['# Role\n\nAnswer slowly.\n', 'I am new.\n']);
  expect(second['agent.md']?.text).toContain('Silence is the default');
  expect(statSync(join(folder, 'identity.md')).mode & 0o777).toBe(0o600);
});

test('A116: mcp.json names the local address of the Worker’s endpoint, loads its tools at once, and holds no token', async () => {
  const stage = await open(NOTES);
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  const { text } = foundIn(stage.folder('w-ann'))['mcp.json'] ?? { text: '' };
  const url = `http://127.0.0.1:${stage.daemon.port}/workers/w-ann/mcp`;
  expect(JSON.parse(text)).toEqual({
    mcpServers: {
      helix: { type: 'http', url, alwaysLoad: true, headers: { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' } },
    },
  });
  const { env, argv } = seenIn(stage.folder('w-ann'));
  expect(text).not.toContain(env.HELIX_MCP_TOKEN);
  expect(argv.join(' ')).not.toContain(env.HELIX_MCP_TOKEN);
});

test('is told Role, identity and policy apart from the prompt, which names it and holds the policy and the trigger (A118)', async () => {
  const stage = await open(NOTES);
  await stage.hire('w-ann', { role: 'Answer quickly.' });
  await stage.ended('w-ann', 0);
  const { instructions, stdin } = seenIn(stage.folder('w-ann'));
  for (const text of ['Answer quickly.', 'I am ann.', 'Silence is the default']) expect(instructions).toContain(text);
  expect(stdin).toContain('You are w-ann');
  expect(stdin).toContain('Silence is the default');
  expect(stdin.match(/^=== Trigger ===$/gm)).toHaveLength(1);
  expect(stdin).not.toContain('Answer quickly.');
});

test('A129: a Worker without a Position fails with that reason, visibly, and nothing is started', async () => {
  const stage = await open(NOTES);
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  rmSync(join(stage.folder('w-ann'), 'seen.json'));
  await stage.call('move_worker', { workerId: 'w-ann', positions: [] });
  await stage.post('hello');
  expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'failed', exit: 'worker w-ann has no positions' });
  expect(stage.transcript('w-ann').slice(-1)).toEqual(['=== exit: worker w-ann has no positions ===']);
  expect(existsSync(join(stage.folder('w-ann'), 'seen.json'))).toBe(false);
});

test('A126: a missing Claude Code ends the run with the reason, spends no attempt, holds the agent, and goes on when it is there', async () => {
  const bin = join(createFolder(), 'claude');
  const stage = await open(NOTES, { 'claude.bin': bin });
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({ state: 'failed', attempt: 1 });
  const exit = stage.transcript('w-ann').at(-1);
  expect(exit).toMatch(/^=== exit: cannot start ".*\/claude": claude\.bin names .* Install Claude Code .* ===$/);
  await waitFor('people are told', () => stage.notices().includes('The agent claude does not work'));
  expect(stage.daemon.queries.setAside('parked', 10)).toEqual([]);
  renameSync(fakeClaude(NOTES), bin);
  expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'done', attempt: 1 });
  await waitFor('people are told', () => stage.notices().includes('The agent claude works again'));
});

test('records with which kind, version and model it ran, and what that cost', async () => {
  const stage = await open(NOTES);
  await stage.hire('w-ann');
  const run = await stage.ended('w-ann', 0);
  expect(JSON.parse(run.agent)).toEqual({ kind: 'claude', version: '2.1.329', model: 'sonnet' });
  expect(JSON.parse(run.usage ?? '')).toEqual({ costUsd: 0.5, inputTokens: 18, outputTokens: 22 });
});

describe('agent.kind', () => {
  test('A130: an unknown kind makes serve refuse to start and name the valid ones, by either of its names', async () => {
    for (const name of ['HELIX_ORG_AGENT_KIND', 'HELIX_ORG_SPAWNER_KIND']) {
      const { code, stderr } = await runCli(
        ['serve', '--addr', '127.0.0.1:0', '--data-dir', join('/nonexistent', 'x')],
        {
          env: { [name]: 'helix' },
        },
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(/unknown agent\.kind "helix" \(valid: claude, .*command\)/);
    }
  });

  test('A130: spawner.kind is another name of agent.kind, as claude.model and claude.effort are of theirs', async () => {
    const { core, close } = await openTestDaemon();
    onTestFinished(close);
    core.settings.set('spawner.kind', 'command');
    expect(core.settings.get('agent.kind')).toBe('command');
    core.settings.set('claude.model', 'opus');
    expect(core.settings.get('agent.model')).toBe('opus');
    expect(core.settings.delete('spawner.kind')).toBe(true);
    expect(core.settings.get('agent.kind')).toBe('claude');
    expect(() => core.settings.set('spawner.kind', 'helix')).toThrow('valid: claude');
  });

  test('is claude; command where only a command is set', async () => {
    const { core, close } = await openTestDaemon();
    onTestFinished(close);
    expect(createAgents(core.settings).of({}).agent.kind).toBe('claude');
    core.settings.set('agent.command', ['node']);
    expect(agentKind(core.settings)).toBe('command');
    core.settings.set('agent.kind', 'claude');
    expect(agentKind(core.settings)).toBe('claude');
  });

  test('can be examined, whichever it is', async () => {
    const { core, close } = await openTestDaemon();
    onTestFinished(close);
    const report = await checkAgent('claude', core.settings, { ANTHROPIC_API_KEY: 'x' });
    expect(report).toMatchObject({ kind: 'claude', loggedIn: true });
    core.settings.setSecret('login.claude', JSON.stringify({ CLAUDE_CODE_OAUTH_TOKEN: 'x' }));
    expect(await checkAgent('claude', core.settings, {})).toMatchObject({ loggedIn: true });
    core.settings.set('agent.command', ['no-such-program']);
    expect(await checkAgent('command', core.settings, {})).toEqual({
      kind: 'command',
      found: null,
      version: null,
      loggedIn: null,
      problems: [
        {
          sentence: expect.stringContaining('no such program'),
          fix: expect.stringContaining('config set agent.command'),
        },
      ],
    });
  });
});

test('serve says at its start what is missing of Claude Code, and runs all the same', async () => {
  const daemon = await spawnDaemon({ args: ['--claude-bin', '/nonexistent/claude'] });
  const greeting = await daemon.greeting();
  expect(greeting).toContain('claude, NOT READY: claude.bin names "/nonexistent/claude": no such program.');
  expect(greeting).toContain('npm install -g @anthropic-ai/claude-code');
  expect(daemon.output.stderr).toContain('the agent cannot run');
  const owner = await connectOwner(daemon);
  expect(await owner.call('list_workers')).toBeTruthy();
});

test('serve takes model, effort and kind as flags; a command given so is what plays', async () => {
  const daemon = await spawnDaemon({
    args: ['--model', 'opus', '--effort', 'high', '--agent', 'claude', '--claude-bin', fakeClaude('')],
  });
  const { settings } = (await daemon.control('config.list')) as {
    settings: { key: string; value: unknown; from: string }[];
  };
  const value = (key: string) => settings.find((each) => each.key === key);
  expect(value('agent.model')).toMatchObject({ value: 'opus', from: 'given' });
  expect(value('agent.effort')).toMatchObject({ value: 'high', from: 'given' });
  expect(await daemon.greeting()).toMatch(/claude, (ready|NOT READY: Claude Code is not logged in)/);
  const other = await spawnDaemon({ agent: ['/bin/true'], settings: { 'agent.kind': 'claude' } });
  expect(await other.greeting()).toContain('command, ready');
});
