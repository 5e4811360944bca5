import { afterAll, beforeAll, expect, it, test } from 'vitest';
import { catalog } from '../../src/tools/catalog.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';
import { clients, type McpClient } from '../support/mcp-clients.ts';

let daemon: TestDaemon;
const seen = new Set<string>();

beforeAll(async () => {
  daemon = await openTestDaemon();
});
afterAll(() => daemon.close());

/** Calls a tool; its result must have no field that its schema lacks, and all that it promises. */
async function call(tool: string, args: object = {}, workerId = 'w-owner'): Promise<Record<string, unknown>> {
  const result = await daemon.call(tool, args, workerId);
  seen.add(tool);
  const schema = catalog.find(({ name }) => name === tool)?.output;
  // What a schema does not name, parsing leaves out.
  expect([tool, schema?.parse(JSON.parse(JSON.stringify(result)))]).toEqual([tool, JSON.parse(JSON.stringify(result))]);
  return result;
}

it('every tool answers exactly what it says it answers', async () => {
  await call('create_role', { id: 'r-clerk', content: '# Role: Clerk\n\nAnswers.' });
  await call('update_role', {
    roleId: 'r-clerk',
    content: '# Role: Clerk\n\nAnswers more.\n\n## Tools (MCP)\n\n`publish`',
  });
  await call('list_roles', { content: true });
  await call('list_roles', { limit: 1 });
  await call('get_role', { id: 'r-clerk' });
  await call('create_position', { id: 'p-clerk', roleId: 'r-clerk', parentId: 'p-root' });
  await call('create_position', { id: 'p-spare', roleId: 'r-clerk' });
  await call('update_position', { id: 'p-spare', parentId: 'p-clerk' });
  for (const tool of ['list_positions', 'list_workers', 'list_streams']) await call(tool, { limit: 1 });
  await call('get_position', { id: 'p-root' });
  await call('list_position_children', { parentId: 'p-clerk' });
  await call('hire_worker', { id: 'w-ann', positionId: 'p-clerk', kind: 'ai', identityContent: 'Ann' });
  await call('hire_worker', { id: 'w-bob', positionId: 'p-clerk', kind: 'ai', identityContent: 'Bob', grants: ['dm'] });
  await call('update_identity', { workerId: 'w-ann', content: 'Ann the clerk' });
  await call('move_worker', { workerId: 'w-bob', positions: ['p-clerk'] });
  await call('get_worker', { id: 'w-ann' });
  await call('get_worker_environment', { workerId: 'w-ann' });
  const { id: grantId } = await call('grant_tool', { workerId: 'w-ann', toolName: 'dm' });
  await call('get_grant', { id: grantId });
  await call('list_worker_grants', { workerId: 'w-ann' });
  await call('revoke_tool', { grantId });
  await call('create_stream', { id: 's-talk', name: 'talk' });
  await call('create_stream', { id: 's-hook', name: 'hook', transport: { kind: 'webhook', config: { secret: true } } });
  await call('update_stream', { streamId: 's-talk', description: 'For talking.' });
  await call('get_stream', { id: 's-hook' });
  await call('invite_workers', { streamId: 's-talk', workerIds: ['w-ann', 'w-bob'] });
  await call('subscribe', { streamId: 's-talk' });
  await call('stream_members', { streamId: 's-talk', limit: 1 });
  const { id: event } = await call('publish', { streamId: 's-talk', body: 'hello', subject: 'Hi', to: ['w-ann'] });
  await call('publish', { streamId: 's-hook', body: 'nobody hears it' });
  await call('dm', { toWorkerId: 'w-ann', body: 'psst' });
  await call('read_events', { since: event, limit: 1 });
  await call('read_events');
  await call('list_stream_events', { streamId: 's-talk' });
  await call('get_event', { id: event });
  await call('unsubscribe', { streamId: 's-talk' });
  await runOnce(String(event));
  await call('worker_log', { workerId: 'w-ann' });
  await call('list_activations', { workerId: 'w-ann' });
  await call('event_status', { id: event, limit: 1 });
  await call('retry', { id: event });
  await setAside('HoldTriggers', String(event));
  await call('release', { id: event });
  await setAside('HoldTriggers', String(event));
  await call('discard', { id: event });
  await call('redact_event', { id: event, reason: 'test' });
  await call('read_events', { streamId: 's-talk' });
  await call('get_event', { id: event });
  await call('activate_worker', { workerId: 'w-ann', reason: 'look' });
  for (const tool of ['pause_worker', 'resume_worker', 'interrupt_worker']) await call(tool, { workerId: 'w-ann' });
  for (const tool of ['pause_org', 'resume_org']) await call(tool);
  await call('delete_stream', { streamId: 's-talk' });
  await call('get_stream', { id: 's-talk' });
  await call('fire_worker', { workerId: 'w-bob' });
  await call('delete_position', { id: 'p-spare' });
  const signed = { kind: 'webhook', config: { secret: true } };
  await call('create_stream', { id: 's-signed', name: 'signed', transport: signed });
  await call('update_agent', { workerId: 'w-ann', agent: { model: 'opus' } });
  await call('rotate_secret', { streamId: 's-signed' });
  await call('create_role', { id: 'r-unused', content: '# Unused' });
  await call('delete_role', { id: 'r-unused' });
  expect(catalog.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
});

test.each(clients)('%s, which checks results against their schemas, accepts them', async (_name, connect) => {
  await daemon.call('hire_worker', { positionId: 'p-clerk', kind: 'human', identityContent: 'x', grants: [] });
  await daemon.call('publish', { streamId: 's-hook', body: 'something to read' });
  const client = await connect(`${daemon.url}/workers/w-owner/mcp`, daemon.token());
  // The client keeps the schemas of what it lists.
  await client.tools();
  const id = (await newestEvent(client)).id;
  for (const [tool, args] of [
    ['publish', { streamId: 's-hook', body: 'x' }],
    ['dm', { toWorkerId: 'w-ann', body: 'x' }],
    ['get_event', { id }],
    ['event_status', { id }],
    ['list_workers', {}],
    ['list_roles', {}],
    ['list_positions', {}],
    ['list_streams', {}],
    ['list_activations', { workerId: 'w-ann' }],
    ['worker_log', { workerId: 'w-ann' }],
    ['get_worker', { id: 'w-ann' }],
    ['get_stream', { id: 's-hook' }],
    ['pause_org', {}],
    ['resume_org', {}],
  ] as const) {
    const { content, structuredContent } = await client.call(tool, args);
    expect([tool, JSON.parse(content[0]?.text ?? '')]).toEqual([tool, structuredContent]);
  }
  await client.close();
});

async function newestEvent(client: McpClient): Promise<{ id: string }> {
  const { structuredContent } = await client.call('read_events', { streamId: 's-hook', limit: 1 });
  return (structuredContent as { events: [{ id: string }] }).events[0];
}

const seqOf = (event: string) => daemon.core.queries.event(event)?.seq ?? 0;

/** An activation of w-ann that failed for good, as the dispatcher records it. */
async function runOnce(event: string): Promise<void> {
  const { journal } = daemon.core;
  const run = { activationId: 'a-1', workerId: 'w-ann' };
  await journal.commit('system', {
    type: 'StartActivation',
    ...run,
    triggers: [seqOf(event)],
    attempt: 1,
    agent: { kind: 'command' },
    ranWith: { roles: [], identity: 1, grants: 1 },
    content: [],
  });
  journal.transcribe([{ activationId: 'a-1', worker: 'w-ann', at: new Date().toISOString(), body: '=== exit: 1 ===' }]);
  await journal.flush();
  await journal.commit('system', {
    type: 'EndActivation',
    ...run,
    outcome: 'failed',
    exit: '1',
    throughSeq: seqOf(event),
    settled: [],
    parked: [seqOf(event)],
    open: null,
    published: 0,
    changed: 0,
    usage: { costUsd: 0.01 },
  });
}

const setAside = (type: 'HoldTriggers', event: string) =>
  daemon.core.journal.commit('system', { type, workerId: 'w-ann', triggers: [seqOf(event)], reason: 'test' });
