import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '../../src/domain/message.ts';
import { catalog } from '../../src/tools/catalog.ts';
import type { Caller } from '../../src/tools/define-tool.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';
import { clients, connectModern, type McpClient } from '../support/mcp-clients.ts';

let daemon: TestDaemon;
/** Signals of calls to `worker_log`, which this door holds until they abort. */
let waiting: Caller[] = [];
let entered = () => {};

beforeAll(async () => {
  daemon = await openTestDaemon({
    door: (real) => ({
      ...real,
      call: async (caller, name, args) => {
        if (name === 'worker_log') return hang(caller);
        if (name === 'list_workers' && (args as { odd?: true } | undefined)?.odd)
          return { kind: 'ok', result: parseJson(ODD) as Record<string, unknown> };
        return real.call(caller, name, args);
      },
    }),
  });
  await daemon.hire('w-echo', { grants: ['subscribe', 'publish'] });
  await daemon.hire('w-bare');
  await daemon.call('create_stream', { id: 's-general', name: 'General' });
});
afterAll(() => daemon.close());

const ODD = '{"number":12345678901234567890,"list":[1.10]}';

async function hang(caller: Caller) {
  waiting.push(caller);
  entered();
  await new Promise((resolve) => caller.signal?.addEventListener('abort', resolve));
  return { kind: 'ok' as const, result: {} };
}

const endpoint = (workerId: string) => `${daemon.url}/workers/${workerId}/mcp`;
const names = async (client: McpClient) => (await client.tools()).map(({ name }) => name);

describe.each(clients)('%s', (_name, connect) => {
  test('A36: is told the server’s name and who it acts as', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    expect(client.server).toMatchObject({ name: 'helix-org', version: '0.0.0-test' });
    expect(client.instructions).toContain('You act as w-owner');
    expect(Buffer.byteLength(client.instructions ?? '')).toBeLessThan(1_024);
    await client.close();
  });

  test('A38: sees every tool of the catalog as the owner, with schema, title and annotations', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    const tools = await client.tools();
    expect(tools.map(({ name }) => name)).toEqual(catalog.map(({ name }) => name));
    for (const tool of tools)
      expect(tool).toMatchObject({
        title: expect.any(String),
        inputSchema: { type: 'object' },
        annotations: expect.any(Object),
      });
    expect(tools.find(({ name }) => name === 'read_events')?.annotations).toMatchObject({ readOnlyHint: true });
    expect(tools.find(({ name }) => name === 'publish')?.annotations).toMatchObject({
      destructiveHint: false,
      openWorldHint: false,
    });
    expect(tools.find(({ name }) => name === 'fire_worker')?.annotations).toMatchObject({ destructiveHint: true });
    await client.close();
  });

  test('A39: sees exactly the granted tools, and an empty list without grants', async () => {
    const echo = await connect(endpoint('w-echo'), daemon.token('w-echo'));
    expect((await names(echo)).sort()).toEqual(['publish', 'subscribe']);
    await echo.close();
    const bare = await connect(endpoint('w-bare'), daemon.token('w-bare'));
    expect(await names(bare)).toEqual([]);
    await bare.close();
  });

  test('A43: gets a refusal as a result with isError and one sentence', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    expect(await client.call('subscribe', { streamId: 's-nowhere' })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringMatching(/record not found$/) }],
    });
    await client.close();
  });

  test('A44: gets one text item that is JSON, and the same as structured content', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    const result = await client.call('list_workers', {});
    expect(result.content).toHaveLength(1);
    expect(JSON.parse(result.content[0]?.text ?? '')).toEqual(result.structuredContent);
    expect(result.structuredContent).toMatchObject({ workers: expect.any(Array) });
    expect(result.isError).toBeFalsy();
    await client.close();
  });

  test('A45, A46: may leave arguments out and add unknown ones; those of a wrong type are refused by name', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    expect(await client.call('list_workers')).toMatchObject({ structuredContent: { workers: expect.any(Array) } });
    expect(await client.call('list_workers', { colour: 'blue' })).toMatchObject({
      structuredContent: { workers: expect.any(Array) },
    });
    expect(await client.call('publish', { streamId: 's-general', body: 'x', to: 7 })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^parse args: to: /) }],
    });
    await client.close();
  });

  test('A40: gets −32602 for a tool that does not exist', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    await expect(client.call('make_coffee', {})).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('unknown tool "make_coffee"'),
    });
    await client.close();
  });

  test('A40: sees a grant on the very next list, and is refused what was revoked between list and call', async () => {
    const client = await connect(endpoint('w-bare'), daemon.token('w-bare'));
    const { id } = (await daemon.call('grant_tool', { workerId: 'w-bare', toolName: 'publish' })) as { id: string };
    expect(await names(client)).toEqual(['publish']);
    await daemon.core.journal.commit('w-owner', { type: 'RevokeTool', grantId: id });
    expect(await client.call('publish', { streamId: 's-general', body: 'too late' })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('w-bare does not hold publish') }],
    });
    expect(await names(client)).toEqual([]);
    expect(daemon.bodies('s-general')).not.toContain('too late');
    await client.close();
  });

  test('ends a waiting call when it cancels', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    const { controller, call } = await startWaiting(client);
    controller.abort();
    await call;
    await aborted(waiting[0]);
    await client.close();
  });

  test('ends a waiting call when it goes away', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    const { call } = await startWaiting(client);
    await client.close();
    await call;
    await aborted(waiting[0]);
  });

  test('gets numbers that a double cannot hold digit by digit', async () => {
    const client = await connect(endpoint('w-owner'), daemon.token());
    expect((await client.call('list_workers', { odd: true })).content[0]?.text).toBe(ODD);
    await client.close();
  });
});

test.each(clients)('%s gets its answer when the daemon stops while it waits', async (_name, connect) => {
  const stopping = await openTestDaemon();
  await stopping.call('create_stream', { id: 's-quiet', name: 'Quiet' });
  const client = await connect(`${stopping.url}/workers/w-owner/mcp`, stopping.token());
  const answer = client.call('read_events', { streamId: 's-quiet', wait: 45 });
  while (stopping.core.waits.size === 0) await nextTurn();
  const started = performance.now();
  await stopping.close();
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(await answer).toMatchObject({ structuredContent: { events: [] } });
  await client.close();
});

async function startWaiting(client: McpClient) {
  waiting = [];
  const controller = new AbortController();
  const isWaiting = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const call = client.call('worker_log', { workerId: 'w-echo', wait: 45 }, controller.signal).catch(() => undefined);
  await isWaiting;
  expect(waiting[0]?.signal?.aborted).toBe(false);
  return { controller, call };
}

const aborted = (caller: Caller | undefined) =>
  new Promise<void>((resolve) => {
    if (caller?.signal?.aborted) resolve();
    else caller?.signal?.addEventListener('abort', () => resolve());
  });

test('A48: every schema says what it needs in the plainest way, so that no client stumbles over it', async () => {
  const client = await connectModern(endpoint('w-owner'), daemon.token());
  for (const { name, inputSchema } of await client.tools()) {
    const text = JSON.stringify(inputSchema);
    for (const stumble of ['$schema', '"null"', '"type":[', '"additionalProperties":false', '$ref', '9007199254740991'])
      expect([name, text]).not.toEqual([name, expect.stringContaining(stumble)]);
  }
  await client.close();
});

describe('on the wire', () => {
  type Message = { method: string; params?: unknown; id?: number };
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

  async function post(
    body: string,
    { workerId = 'w-owner', token = daemon.token(workerId), ...more }: Record<string, string> = {},
  ) {
    const response = await fetch(endpoint(workerId), {
      method: 'POST',
      body,
      headers: { ...headers, authorization: `Bearer ${token}`, ...more },
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  const rpc = (message: Message, more?: Record<string, string>) =>
    post(JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }), more);
  const resultOf = ({ text }: { text: string }) => JSON.parse(text.split('\ndata: ')[1] ?? text).result;
  const calling = (args: unknown) => ({ method: 'tools/call', params: { name: 'list_workers', arguments: args } });

  test('A37: two requests need no session between them', async () => {
    const first = await rpc({ method: 'tools/list' });
    const second = await rpc({ method: 'tools/list' });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.headers.get('mcp-session-id')).toBeNull();
  });

  test.each([
    ['null', null, { structuredContent: { workers: expect.any(Array) } }],
    ['the text of an object', '{"limit": 1}', { structuredContent: { workers: [expect.anything()] } }],
    ['a list', ['x'], { isError: true, content: [{ text: expect.stringMatching(/^parse args: /) }] }],
    ['other text', 'x', { isError: true, content: [{ text: expect.stringMatching(/^parse args: /) }] }],
    ['a number', 7, { isError: true, content: [{ text: expect.stringMatching(/^parse args: /) }] }],
  ])('A45: arguments that are %s are never a protocol error', async (_name, args, result) => {
    expect(resultOf(await rpc(calling(args)))).toMatchObject(result);
  });

  test('a body that is no JSON gets a JSON-RPC parse error', async () => {
    const { status, text } = await post('{"jsonrpc":');
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32700 } });
  });

  test.each([
    'null',
    '7',
    '"x"',
    '[]',
    '[null]',
    '[[]]',
    '{}',
    '{"method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
    '{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":7,"arguments":7}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"constructor"}}',
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}',
    '{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    '{"jsonrpc":"2.0","id":1,"method":"nope/nope"}',
    '{"__proto__":{"method":"tools/call"},"jsonrpc":"2.0","id":1,"method":"ping"}',
  ])('nonsense such as %s is answered, not broken on', async (body) => {
    expect((await post(body)).status).toBeLessThan(500);
  });

  test('another Content-Type gets 415, a body over 4 MB 413', async () => {
    expect(await post('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await post(`"${'x'.repeat(4 * 1024 * 1024)}"`)).toMatchObject({ status: 413 });
  });

  test.each(['GET', 'DELETE'])('%s, which sessions would need, gets 405', async (method) => {
    const response = await fetch(endpoint('w-owner'), {
      method,
      headers: { authorization: `Bearer ${daemon.token()}` },
    });
    expect(response.status).toBe(405);
  });

  test('no token, an unknown, a revoked and a session token get 401', async () => {
    const revoked = daemon.token();
    for (const { id } of daemon.core.tokens.list().slice(-1)) daemon.core.tokens.revoke(id);
    const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' }).token;
    for (const token of ['', 'hxo_nobody', revoked, session]) {
      const { status, headers: answered } = await rpc({ method: 'tools/list' }, { token });
      expect([status, answered.get('www-authenticate')]).toEqual([401, 'Bearer realm="helix-org"']);
    }
    expect((await fetch(endpoint('w-owner'), { method: 'POST', body: '{}' })).status).toBe(401);
  });

  test('another Worker’s token gets 403, the owner’s as well', async () => {
    for (const token of [daemon.token('w-bare'), daemon.token()]) {
      const { status, text } = await rpc({ method: 'tools/list' }, { workerId: 'w-echo', token });
      expect([status, text]).toEqual([403, expect.stringContaining('its endpoint is /workers/w-')]);
    }
  });

  test('A41: an unknown Worker gets 404 with the owner’s token, else 403, and 401 without any', async () => {
    const unknown = (token: string) => rpc({ method: 'tools/list' }, { workerId: 'w-nobody', token });
    expect(await unknown(daemon.token())).toMatchObject({
      status: 404,
      text: expect.stringContaining('worker "w-nobody": record not found'),
    });
    expect(await unknown(daemon.token('w-echo'))).toMatchObject({ status: 403 });
    expect(await unknown('hxo_nobody')).toMatchObject({ status: 401 });
  });

  test('the token of a Worker who was fired gets 401', async () => {
    await daemon.hire('w-gone', { grants: ['publish'] });
    const token = daemon.token('w-gone');
    const activation = daemon.activationTokens.issue({
      workerId: 'w-gone',
      activationId: 'a-1',
      cause: { causedBy: 1, root: 1, hops: 0 },
    });
    expect(await rpc({ method: 'tools/list' }, { workerId: 'w-gone', token })).toMatchObject({ status: 200 });
    await daemon.core.journal.commit('w-owner', { type: 'FireWorker', workerId: 'w-gone' });
    for (const used of [token, activation])
      expect(await rpc({ method: 'tools/list' }, { workerId: 'w-gone', token: used })).toMatchObject({ status: 401 });
  });

  test('what an activation does with its token is recorded with its cause, until the activation ends', async () => {
    const cause = { causedBy: 3, root: 2, hops: 4, activationId: 'a-7' };
    const token = daemon.activationTokens.issue({ workerId: 'w-echo', activationId: 'a-7', cause });
    const publish = () =>
      rpc(
        { method: 'tools/call', params: { name: 'publish', arguments: { streamId: 's-general', body: 'caused' } } },
        { workerId: 'w-echo', token },
      );
    expect(resultOf(await publish())).toMatchObject({ structuredContent: { streamId: 's-general' } });
    const { seq } = daemon.core.queries.events(['s-general'], { limit: 1 })[0]!;
    expect(daemon.core.queries.entry(seq)).toMatchObject({
      actor: 'w-echo',
      via: 'mcp',
      causedBy: 3,
      root: 2,
      hops: 5,
      activationId: 'a-7',
    });
    daemon.activationTokens.revoke('a-7');
    expect(await publish()).toMatchObject({ status: 401 });
  });

  test('a token that the owner minted for another Worker acts as that Worker, and says so', async () => {
    const { token } = daemon.core.tokens.create({ workerId: 'w-echo', onBehalfOf: 'w-owner', label: 'chat' });
    await rpc(
      { method: 'tools/call', params: { name: 'publish', arguments: { streamId: 's-general', body: 'for another' } } },
      { workerId: 'w-echo', token },
    );
    const { seq } = daemon.core.queries.events(['s-general'], { limit: 1 })[0]!;
    expect(daemon.core.queries.entry(seq)).toMatchObject({ actor: 'w-echo', onBehalfOf: 'w-owner' });
  });

  test('of two clients that use one id with one token, a cancellation ends neither', async () => {
    const token = daemon.token();
    waiting = [];
    const both = new Promise<void>((resolve) => {
      entered = () => waiting.length === 2 && resolve();
    });
    const hanging = {
      method: 'tools/call',
      params: { name: 'worker_log', arguments: { workerId: 'w-echo', wait: 45 } },
    };
    const leave = new AbortController();
    const calls = [1, 2].map(() =>
      fetch(endpoint('w-owner'), {
        method: 'POST',
        body: JSON.stringify({ jsonrpc: '2.0', id: 5, ...hanging }),
        headers: { ...headers, authorization: `Bearer ${token}` },
        signal: leave.signal,
      })
        .then((response) => response.text())
        .catch(() => 'left'),
    );
    await both;
    const cancel = await post(
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }),
      { token },
    );
    expect(cancel.status).toBe(202);
    expect(waiting.map(({ signal }) => signal?.aborted)).toEqual([false, false]);
    leave.abort();
    await Promise.all([...calls, ...waiting.map(aborted)]);
  });
});
