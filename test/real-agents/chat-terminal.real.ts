// `helix-org chat` with the real Claude Code at a real terminal, and a model that follows a script.
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import type { Agent } from '../../src/domain/agent.ts';
import { CLAUDE_BIN } from '../agents/contract-agents.ts';
import { runCli, startTestDaemon, waitFor } from '../support/daemon.ts';
import { type ModelReply, type ModelRequest, startScriptedAnthropic } from '../support/scripted-anthropic.ts';
import { noTerminal, openTerminal } from '../support/terminal.ts';

/** What hiring takes, one call after the other; then it asks the new Worker and waits for the answer. */
const HIRING = [
  {
    name: 'create_role',
    input: { id: 'r-echo', content: '# Role: Echo\n\nSay back what you hear.\n\n## Tools (MCP)\n\npublish\n' },
  },
  { name: 'create_position', input: { id: 'p-echo', roleId: 'r-echo', parentId: 'p-root' } },
  { name: 'create_stream', input: { id: 's-talk', name: 'talk' } },
  {
    name: 'hire_worker',
    input: {
      id: 'w-echo',
      positionId: 'p-echo',
      kind: 'ai',
      identityContent: 'Echo.',
      streams: ['s-talk'],
      grants: [{ toolName: 'publish' }],
    },
  },
  { name: 'publish', input: { streamId: 's-talk', body: 'ping' } },
];

function model({ said, results, system }: ModelRequest): ModelReply {
  const use = (name: string, input: object): ModelReply => ({ use: [{ name: `mcp__helix__${name}`, input }] });
  if (!system.includes('You talk with a person')) {
    const heard = /^ {4}ping$/m.test(said.join('\n'));
    return heard && results.length === 0
      ? use('publish', { streamId: 's-talk', body: 'echo: ping' })
      : { say: 'Done.' };
  }
  const words =
    said
      .filter((text) => !text.startsWith('<'))
      .at(-1)
      ?.trim() ?? '';
  const step = HIRING[results.length];
  if (words.includes('hire an echo') && step) return use(step.name, step.input);
  return {
    say: `I heard ${said.filter((text) => /hire an echo|remember/.test(text)).length} messages; the last: ${words}.`,
  };
}

async function setUp() {
  const scripted = await startScriptedAnthropic(model);
  onTestFinished(scripted.close);
  const daemon = await startTestDaemonWithClaude(scripted.url);
  const env = { HELIX_ORG_HOME: daemon.dir };
  const bodies = (stream: string) => daemon.queries.events([stream], { limit: 100 }).map(({ body }) => body);
  return { daemon, env, bodies };
}

async function startTestDaemonWithClaude(url: string) {
  const { createAgents } = await import('../../src/cli/agents.ts');
  let run: Agent['run'] | undefined;
  const daemon = await startTestDaemon({
    settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN },
    agent: (given) => run?.(given),
  });
  run = createAgents(daemon.settings).all.get('claude')?.run;
  daemon.settings.setSecret(
    'login.claude',
    JSON.stringify({ ANTHROPIC_API_KEY: 'dummy-key-for-tests-only', ANTHROPIC_BASE_URL: url }),
  );
  return daemon;
}

test.skipIf(noTerminal)(`an echo Worker is hired by chat alone, and answers ${noTerminal || ''}`, async () => {
  const { daemon, env, bodies } = await setUp();
  const window = openTerminal(env);
  const chat = window.start(['chat']);
  await window.shows('helix-org: w-owner');
  window.type('hire an echo Worker');
  await window.shows('the last: hire an echo Worker');
  await waitFor('the Worker has answered', () => bodies('s-talk').includes('echo: ping'));
  const [ping] = daemon.queries.events(['s-talk'], { limit: 100 }).filter(({ body }) => body === 'ping');
  expect(daemon.queries.entry(ping?.seq ?? 0)).toMatchObject({ actor: 'w-owner', via: 'chat', hops: 0 });
  // Out by its own command, and the terminal is as before.
  window.type('/exit');
  const ended = await chat.ended();
  expect(ended.after).toBe(ended.before);
  expect(ended.code).toBe(0);
  expect(bodies('s-chat-w-owner')).toEqual(
    expect.arrayContaining(['you: hire an echo Worker', expect.stringContaining('tool_use mcp__helix__hire_worker')]),
  );
  // And on in the same session.
  const again = openTerminal(env);
  again.start(['chat']);
  await again.shows('hire an echo Worker');
  again.type('remember?');
  await again.shows('I heard 2 messages');
});

test.skipIf(noTerminal)('killed in the middle, it leaves the terminal as it was', async () => {
  const { env } = await setUp();
  const window = openTerminal(env);
  const chat = window.start(['chat', '--new']);
  await window.shows('helix-org: w-owner');
  window.resize(72, 20);
  await waitFor('it has drawn itself anew', () => !window.screen().includes('─'.repeat(80)));
  const pids = execFileSync('ps', ['-ww', '-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  const claude = pids.filter((line) => line.includes(env.HELIX_ORG_HOME) && line.includes('--restricted'));
  expect(claude).toHaveLength(1);
  process.kill(Number.parseInt(claude[0]?.trim() ?? '', 10), 'SIGKILL');
  const { before, after, code } = await chat.ended();
  expect(after).toBe(before);
  expect(code).toBe(137);
  await window.shows('ended by SIGKILL');
});

test('works through a pipe', async () => {
  const { env } = await setUp();
  expect(await runCli(['chat'], { env, input: 'remember me' })).toMatchObject({
    code: 0,
    stdout: 'I heard 1 messages; the last: remember me.\n',
  });
});
