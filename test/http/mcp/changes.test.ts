import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../support/daemon.ts';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';
import { clients, connectModern, type Listeners } from '../../support/mcp-clients.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await openTestDaemon();
  for (const id of ['w-ann', 'w-bob']) await daemon.hire(id);
});
afterAll(() => daemon.close());

/** A client that listens, and how often it was told of each kind of change. */
async function listening(workerId: string, ...kinds: (keyof Listeners)[]) {
  const told = { tools: 0, prompts: 0, resources: 0 };
  const on = Object.fromEntries(kinds.map((kind) => [kind, () => void told[kind]++]));
  const client = await connectModern(`${daemon.url}/workers/${workerId}/mcp`, daemon.token(workerId), on);
  return { client, told };
}

const grant = (workerId: string, toolName: string) => daemon.call('grant_tool', { workerId, toolName });
const revoke = (workerId: string, toolName: string) => daemon.call('revoke_tool', { workerId, toolName });

test('a client that listens is told when its own grants change, and only then', async () => {
  const { client, told } = await listening('w-bob', 'tools');
  await grant('w-ann', 'read_events');
  await grant('w-bob', 'read_events');
  await waitFor('it is told', () => told.tools > 0);
  expect(told.tools).toBe(1);
  await revoke('w-bob', 'read_events');
  await waitFor('it is told again', () => told.tools > 1);
  expect(told.tools).toBe(2);
  await client.close();
});

test('a client that listens is told of prompts when a tool that brings one is given or taken', async () => {
  const { client, told } = await listening('w-bob', 'prompts', 'tools');
  await grant('w-bob', 'publish');
  await waitFor('it is told of the tool', () => told.tools === 1);
  expect(told.prompts).toBe(0);
  await grant('w-bob', 'create_role');
  await waitFor('it is told of the prompt', () => told.prompts === 1);
  expect((await client.prompts()).map(({ name }) => name)).toEqual(['help', 'role']);
  await revoke('w-bob', 'create_role');
  await waitFor('it is told that the prompt went', () => told.prompts === 2);
  expect((await client.prompts()).map(({ name }) => name)).toEqual(['help']);
  await client.close();
});

test('a client that listens is told of resources when Streams and Roles come and go', async () => {
  const { client, told } = await listening('w-bob', 'resources');
  await daemon.call('create_stream', { id: 's-new', name: 'New' });
  await waitFor('it is told of the Stream', () => told.resources === 1);
  await daemon.call('publish', { streamId: 's-new', body: 'An Event changes no list.' });
  await daemon.call('create_role', { id: 'r-new', content: '# New' });
  await waitFor('it is told of the Role', () => told.resources === 2);
  expect(told.resources).toBe(2);
  await client.close();
});

test('what a client does not listen to it is not told, and several clients of one Worker are told each', async () => {
  const deaf = await listening('w-bob', 'resources');
  const both = [await listening('w-bob', 'tools'), await listening('w-bob', 'tools')];
  await grant('w-bob', 'dm');
  await waitFor('both are told', () => both.every(({ told }) => told.tools === 1));
  expect(deaf.told.tools).toBe(0);
  for (const { client } of [deaf, ...both]) await client.close();
});

test('firing ends the listening', async () => {
  await daemon.hire('w-gone');
  const token = daemon.token('w-gone');
  const response = await listenRaw('w-gone', token);
  const body = response.text();
  await daemon.call('fire_worker', { workerId: 'w-gone' });
  // It ends by itself, with the answer to the request that listens.
  expect(await body).toContain('"resultType":"complete"');
});

test('a token that is revoked ends the listening of who holds it', async () => {
  const quick = await openTestDaemon({ keepAliveMs: 5 });
  const { id, token } = quick.core.tokens.create({ workerId: 'w-owner', label: 'test' });
  const response = await listenRaw('w-owner', token, quick.url);
  const reader = response.body!.getReader();
  await reader.read();
  quick.core.tokens.revoke(id);
  while (!(await reader.read()).done);
  await quick.close();
});

test.each(clients.slice(0, 2))('%s is promised no changes that it could not be told of', async (_name, connect) => {
  const client = await connect(`${daemon.url}/workers/w-bob/mcp`, daemon.token('w-bob'));
  expect(client.capabilities).toEqual({ tools: {}, prompts: {}, resources: {}, completions: {} });
  await client.close();
});

function listenRaw(workerId: string, token: string, url = daemon.url): Promise<Response> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return fetch(`${url}/workers/${workerId}/mcp`, {
    method: 'POST',
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: meta },
    }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
  });
}
