import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
let call: TestDaemon['call'];

beforeEach(async () => {
  daemon = await openTestDaemon();
  call = daemon.call;
  for (const id of ['w-ann', 'w-bob'])
    await daemon.hire(id, {
      grants: [
        'publish',
        'dm',
        'read_events',
        'subscribe',
        'unsubscribe',
        'list_stream_events',
        'worker_log',
        'invite_workers',
      ],
    });
  await call('create_stream', { id: 's-talk', name: 'talk' });
});
afterEach(() => daemon.close());

const read = async (args: object, workerId = 'w-owner') =>
  ((await call('read_events', args, workerId)).events as { id: string; body: string }[]).map(({ body }) => body);
const publish = (body: string, workerId = 'w-owner', more: object = {}) =>
  call('publish', { streamId: 's-talk', body, ...more }, workerId);

it('A70 A71: a Stream needs only a name; its transport is a kind, an object, or the JSON text of one', async () => {
  const { id } = await call('create_stream', { name: 'plain' });
  expect(id).toMatch(/^s-/);
  expect(await call('get_stream', { id })).toMatchObject({ createdBy: 'w-owner', transportKind: 'local' });
  expect((await call('stream_members', { streamId: id })).members).toEqual([]);
  for (const [n, transport] of ['webhook', { kind: 'webhook', config: {} }, '{"kind":"webhook"}'].entries()) {
    const made = await call('create_stream', { id: `s-w${n}`, name: `w${n}`, transport });
    expect(made).toMatchObject({
      id: `s-w${n}`,
      url: `${daemon.url}/webhooks/s-w${n}`,
      curl: expect.stringContaining('curl'),
    });
    expect(await call('get_stream', { id: `s-w${n}` })).toMatchObject({ transportKind: 'webhook', url: made.url });
  }
  await expect(call('create_stream', { name: 'x', transport: 'pigeon' })).rejects.toThrow(
    /unknown transport kind "pigeon" \(valid: "local", "webhook"(, "[a-z]+")*\)$/,
  );
  await expect(call('create_stream', { name: 'talk' })).rejects.toThrow('already exists');
  await expect(call('create_stream', { id: 's-talk', name: 'other' })).rejects.toThrow('already exists');
  await expect(call('create_stream', {})).rejects.toThrow('stream name is empty');
});

it('a Stream that wants signatures has a secret of its own, shown once', async () => {
  const made = await call('create_stream', {
    id: 's-signed',
    name: 'signed',
    transport: { kind: 'webhook', config: { secret: true } },
  });
  expect(made.secret).toMatch(/^whsec_/);
  expect(JSON.stringify(await call('get_stream', { id: 's-signed' }))).not.toContain(String(made.secret));
  await expect(
    call('create_stream', { name: 'x', transport: { kind: 'webhook', config: { secret: 'mine' } } }),
  ).rejects.toThrow('secret: true');
});

it('A73 A74: listening twice is listening once, and only for oneself', async () => {
  for (let n = 0; n < 2; n++)
    expect(await call('subscribe', { streamId: 's-talk' }, 'w-ann')).toEqual({ workerId: 'w-ann', streamId: 's-talk' });
  expect((await call('stream_members', { streamId: 's-talk' })).members).toEqual(['w-ann']);
  await expect(call('subscribe', { streamId: 's-tlak' }, 'w-ann')).rejects.toThrow(
    /did you mean s-talk\?.*record not found$/,
  );
  await call('unsubscribe', { streamId: 's-talk' }, 'w-ann');
  await expect(call('unsubscribe', { streamId: 's-talk' }, 'w-ann')).rejects.toThrow(/record not found$/);
});

it('A75 A76: inviting is all or nothing, and once is enough', async () => {
  await expect(call('invite_workers', { streamId: 's-talk', workerIds: ['w-ann', 'w-nobody'] })).rejects.toThrow(
    /record not found$/,
  );
  expect((await call('stream_members', { streamId: 's-talk' })).members).toEqual([]);
  for (const workerIds of [['w-ann', 'w-bob'], '["w-ann"]'])
    await call('invite_workers', { streamId: 's-talk', workerIds });
  expect((await call('stream_members', { streamId: 's-talk' })).members).toEqual(['w-ann', 'w-bob']);
  await expect(call('invite_workers', { streamId: 's-talk' })).rejects.toThrow(
    'workerIds must contain at least one worker',
  );
  await expect(call('invite_workers', { streamId: 's-talk', workerIds: [''] })).rejects.toThrow(
    'workerIds contains an empty entry',
  );
});

it('A77 A78 A79 A81: publishing needs the grant only, keeps every field, and is from the caller', async () => {
  const { id } = await publish('hello', 'w-ann');
  expect(await call('get_event', { id })).toMatchObject({
    source: 'w-ann',
    message: { from: 'w-ann', body: 'hello' },
    via: 'mcp',
    hops: 1,
  });
  const attachments = [{ filename: 'a.txt', content_type: 'text/plain', url: 'https://example.com/a', size_bytes: 3 }];
  const full = {
    to: ['w-bob'],
    subject: 's',
    bodyContentType: 'text/html',
    threadId: 't',
    inReplyTo: 'r',
    messageId: 'm',
    attachments,
  };
  const { id: whole } = await publish('<b>', 'w-owner', full);
  expect((await call('get_event', { id: whole })).message).toEqual({
    from: 'w-owner',
    to: ['w-bob'],
    subject: 's',
    body: '<b>',
    body_content_type: 'text/html',
    thread_id: 't',
    in_reply_to: 'r',
    message_id: 'm',
    attachments,
  });
  for (const args of [{}, { streamId: 's-talk' }, { body: 'x' }, { streamId: 's-talk', body: '' }]) {
    await expect(call('publish', args)).rejects.toThrow('streamId and body are required');
  }
  await expect(call('publish', { streamId: 's-x', body: 'x' })).rejects.toThrow(/stream "s-x": record not found$/);
});

it('A82 A83 A84: a pair of Workers has one Stream, in both directions, and both listen', async () => {
  const first = await call('dm', { toWorkerId: 'w-bob', body: 'hi' }, 'w-ann');
  expect(first).toMatchObject({ streamId: 's-dm-w-ann-w-bob', to: 'w-bob' });
  await call('unsubscribe', { streamId: 's-dm-w-ann-w-bob' }, 'w-ann');
  expect(await call('dm', { toWorkerId: 'w-ann', body: 'hello' }, 'w-bob')).toMatchObject({
    streamId: first.streamId,
    activates: { workers: ['w-ann'] },
  });
  expect((await call('stream_members', { streamId: first.streamId })).members).toEqual(['w-ann', 'w-bob']);
  await expect(call('dm', { toWorkerId: 'w-ann', body: 'x' }, 'w-ann')).rejects.toThrow('cannot DM yourself');
  await expect(call('dm', { toWorkerId: 'w-nobody', body: 'x' })).rejects.toThrow(/"w-nobody": record not found$/);
  await expect(call('dm', {})).rejects.toThrow('toWorkerId and body are required');
});

it('A85 A86: lists of Streams show the kind, not the config; one Stream is read by any Worker with the tool', async () => {
  const { streams } = (await call('list_streams')) as { streams: Record<string, unknown>[] };
  expect(streams.map(({ id }) => id)).toEqual(['s-notices', 's-talk']);
  expect(streams[1]).toMatchObject({ transportKind: 'local' });
  expect(streams[1]).not.toHaveProperty('transportConfig');
  for (let n = 0; n < 60; n++) await publish(`n${n}`);
  const listed = (await call('list_stream_events', { streamId: 's-talk' }, 'w-ann')).events as { body: string }[];
  expect(listed).toHaveLength(50);
  expect(listed[0]?.body).toBe('n59');
});

it('A87 A88 A89 A94 A95: read_events shows what one listens to, newest first, after `since`', async () => {
  await call('subscribe', { streamId: 's-talk' }, 'w-ann');
  const ids: unknown[] = [];
  for (let n = 0; n < 60; n++) ids.push((await publish(`n${n}`, n % 2 ? 'w-ann' : 'w-owner')).id);
  expect(await read({}, 'w-ann')).toHaveLength(50);
  expect(await read({ limit: 0 }, 'w-ann')).toHaveLength(50);
  expect(await read({ limit: '3', wait: '0' }, 'w-ann')).toEqual(['n59', 'n58', 'n57']);
  expect(await read({ limit: 1000 }, 'w-ann')).toHaveLength(60);
  expect(await read({ since: ids[57] }, 'w-ann')).toEqual(['n59', 'n58']);
  expect(await read({}, 'w-bob')).toEqual([]);
  expect(await read({ streamId: 's-talk', limit: 1 }, 'w-bob')).toEqual(['n59']);
  await expect(read({ since: 'e-nothing' }, 'w-ann')).rejects.toThrow('since: there is no Event e-nothing');
});

it('finds words and threads', async () => {
  await publish('the parcel is late', 'w-owner', { threadId: 't-1', subject: 'Order 17' });
  await publish('what parcel?', 'w-ann', { threadId: 't-2' });
  expect(await read({ streamId: 's-talk', search: 'parcel' })).toEqual(['what parcel?', 'the parcel is late']);
  expect(await read({ streamId: 's-talk', search: 'order par' })).toEqual(['the parcel is late']);
  expect(await read({ streamId: 's-talk', search: '" OR NEAR( *' })).toEqual([]);
  expect(await read({ streamId: 's-talk', thread: 't-2' })).toEqual(['what parcel?']);
});

it('A90 A92 A93: waiting ends as soon as something lands, whenever that is', async () => {
  for (let offset = 0; offset < 30; offset++) {
    const since = (await publish(`before ${offset}`)).id;
    const waiting = read({ streamId: 's-talk', since, wait: 45 });
    for (let tick = 0; tick < offset; tick++) await Promise.resolve();
    await publish(`after ${offset}`);
    expect(await waiting).toEqual([`after ${offset}`]);
  }
  expect(await read({ streamId: 's-talk', limit: 1, wait: 45 })).toEqual(['after 29']);
});

it('A91: a wait ends by itself, empty, and ten thousand abandoned ones leave nothing behind', async () => {
  const { waits } = daemon.core;
  expect(await read({ wait: 1 }, 'w-ann')).toEqual([]);
  const gone = new AbortController();
  const abandoned = Array.from({ length: 10_000 }, () =>
    daemon.door.call({ workerId: 'w-ann', via: 'mcp', signal: gone.signal }, 'read_events', {
      streamId: 's-talk',
      wait: 45,
    }),
  );
  expect(waits.size).toBe(10_000);
  gone.abort();
  await Promise.all(abandoned);
  expect(waits.size).toBe(0);
});

it('A96: what is no Message is shown as it is', async () => {
  const content = [{ name: 'message', bytes: Buffer.from('not json') }];
  await daemon.core.journal.commit('transport:webhook', { type: 'Publish', streamId: 's-talk', content });
  const [event] = (await call('list_stream_events', { streamId: 's-talk' })).events as Record<string, unknown>[];
  expect(event).toMatchObject({ body: 'not json', source: '' });
  expect(event).not.toHaveProperty('message');
});

it('A97 A98: worker_log shows one transcript and subscribes nobody', async () => {
  const { journal } = daemon.core;
  const line = (body: string, extra?: unknown) =>
    journal.transcribe([
      { worker: 'w-ann', activationId: 'a-1', at: '2026-11-21T00:00:00.000Z', body, ...(extra ? { extra } : {}) },
    ]);
  line('one');
  line('two');
  await journal.flush();
  const { events } = (await call('worker_log', { workerId: 'w-ann', limit: '1' })) as {
    events: { id: string; body: string }[];
  };
  expect(events).toMatchObject([{ body: 'two', source: 'w-ann', streamId: 's-activations-w-ann' }]);
  const waiting = call('worker_log', { workerId: 'w-ann', since: events[0]?.id, wait: 45 });
  line('three');
  expect((await waiting).events).toMatchObject([{ body: 'three' }]);
  await expect(call('worker_log', { workerId: 'w-ann' }, 'w-bob')).rejects.toThrow('transcript');
  await expect(call('worker_log', { workerId: 'w-owner' })).rejects.toThrow(
    'worker "w-owner" is human; only AI workers have activation logs',
  );
  await expect(call('worker_log', { workerId: 'w-nobody' })).rejects.toThrow(/record not found$/);
  expect((await call('get_worker', { id: 'w-owner' })).streams).toEqual([
    's-activations-w-ann',
    's-activations-w-bob',
    's-notices',
  ]);
});

it("private Streams are their members', to read, to publish and to invite into", async () => {
  await call('create_stream', { id: 's-board', name: 'board', private: true });
  await call('invite_workers', { streamId: 's-board', workerIds: ['w-ann'] });
  await call('publish', { streamId: 's-board', body: 'secret' }, 'w-ann');
  expect(await read({ streamId: 's-board' }, 'w-ann')).toEqual(['secret']);
  await expect(read({ streamId: 's-board' }, 'w-bob')).rejects.toThrow('may not read');
  await expect(call('subscribe', { streamId: 's-board' }, 'w-bob')).rejects.toThrow('private');
  await expect(call('publish', { streamId: 's-board', body: 'x' }, 'w-bob')).rejects.toThrow('private');
  await expect(call('invite_workers', { streamId: 's-board', workerIds: ['w-bob'] }, 'w-bob')).rejects.toThrow(
    'private',
  );
});
