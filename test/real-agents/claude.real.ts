// The real Claude Code, where it goes wrong, where it goes on, and what else it reports.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CLAUDE_BIN, type ContractAgent, claudeAgent, claudeReply } from '../agents/contract-agents.ts';
import { playClaude } from '../agents/fake-claude.ts';
import { createFolder } from '../agents/play.ts';
import type { Script } from '../agents/script.ts';
import { agentStage } from '../agents/stage.ts';
import { waitFor } from '../support/daemon.ts';
import {
  type ModelReply,
  type ModelRequest,
  type ScriptedModel,
  startScriptedAnthropic,
} from '../support/scripted-anthropic.ts';

/** Claude Code with a model that does more than a script: thinks, fails, speaks as a sub-agent. */
async function modelled(answer: (request: ModelRequest) => ModelReply | Promise<ModelReply>, settings = {}) {
  let model: ScriptedModel | undefined;
  const agent: ContractAgent = {
    ...claudeAgent,
    async follow() {
      model = await startScriptedAnthropic(answer);
      const login = { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: model.url };
      return { settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN }, login, close: model.close };
    },
  };
  const stage = await agentStage(agent, () => 'hang', settings);
  return { ...stage, requests: () => model?.requests ?? [] };
}

const failure = (status: number, type: string, message?: string) => () => ({
  status,
  type,
  ...(message ? { message } : {}),
});

test.each([
  ['a refused login', failure(401, 'authentication_error'), /^the login is refused \(401/],
  ['a usage limit', failure(429, 'rate_limit_error', "You've hit your limit"), /^the agent cannot work: .*limit/],
  ['an overloaded service', failure(529, 'overloaded_error'), /^the agent cannot work: .*529/],
  [
    'no money',
    failure(400, 'invalid_request_error', 'Your credit balance is too low'),
    /^the agent cannot work: Credit balance/,
  ],
])('%s holds the agent, spends no attempt, and is told to people', async (_, answer, exit) => {
  const stage = await modelled(answer);
  await stage.hire('w-ann');
  const run = await stage.ended('w-ann', 0);
  expect(run).toMatchObject({ state: 'failed', attempt: 1, exit: expect.stringMatching(exit) });
  expect(stage.daemon.queries.setAside('parked', 10)).toEqual([]);
  await waitFor('people are told', () => stage.notices().includes('The agent claude does not work'));
  // Held, or tried again.
  expect(stage.daemon.dispatcher.activity('w-ann')).toMatch(/waiting|running/);
});

test('a service that is not there holds the agent', async () => {
  const stage = await modelled(() => 'hang');
  stage.daemon.settings.setSecret(
    'login.claude',
    JSON.stringify({ ANTHROPIC_API_KEY: 'x', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' }),
  );
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({
    state: 'failed',
    exit: expect.stringMatching(/^the agent cannot work: .*[Cc]onnect/),
  });
});

test('a request that is itself wrong is the Worker’s failure, and parked', async () => {
  const stage = await modelled(
    failure(400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum'),
  );
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({
    state: 'failed',
    exit: expect.stringMatching(/^error: Prompt is too long/),
  });
  expect(stage.daemon.queries.setAside('parked', 10)).toHaveLength(1);
  expect(stage.notices()).toEqual(['w-ann could not deal with a trigger']);
});

test('goes on by itself after a service that was overloaded for a moment, and the transcript shows it', async () => {
  let refused = 0;
  const stage = await modelled(() =>
    refused++ < 2 ? { status: 529, type: 'overloaded_error' } : { thinking: 'Hm.', say: 'Here I am.' },
  );
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({ state: 'done', exit: 'ok' });
  const said = stage.transcript('w-ann').map((line) => line.replace(/in [\d.]+ s/, 'soon'));
  expect(said).toEqual([
    '=== activation: hire ===',
    '--- session start ---',
    'api_retry: 529 overloaded; attempt 1 of 4 soon',
    'api_retry: 529 overloaded; attempt 2 of 4 soon',
    'thinking: Hm.',
    'assistant: Here I am.',
    'result: Here I am.',
    '=== exit: ok ===',
  ]);
});

test.each([
  ['is not there', 'http://127.0.0.1:9/workers/w-ada/mcp'],
  ['refuses its token', undefined],
])('asks no model when the Worker’s endpoint %s', async (_, given) => {
  const stage = await modelled(() => ({ say: 'I pretend to work.' }));
  const url = given ?? `${stage.daemon.url}/workers/w-owner/mcp`;
  const folder = createFolder();
  const helix = { type: 'http', url, alwaysLoad: true, headers: { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' } };
  writeFileSync(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: { helix } }));
  const model = await startScriptedAnthropic(() => 'hang');
  onTestFinished(model.close);
  const login = { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: model.url };
  const { result } = await playClaude({ bin: CLAUDE_BIN, login }, { folder });
  expect(result).toMatchObject({
    outcome: 'failed',
    agentFault: true,
    exit: "the Worker's MCP endpoint could not be reached (failed)",
  });
});

test('shows what a sub-agent does, marked as such, and waits for it', async () => {
  const isSub = ({ said }: ModelRequest) => said.some((text) => text.includes('COUNT THE FILES'));
  const stage = await modelled((request) => {
    if (isSub(request))
      return request.results.length === 0
        ? { say: 'I count.', use: [{ name: 'Glob', input: { pattern: '*.md' } }] }
        : { say: 'There are three.' };
    return request.results.length === 0
      ? {
          use: [
            {
              name: 'Agent',
              input: { description: 'count', prompt: 'COUNT THE FILES', subagent_type: 'general-purpose' },
            },
          ],
        }
      : { say: 'It says: three.' };
  });
  await stage.hire('w-ann', { grants: ['publish', 'agent:Agent'] });
  expect(await stage.ended('w-ann', 0)).toMatchObject({ state: 'done' });
  const said = stage.transcript('w-ann');
  const order = [
    'tool_use Agent: ',
    'sub-agent assistant: I count.',
    'sub-agent tool_use Glob: ',
    'sub-agent tool_result: ',
    'sub-agent assistant: There are three.',
    'tool_result: ',
    'assistant: It says: three.',
  ];
  let at = 0;
  for (const start of order) {
    at = said.findIndex((line, index) => index >= at && line.startsWith(start));
    expect(at, `${start} in ${said.join('\n')}`).toBeGreaterThanOrEqual(0);
  }
  // What the sub-agent cost is in it: two models' turns of each.
  expect(JSON.parse(stage.activations('w-ann')[0]?.usage ?? '')).toMatchObject({ outputTokens: 80 });
});

test('with the context `resume` goes on where it was, and counts only what is new', async () => {
  const script: Script = ({ prompt }) => ({ say: `I remember ${prompt.match(/kind: hire|number \w+/g)?.join(', ')}.` });
  const stage = await modelled((request) => claudeReply(script, request), { 'agent.context': 'resume' });
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  for (const number of ['one', 'two']) {
    await stage.post(`number ${number}`);
    await stage.ended('w-ann', number === 'one' ? 1 : 2);
  }
  expect(stage.transcript('w-ann').filter((line) => line.startsWith('assistant'))).toEqual([
    'assistant: I remember kind: hire.',
    'assistant: I remember kind: hire, number one.',
    'assistant: I remember kind: hire, number one, number two.',
  ]);
  const usages = stage.activations('w-ann').map(({ usage }) => JSON.parse(usage ?? ''));
  expect(usages).toEqual(
    Array.from({ length: 3 }, () => ({ costUsd: expect.any(Number), inputTokens: 100, outputTokens: 20 })),
  );
  expect(new Set(usages.map(({ costUsd }) => costUsd)).size).toBe(1);
  await stage.call('update_identity', { workerId: 'w-ann', content: 'I am another.' });
  await stage.post('number three');
  await stage.ended('w-ann', 3);
  expect(
    stage
      .transcript('w-ann')
      .filter((line) => line.startsWith('assistant'))
      .at(-1),
  ).toBe('assistant: I remember number three.');
});
