import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/daemon.ts';
import { openTestDaemon, type TestDaemon } from '../../support/http.ts';
import { clients, connectModern, type McpProgress } from '../../support/mcp-clients.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-ann', { grants: ['read_events', 'publish'] });
  await daemon.call('create_stream', { id: 's-talk', name: 'Talk' });
});
afterAll(() => daemon.close());

const endpoint = (workerId: string) => `${daemon.url}/workers/${workerId}/mcp`;
const newest = () => daemon.core.queries.events(['s-talk'], { limit: 1 })[0]?.id;

describe.each(clients)('%s', (_name, connect) => {
  test('that asks for progress is told that a read waits, then gets its answer', async () => {
    await daemon.call('publish', { streamId: 's-talk', body: 'before' });
    const client = await connect(endpoint('w-ann'), daemon.token('w-ann'));
    const told: McpProgress[] = [];
    const reading = client.call(
      'read_events',
      { streamId: 's-talk', since: newest(), wait: 45 },
      undefined,
      (progress) => void told.push(progress),
    );
    await waitFor('it is told', () => told.length > 0);
    await daemon.call('publish', { streamId: 's-talk', body: 'after' });
    expect(await reading).toMatchObject({ structuredContent: { events: [{ body: 'after' }] } });
    expect(told).toEqual([{ progress: 0, total: 45, message: 'Waiting for something new.' }]);
    await client.close();
  });

  test('that asks for progress of a read with something to give is told nothing', async () => {
    const client = await connect(endpoint('w-ann'), daemon.token('w-ann'));
    const told: McpProgress[] = [];
    await client.call(
      'read_events',
      { streamId: 's-talk', wait: 45 },
      undefined,
      (progress) => void told.push(progress),
    );
    expect(told).toEqual([]);
    await client.close();
  });

  test('is told that stopping a run and firing take a while', async () => {
    const id = `w-gone-${clients.findIndex(([name]) => name === _name)}`;
    await daemon.hire(id);
    const client = await connect(endpoint('w-owner'), daemon.token());
    const told: string[] = [];
    const note = ({ message = '' }: McpProgress) => void told.push(message);
    expect(await client.call('interrupt_worker', { workerId: id }, undefined, note)).toMatchObject({
      structuredContent: { interrupted: false },
    });
    await client.call('fire_worker', { workerId: id }, undefined, note);
    expect(told).toEqual([`Stopping the run of ${id}.`, `Fired; stopping what ${id} runs.`]);
    await client.close();
  });

  test('is refused a tool that is revoked while it waits, and one it never held, each in a sentence', async () => {
    const id = `w-short-${clients.findIndex(([name]) => name === _name)}`;
    await daemon.hire(id, { grants: ['read_events'] });
    const client = await connect(endpoint(id), daemon.token(id));
    const refusal = (tool: string) => ({
      isError: true,
      content: [{ text: expect.stringContaining(`${id} does not hold ${tool}`) }],
    });
    const reading = client.call('read_events', { streamId: 's-talk', since: newest(), wait: 45 });
    await waitFor('it waits', () => daemon.core.waits.size === 1);
    await daemon.call('revoke_tool', { workerId: id, toolName: 'read_events' });
    await daemon.call('publish', { streamId: 's-talk', body: 'not for them' });
    expect(await reading).toMatchObject(refusal('read_events'));
    expect(await client.call('read_events', {})).toMatchObject(refusal('read_events'));
    expect(await client.call('create_role', { content: '# X' })).toMatchObject(refusal('create_role'));
    await expect(client.call('make_coffee', {})).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });
});

test('progress goes on as long as a wait does, and grows with each report', async () => {
  const { reportWait } = await import('../../../src/tools/report-wait.ts');
  const { vi } = await import('vitest');
  vi.useFakeTimers();
  try {
    const told: number[] = [];
    const report = reportWait({ onProgress: ({ progress }) => void told.push(progress) }, 'Waiting.', 20);
    report.begin();
    report.begin();
    vi.advanceTimersByTime(12_000);
    expect(told).toEqual([0, 5, 10]);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([0, 5, 10, 15]);
    report.end();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('ten thousand polls that clients walked away from leave nothing behind', { timeout: 300_000 }, async () => {
  const BATCH = 250;
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const since = newest();
  const token = daemon.token('w-ann');
  const abandon = async (polls: number) => {
    for (let done = 0; done < polls; done += BATCH) {
      const sockets = await Promise.all(Array.from({ length: BATCH }, (_, index) => poll(token, since, index)));
      await waitFor('all of them wait', () => daemon.core.waits.size === BATCH);
      for (const socket of sockets) socket.destroy();
      await waitFor('none of them waits', () => daemon.core.waits.size === 0);
    }
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    collect();
    return process.memoryUsage().heapUsed;
  };
  const timersOf = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = await abandon(2_000);
  const timers = timersOf();
  const after = await abandon(8_000);
  expect(timersOf()).toBeLessThanOrEqual(timers + 1);
  // A leak of only one kilobyte for each poll would be eight megabytes.
  expect(after - before).toBeLessThan(4 * 1024 * 1024);

  const client = await connectModern(endpoint('w-ann'), token);
  const reading = client.call('read_events', { streamId: 's-talk', since, wait: 45 });
  await daemon.call('publish', { streamId: 's-talk', body: 'still here' });
  expect(await reading).toMatchObject({ structuredContent: { events: [{ body: 'still here' }] } });
  await client.close();
});

/** A poll over a connection of its own. */
async function poll(token: string, since: string | undefined, id: number) {
  const { connect } = await import('node:net');
  const { hostname, port, host } = new URL(daemon.url);
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'read_events', arguments: { streamId: 's-talk', since, wait: 45 } },
  });
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  socket.write(
    `POST /workers/w-ann/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n` +
      'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
}
