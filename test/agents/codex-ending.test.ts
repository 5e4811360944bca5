import { expect, test } from 'vitest';
import { fakeCodex, playCodex } from './fake-codex.ts';

const playing = (body: string, change = {}) => playCodex({ bin: fakeCodex(body) }, change);
const failing = (message: string) => `
  say(start);
  say({ type: 'error', message: ${JSON.stringify(message)} });
  say(failed(${JSON.stringify(message)}));
  process.exitCode = 1;`;

test.each([
  ['a refused login', 'unexpected status 401 Unauthorized: bad key, url: http://x/v1/responses'],
  ['a login that has expired', 'Your access token could not be refreshed. Please log in again.'],
  ['a usage limit', 'You’ve hit your usage limit. Try again later.'],
  ['no money', 'Quota exceeded. Check your plan and billing details.'],
  ['too many requests', 'exceeded retry limit, last status: 429 Too Many Requests'],
  ['an overloaded model', 'Selected model is at capacity. Please try a different model.'],
  ['a broken service', 'We’re currently experiencing high demand, which may cause temporary errors.'],
  ['a service that is not there', 'Connection failed: error sending request'],
  ['a service that breaks off', 'stream disconnected before completion: boom'],
])('%s is the agent’s fault, not the Worker’s', async (_, message) => {
  const { result, bodies } = await playing(failing(message));
  expect(result).toMatchObject({ outcome: 'failed', agentFault: true, exit: `the agent cannot work: ${message}` });
  expect(bodies.slice(1)).toEqual([`result-error: ${message}`]);
});

test.each([
  ['a prompt that is too long', "Codex ran out of room in the model's context window."],
  ['a request that is itself wrong', '{"error":{"message":"no such parameter"}}'],
  ['a model that does not exist', 'The model `nonsense` does not exist'],
])('%s is the Worker’s own failure', async (_, message) => {
  const { result } = await playing(failing(message));
  expect(result).toMatchObject({ outcome: 'failed', exit: `error: ${message}` });
  expect(result.agentFault).toBeUndefined();
});

test('an error that is told with exit code 0 is a failure all the same', async () => {
  const { result } = await playing('say(start); say(failed("no"));');
  expect(result).toMatchObject({ outcome: 'failed', exit: 'error: no' });
});

test('what never began is the agent’s fault: an endpoint that is not there, a configuration it does not know', async () => {
  const endpoint = await playing(
    `console.error('Error: thread/start failed: required MCP servers failed to initialize: helix: no'); process.exitCode = 1;`,
  );
  expect(endpoint.result).toMatchObject({ agentFault: true, exit: "the Worker's MCP endpoint could not be reached" });
  const config = await playing(
    `console.error('Error loading config.toml:\\nconfig.toml:11:1: unknown configuration field'); process.exitCode = 1;`,
  );
  expect(config.result).toMatchObject({
    agentFault: true,
    exit: expect.stringMatching(/^exit code 1: Error loading config/),
  });
  const nothing = await playing('');
  expect(nothing.result).toMatchObject({ outcome: 'failed', agentFault: true, exit: 'ended before it began' });
});

test('ended well without a result is a failure of the run', async () => {
  const { result } = await playing('say(start);');
  expect(result).toMatchObject({ outcome: 'failed', exit: 'ended without a result', session: 'the-session' });
  expect(result.agentFault).toBeUndefined();
});

test('A113: is ended when its turn is over and its process stays', async () => {
  const { result } = await playing('say(start); say(done); setInterval(() => {}, 1_000);');
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok', usage: { inputTokens: 100, outputTokens: 20 } });
});

test('an interrupt comes before whatever it says', async () => {
  const controller = new AbortController();
  const { result } = await playing(`${failing('usage limit')} setInterval(() => {}, 1_000);`, {
    signal: controller.signal,
    onSegment() {
      controller.abort('person');
      return true;
    },
  });
  expect(result).toMatchObject({ outcome: 'interrupted', exit: 'interrupted: person' });
});
