// The sizes that docs/mcp.md states, of results with ids and texts of usual length.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-priya', { grants: ['publish', 'read_events'] });
  await daemon.call('create_stream', { id: 's-support', name: 'Support', description: 'Where customers write.' });
  await daemon.call('invite_workers', { streamId: 's-support', workerIds: ['w-priya'] });
});
afterAll(() => daemon.close());

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const call = (tool: string, args: object = {}) => daemon.call(tool, args);

test('what changes something answers in at most 300 bytes', async () => {
  for (const [tool, args] of [
    ['publish', { streamId: 's-support', body: 'x'.repeat(5_000) }],
    ['dm', { toWorkerId: 'w-priya', body: 'x'.repeat(5_000) }],
    ['create_role', { content: `# Role: Long\n\n${'x'.repeat(5_000)}` }],
    ['update_identity', { workerId: 'w-priya', content: 'x'.repeat(5_000) }],
    ['grant_tool', { workerId: 'w-priya', toolName: 'dm' }],
    ['pause_worker', { workerId: 'w-priya' }],
  ] as const)
    expect([tool, bytes(await call(tool, args))]).toEqual([tool, expect.toSatisfy((size: number) => size <= 300)]);
});

test('a row of a list has at most 400 bytes', async () => {
  for (const [tool, field] of [
    ['list_workers', 'workers'],
    ['list_streams', 'streams'],
    ['list_positions', 'positions'],
    ['list_roles', 'roles'],
  ] as const) {
    const rows = (await call(tool))[field] as unknown[];
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect([tool, bytes(row) <= 400]).toEqual([tool, true]);
  }
});

test('an Event has at most 400 bytes, and its text twice', async () => {
  const body = 'A customer writes. '.repeat(50);
  await call('publish', {
    streamId: 's-support',
    body,
    subject: 'Order 4711',
    to: ['w-priya'],
    threadId: 'order-4711',
  });
  const { events } = (await call('read_events', { streamId: 's-support', limit: 1 })) as { events: unknown[] };
  expect(bytes(events[0]) - 2 * body.length).toBeLessThanOrEqual(400);
});
