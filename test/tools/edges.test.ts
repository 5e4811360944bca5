// What happens when things change under a call, or a folder is in the way.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
let call: TestDaemon['call'];

beforeEach(async () => {
  daemon = await openTestDaemon();
  call = daemon.call;
});
afterEach(() => daemon.close());

const blockFolder = (workerId: string) => {
  const folder = join(daemon.core.paths.envsDir, workerId);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(daemon.core.paths.envsDir, { recursive: true });
  writeFileSync(folder, 'in the way');
};

describe('a folder that cannot be written', () => {
  const warning = [expect.stringMatching(/^The folder of w-ann cannot be written: .*(EEXIST|ENOTDIR)/)];

  test('does not make a hire look refused that is recorded', async () => {
    await call('create_role', { id: 'r-ann', content: 'x' });
    await call('create_position', { id: 'p-ann', roleId: 'r-ann' });
    blockFolder('w-ann');
    const hire = { id: 'w-ann', positionId: 'p-ann', kind: 'ai', identityContent: 'x' };
    expect(await call('hire_worker', hire)).toEqual({ id: 'w-ann', granted: [], warnings: warning });
    expect(await call('get_worker', { id: 'w-ann' })).toMatchObject({ id: 'w-ann' });
  });

  test('is named by every tool that rewrites a text in it, and keeps nobody else from theirs', async () => {
    for (const id of ['w-ann', 'w-bob']) await daemon.hire(id);
    await call('move_worker', { workerId: 'w-bob', positions: ['p-ann'] });
    blockFolder('w-ann');
    expect(await call('update_role', { roleId: 'r-ann', content: 'new' })).toEqual({ id: 'r-ann', warnings: warning });
    expect(await call('update_identity', { workerId: 'w-ann', content: 'new' })).toMatchObject({ warnings: warning });
    expect(await call('update_position', { id: 'p-ann', roleId: 'r-bob' })).toMatchObject({ warnings: warning });
    expect(await call('move_worker', { workerId: 'w-ann', positions: ['p-bob'] })).toMatchObject({ warnings: warning });
    expect(daemon.logged).toEqual([]);
  });
});

describe('a read that waits', () => {
  const waiting = (tool: string, args: object, workerId: string) =>
    daemon.door.call({ workerId, via: 'mcp' }, tool, { ...args, wait: 45 });

  beforeEach(async () => {
    for (const id of ['w-ann', 'w-bob']) await daemon.hire(id, { grants: ['read_events', 'publish', 'worker_log'] });
    await call('create_stream', { id: 's-talk', name: 'talk' });
    await call('invite_workers', { streamId: 's-talk', workerIds: ['w-ann'] });
  });

  /** The read has ended, or still waits. */
  const outcome = async (read: ReturnType<typeof waiting>) => {
    daemon.core.waits.releaseAll();
    return read;
  };

  test('gives nothing to a Worker that was fired meanwhile', async () => {
    const read = waiting('read_events', { streamId: 's-talk' }, 'w-ann');
    await call('fire_worker', { workerId: 'w-ann' });
    await call('publish', { streamId: 's-talk', body: 'secret' });
    expect(await outcome(read)).toMatchObject({ kind: 'refused', message: expect.stringContaining('does not hold') });
  });

  test('gives nothing of a Stream that has become private meanwhile', async () => {
    const read = waiting('read_events', { streamId: 's-talk' }, 'w-bob');
    await call('update_stream', { streamId: 's-talk', private: true });
    await call('publish', { streamId: 's-talk', body: 'secret' });
    expect(await outcome(read)).toEqual({ kind: 'ok', result: { events: [] } });
    const member = waiting('read_events', {}, 'w-ann');
    expect(await member).toMatchObject({ result: { events: [{ body: 'secret' }] } });
  });

  test('leaves no waiter behind, however it ends', async () => {
    const { waits } = daemon.core;
    const gone = new AbortController();
    const calls = [
      waiting('read_events', { streamId: 's-talk' }, 'w-ann'),
      daemon.door.call({ workerId: 'w-bob', via: 'mcp', signal: gone.signal }, 'read_events', {
        streamId: 's-talk',
        wait: 45,
      }),
      daemon.door.call({ workerId: 'w-bob', via: 'mcp', signal: AbortSignal.abort() }, 'read_events', {
        streamId: 's-talk',
        wait: 45,
      }),
      waiting('worker_log', { workerId: 'w-bob' }, 'w-bob'),
      waiting('read_events', { streamId: 's-talk', thread: 'never' }, 'w-ann'),
    ];
    expect(waits.size).toBe(4);
    gone.abort();
    await call('publish', { streamId: 's-talk', body: 'x' });
    await Promise.all([calls[0], calls[1], calls[2]]);
    expect(waits.size).toBe(2);
    waits.releaseAll();
    await Promise.all(calls);
    expect(waits.size).toBe(0);
    expect(await waiting('read_events', { thread: 'never' }, 'w-ann')).toEqual({ kind: 'ok', result: { events: [] } });
  });
});

describe('an Event that is held for everybody', () => {
  test('is neither released nor discarded for one Worker alone', async () => {
    for (const id of ['w-ann', 'w-bob']) await daemon.hire(id, { grants: ['publish'] });
    await call('create_stream', { id: 's-talk', name: 'talk' });
    await call('invite_workers', { streamId: 's-talk', workerIds: ['w-ann', 'w-bob'] });
    const cause = { causedBy: 1, root: 1, hops: 8 };
    const published = await daemon.door.call({ workerId: 'w-ann', via: 'mcp', cause }, 'publish', {
      streamId: 's-talk',
      body: 'far from its cause',
    });
    expect(published).toMatchObject({
      result: { activates: { count: 0 }, warnings: [expect.stringMatching(/^Held: /)] },
    });
    const id = published.kind === 'ok' ? published.result.id : undefined;
    for (const tool of ['release', 'discard']) {
      await expect(call(tool, { id, workerId: 'w-bob' })).rejects.toThrow('held for everybody; leave workerId out');
    }
    expect(await call('event_status', { id })).toMatchObject({
      workers: [{ state: 'skipped' }, { workerId: 'w-bob', state: 'held' }],
    });
    expect(await call('release', { id })).toEqual({ id, workers: ['w-bob'] });
    await expect(call('release', { id })).rejects.toThrow('Nothing of');
  });
});

test('a tool taken away between list and call is refused with a sentence', async () => {
  await daemon.hire('w-ann', { grants: ['publish'] });
  expect(daemon.door.granted('w-ann').map(({ name }) => name)).toEqual(['publish']);
  await call('revoke_tool', { workerId: 'w-ann', toolName: 'publish' });
  const args = { streamId: 's-notices', body: 'x' };
  expect(await daemon.door.call({ workerId: 'w-ann', via: 'mcp' }, 'publish', args)).toEqual({
    kind: 'refused',
    message: 'w-ann does not hold publish (any more); ask the owner or your hirer for it.',
  });
  expect(await daemon.door.call({ workerId: 'w-ann', via: 'mcp' }, 'fly', args)).toEqual({ kind: 'unknown' });
});

test('a direct message does not trip over a Stream that bears the name it would take', async () => {
  await daemon.hire('w-ann', { grants: ['dm'] });
  await call('create_stream', { id: 's-odd', name: 'dm: w-owner ↔ w-ann' });
  expect(await call('dm', { toWorkerId: 'w-ann', body: 'hello' })).toMatchObject({ streamId: 's-dm-w-ann-w-owner' });
  expect(await call('get_stream', { id: 's-odd' })).toMatchObject({ name: 'dm: w-owner ↔ w-ann' });
});
