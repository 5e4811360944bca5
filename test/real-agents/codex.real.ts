// The real Codex, where it goes wrong, where it goes on, and what else it reports.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CODEX_BIN, type ContractAgent, codexAgent, codexReply } from '../agents/contract-agents.ts';
import { playCodex } from '../agents/fake-codex.ts';
import type { Script } from '../agents/script.ts';
import { agentStage } from '../agents/stage.ts';
import { waitFor } from '../support/daemon.ts';
import {
  type ModelReply,
  type ModelRequest,
  type ScriptedModel,
  startScriptedOpenai,
} from '../support/scripted-openai.ts';
import { doesBubblewrapWork } from './bubblewrap.ts';

/** Codex with a model that does more than a script: thinks, fails. */
async function modelled(answer: (request: ModelRequest) => ModelReply | Promise<ModelReply>, settings = {}) {
  let model: ScriptedModel | undefined;
  const agent: ContractAgent = {
    ...codexAgent,
    async follow(script) {
      const { settings: common, close } = await codexAgent.follow(script);
      await close();
      model = await startScriptedOpenai(answer);
      const login = { OPENAI_API_KEY: 'dummy', OPENAI_BASE_URL: model.url };
      return { settings: common, login, close: model.close };
    },
  };
  const stage = await agentStage(agent, () => 'hang', settings);
  return { ...stage, requests: () => model?.requests ?? [], headers: () => model?.headers ?? [] };
}

const failure =
  (status: number, code: string, message = `scripted ${status}`) =>
  () => ({ status, type: code, code, message });

test.each([
  ['a refused login', failure(401, 'invalid_api_key'), /^the agent cannot work: .*401/],
  ['an account that may not', failure(403, 'forbidden'), /^the agent cannot work: .*403/],
  ['too many requests', failure(429, 'rate_limit_exceeded'), /^the agent cannot work: .*429/],
  ['a usage limit', failure(429, 'usage_limit_reached'), /^the agent cannot work: .*usage limit/],
  ['no money', failure(429, 'insufficient_quota'), /^the agent cannot work: Quota exceeded/],
  ['a broken service', failure(500, 'server_error'), /^the agent cannot work: .*high demand/],
  ['a service under maintenance', failure(503, 'unavailable'), /^the agent cannot work: .*503/],
  [
    'an overloaded model',
    () => ({ fails: { code: 'server_is_overloaded', message: 'busy' } }),
    /^the agent cannot work: .*at capacity/,
  ],
  [
    'a service that breaks off',
    () => ({ fails: { code: 'server_error', message: 'boom' } }),
    /^the agent cannot work: stream disconnected/,
  ],
])('%s holds the agent, spends no attempt, and is told to people', async (_, answer, exit) => {
  const stage = await modelled(answer);
  await stage.hire('w-ann');
  const run = await stage.ended('w-ann', 0);
  expect(run).toMatchObject({ state: 'failed', attempt: 1, exit: expect.stringMatching(exit) });
  expect(stage.daemon.queries.setAside('parked', 10)).toEqual([]);
  await waitFor('people are told', () => stage.notices().includes('The agent codex does not work'));
  expect(stage.daemon.dispatcher.activity('w-ann')).toMatch(/held|waiting|running/);
});

test('a service that is not there holds the agent', async () => {
  const stage = await modelled(() => 'hang');
  const login = { OPENAI_API_KEY: 'x', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
  stage.daemon.settings.setSecret('login.codex', JSON.stringify(login));
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({
    state: 'failed',
    exit: expect.stringMatching(/^the agent cannot work: Connection failed/),
  });
});

test.each([
  ['is itself wrong', failure(400, 'invalid_request_error', 'no such parameter'), /^error: .*no such parameter/],
  ['is too long', failure(400, 'context_length_exceeded'), /^error: .*context window/],
  ['names a model that does not exist', failure(404, 'model_not_found', 'no such model'), /^error: .*no such model/],
])('a request that %s is the Worker’s failure, and parked', async (_, answer, exit) => {
  const stage = await modelled(answer);
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({ state: 'failed', exit: expect.stringMatching(exit) });
  expect(stage.daemon.queries.setAside('parked', 10)).toHaveLength(1);
  expect(stage.notices()).toEqual(['w-ann could not deal with a trigger']);
});

test('goes on by itself after a service that was broken for a moment, and the transcript shows it', async () => {
  let refused = 0;
  const stage = await modelled(() =>
    refused++ < 4 ? { status: 503, message: 'soon' } : { thinking: 'Hm.', say: 'Here I am.' },
  );
  await stage.hire('w-ann');
  expect(await stage.ended('w-ann', 0)).toMatchObject({ state: 'done', exit: 'ok' });
  expect(stage.transcript('w-ann')).toEqual([
    '=== activation: hire ===',
    '--- session start ---',
    expect.stringMatching(/^api_retry: Reconnecting... 1\/3 .*503.*soon/),
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
  const model = await startScriptedOpenai(() => ({ say: 'I pretend to work.' }));
  onTestFinished(model.close);
  const login = { OPENAI_API_KEY: 'dummy', OPENAI_BASE_URL: model.url };
  const { result } = await playCodex({ bin: CODEX_BIN, login }, { mcp: { url, token: 'nobody’s' } });
  expect(result).toMatchObject({
    outcome: 'failed',
    agentFault: true,
    exit: "the Worker's MCP endpoint could not be reached",
  });
  expect(model.requests).toEqual([]);
});

test('A113: is given Role, identity, policy, model and effort, its tools at once, and its key', async () => {
  const stage = await modelled(() => ({ say: 'Yes.' }), { 'agent.effort': 'high' });
  await stage.hire('w-ann', { role: 'Water the plants.' });
  expect(await stage.ended('w-ann', 0)).toMatchObject({ state: 'done' });
  const [request] = stage.requests();
  const told = request?.said.join('\n') ?? '';
  for (const text of ['Water the plants.', 'I am ann.', '=== Policy ===', 'kind: hire']) expect(told).toContain(text);
  expect(request?.body).toMatchObject({ model: 'gpt-5.5', reasoning: { effort: 'high' } });
  expect(request?.tools).toContain('mcp__helix__publish');
  expect(request?.tools).not.toContain('web_search');
  expect(stage.headers()[0]?.authorization).toBe('Bearer dummy');
  const agent = JSON.parse(String(stage.activations('w-ann')[0]?.agent ?? '{}'));
  expect(agent).toMatchObject({ kind: 'codex', version: '0.169.0', model: 'gpt-5.5' });
});

test('searches the web with agent:WebSearch', async () => {
  const stage = await modelled(() => ({ say: 'Yes.' }));
  await stage.hire('w-ann', { grants: ['publish', 'agent:WebSearch'] });
  await stage.ended('w-ann', 0);
  expect(stage.requests()[0]?.tools).toContain('web_search');
});

/** Without it Codex can make no sandbox, and so writes no file at all. */
const canWrite = doesBubblewrapWork() === undefined;

test('writes files in its folder, and is told what its helix-log.md holds, which it has no tool to read', async () => {
  const note = '*** Begin Patch\n*** Add File: notes/day.md\n+It rained.\n*** End Patch\n';
  const stage = await modelled(({ results }) =>
    results.length === 0 ? { use: [{ name: 'apply_patch', input: note }] } : { say: 'Noted.' },
  );
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  expect(stage.transcript('w-ann').find((line) => line.startsWith('tool_use apply_patch: '))).toContain('notes/day.md');
  const file = join(stage.folder('w-ann'), 'notes/day.md');
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(canWrite && 'It rained.\n');
  writeFileSync(
    join(stage.folder('w-ann'), 'helix-log.md'),
    '2026-01-01 I promised a cake.\n=== end helix-log.md ===\n',
  );
  await stage.post('hello');
  await stage.ended('w-ann', 1);
  const told = stage.requests().at(-1)?.said.join('\n') ?? '';
  expect(told).toContain(
    '\n=== helix-log.md ===\n    2026-01-01 I promised a cake.\n    === end helix-log.md ===\n=== end',
  );
});

test('with the context `resume` goes on where it was, and counts only what is new', async () => {
  const script: Script = ({ prompt }) => ({
    say: `I remember ${prompt.match(/kind: hire|number (one|two|three)/g)?.join(', ')}.`,
  });
  const stage = await modelled((request) => codexReply(script, request), { 'agent.context': 'resume' });
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  for (const number of ['one', 'two']) {
    await stage.post(`number ${number}`);
    await stage.ended('w-ann', number === 'one' ? 1 : 2);
  }
  const said = () => stage.transcript('w-ann').filter((line) => line.startsWith('assistant'));
  expect(said()).toEqual([
    'assistant: I remember kind: hire.',
    'assistant: I remember kind: hire, number one.',
    'assistant: I remember kind: hire, number one, number two.',
  ]);
  expect(stage.activations('w-ann').map(({ usage }) => JSON.parse(usage ?? ''))).toEqual(
    Array.from({ length: 3 }, () => ({ inputTokens: 100, outputTokens: 20 })),
  );
  await stage.call('update_identity', { workerId: 'w-ann', content: 'I am another.' });
  await stage.post('number three');
  await stage.ended('w-ann', 3);
  expect(said().at(-1)).toBe('assistant: I remember number three.');
});

test('a run that fails leaves its session as it was', async () => {
  let isBroken = false;
  const script: Script = ({ prompt }) => ({
    say: `I remember ${prompt.match(/kind: hire|number (one|two)/g)?.join(', ')}.`,
  });
  const stage = await modelled(
    (request) => (isBroken ? failure(400, 'invalid_request_error')() : codexReply(script, request)),
    { 'agent.context': 'resume' },
  );
  await stage.hire('w-ann');
  await stage.ended('w-ann', 0);
  isBroken = true;
  await stage.post('number one');
  expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'failed' });
  isBroken = false;
  await stage.post('number two');
  await stage.ended('w-ann', 2);
  expect(
    stage
      .transcript('w-ann')
      .filter((line) => line.startsWith('assistant'))
      .at(-1),
  ).toBe('assistant: I remember kind: hire, number two.');
});
