import { expect, test } from 'vitest';
import { fakeClaude, playClaude } from './fake-claude.ts';

const playing = (body: string, change = {}) => playClaude({ bin: fakeClaude(body) }, change);
const failing = (error: string, status: number | null, text: string) => `
  say(init);
  say({ ...assistant({ type: 'text', text: ${JSON.stringify(text)} }), error: ${JSON.stringify(error)}, is_api_error_message: true });
  say({ ...result, is_error: true, api_error_status: ${status}, terminal_reason: 'api_error', result: ${JSON.stringify(text)} });
  process.exitCode = 1;`;

test.each([
  ['a refused login', 'authentication_failed', 401, 'Not logged in'],
  ['a revoked login', 'authentication_failed', 403, 'OAuth token revoked'],
  ['no money', 'billing_error', 400, 'Credit balance is too low'],
  ['a usage limit', 'rate_limit', 429, "You've hit your session limit"],
  ['an overloaded service', 'overloaded', 529, 'Repeated 529'],
  ['a broken service', 'server_error', 500, 'API Error: 500'],
  ['a service that cannot be reached', 'unknown', null, 'Connection refused'],
])('%s is the agent’s fault, not the Worker’s', async (_, error, status, text) => {
  const { result, bodies } = await playing(failing(error, status, text));
  expect(result).toMatchObject({ outcome: 'failed', agentFault: true, exit: `the agent cannot work: ${text}` });
  expect(bodies.at(-1)).toBe(`result-error: ${text}`);
});

test.each([
  ['a prompt that is too long', 'invalid_request', 400, 'Prompt is too long'],
  ['a model that does not exist', 'model_not_found', 404, "There's an issue with the selected model"],
  ['too much at once', 'invalid_request', 413, 'Request too large'],
])('%s is the Worker’s own failure', async (_, error, status, text) => {
  const { result } = await playing(failing(error, status, text));
  expect(result).toMatchObject({ outcome: 'failed', exit: `error: ${text}` });
  expect(result.agentFault).toBeUndefined();
});

test.each(['error_max_turns', 'error_during_execution'])('%s is a failure', async (subtype) => {
  const { result } = await playing(
    `say(init); say({ ...result, subtype: '${subtype}', result: undefined, errors: ['it broke'] }); process.exitCode = 1;`,
  );
  expect(result).toMatchObject({ outcome: 'failed', exit: 'error: it broke' });
});

test('an error that is told with exit code 0 is a failure all the same', async () => {
  const { result } = await playing('say(init); say({ ...result, is_error: true, result: "no" });');
  expect(result).toMatchObject({ outcome: 'failed', exit: 'error: no' });
});

test('denied tools are no failure', async () => {
  const { result } = await playing('say(init); say({ ...result, permission_denials: [{ tool_name: "Bash" }] });');
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok' });
});

test.each([
  ['failed', '[{ name: "helix", status: "failed" }]'],
  ['needs-auth', '[{ name: "helix", status: "needs-auth" }]'],
  ['missing', '[]'],
])(
  'is ended at once when the Worker’s endpoint is %s: nothing may pretend to work without it',
  async (status, servers) => {
    const { result } = await playing(`say({ ...init, mcp_servers: ${servers} }); setInterval(() => {}, 1_000);`);
    expect(result).toMatchObject({
      outcome: 'failed',
      agentFault: true,
      exit: `the Worker's MCP endpoint could not be reached (${status})`,
    });
  },
);

test('has failed without its endpoint also when it has long ended', async () => {
  const { result } = await playing('say({ ...init, mcp_servers: [] }); say(result);');
  expect(result).toMatchObject({ outcome: 'failed', agentFault: true });
});

test('is ended when its login is refused again and again', async () => {
  const retry = (n: number) =>
    `say({ type: 'system', subtype: 'api_retry', attempt: ${n}, max_retries: 10, retry_delay_ms: 500, error_status: 401, error: 'authentication_failed' });`;
  const { result, bodies } = await playing(`say(init); ${[1, 2, 3].map(retry).join('')} setInterval(() => {}, 1_000);`);
  expect(result).toMatchObject({
    outcome: 'failed',
    agentFault: true,
    exit: 'the login is refused (401 authentication_failed)',
  });
  expect(bodies.filter((body) => body.startsWith('api_retry'))).toHaveLength(3);
});

test('A123: says how it ended when it has no result', async () => {
  expect((await playing('say(init);')).result).toMatchObject({ outcome: 'failed', exit: 'ended without a result' });
  const crashed = await playing('say(init); console.error("out of memory"); process.exitCode = 3;');
  expect(crashed.result).toMatchObject({ outcome: 'failed', exit: 'exit code 3: out of memory' });
  expect(crashed.result.agentFault).toBeUndefined();
  const killed = await playing('process.kill(process.pid, "SIGKILL");');
  expect(killed.result).toMatchObject({ outcome: 'failed', exit: 'signal SIGKILL' });
  expect(killed.result.agentFault).toBeUndefined();
});

test('that it does not even begin is the agent’s fault; that a session cannot be gone on with is not', async () => {
  const body = 'console.error("error: unknown option"); process.exitCode = 1;';
  expect((await playing(body)).result).toMatchObject({ exit: 'exit code 1: error: unknown option', agentFault: true });
  const resumed = await playing(body, { resume: 'gone', keptSessions: ['gone'] });
  expect(resumed.result).toMatchObject({ outcome: 'failed', exit: 'exit code 1: error: unknown option' });
  expect(resumed.result.agentFault).toBeUndefined();
});

test('a process that stays when its result is in is ended, and has done its work', async () => {
  const { result } = await playing('say(init); say(result); setInterval(() => {}, 1_000);');
  expect(result).toMatchObject({ outcome: 'done', exit: 'ok', usage: { costUsd: 0.5 } });
});

test('is not ended while a sub-agent still works in the background; the last result counts', async () => {
  const { result, bodies } = await playing(`
    say(init);
    say({ type: 'system', subtype: 'background_tasks_changed', tasks: [{ task_id: 'a' }] });
    say({ ...result, result: 'It works on it.', total_cost_usd: 0.1 });
    setTimeout(() => {
      say({ type: 'system', subtype: 'background_tasks_changed', tasks: [] });
      say(init);
      say({ ...result, result: 'All done.', total_cost_usd: 0.7 });
    }, 6_000);`);
  expect(result).toMatchObject({ outcome: 'done', usage: { costUsd: 0.7 } });
  expect(bodies).toEqual(['--- session start ---', 'result: It works on it.', 'result: All done.']);
});

test('our own stop counts before anything it says', async () => {
  const controller = new AbortController();
  const { result } = await playing(
    'say(init); process.on("SIGINT", () => { say(result); process.exit(0); }); setInterval(() => {}, 1_000);',
    {
      signal: controller.signal,
      onSegment() {
        controller.abort('person');
        return true;
      },
    },
  );
  expect(result).toMatchObject({ outcome: 'interrupted', exit: 'interrupted: person' });
  const slow = await playing('say(init); setInterval(() => {}, 1_000);', {
    limits: { firstOutputMs: 20_000, runMs: 900 },
  });
  expect(slow.result).toMatchObject({ outcome: 'timed_out', exit: 'time limit of 900 ms' });
});

test('counts what this run used, not what the session it goes on in had used before', async () => {
  const since = (n: number) => `{ m: { inputTokens: ${n}, outputTokens: 2, cacheReadInputTokens: 1, costUSD: 0.25 } }`;
  const body = `say(init); say({ ...result, model_usage_since_last_result: ${since(1)} }); say({ ...result, model_usage_since_last_result: ${since(5)} });`;
  const { result } = await playing(body, { resume: 's', keptSessions: ['s'] });
  expect(result.usage).toEqual({ costUsd: 0.5, inputTokens: 8, outputTokens: 4 });
  // A version that tells only totals.
  expect((await playing('say(init); say(result);', { resume: 's', keptSessions: ['s'] })).result.usage).toBeUndefined();
});
