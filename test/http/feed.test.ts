import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-echo', { grants: ['publish', 'subscribe', 'read_events'] });
  await daemon.hire('w-ann', { kind: 'human' });
  for (const id of ['s-general', 's-mail']) await daemon.call('create_stream', { id, name: id });
  await daemon.call('create_stream', { id: 's-secret', name: 's-secret', private: true });
});
afterAll(() => daemon.close());

type Item = {
  seq: number;
  id: string;
  streamId: string;
  source: string;
  body: string;
  createdAt: string;
  subject?: string;
};
type Options = { token?: string; headers?: Record<string, string>; on?: TestDaemon };

/** An open feed, read item by item; comments are collected. */
async function openFeed(query = '', { token, headers = {}, on = daemon }: Options = {}) {
  const leave = new AbortController();
  const response = await fetch(`${on.url}/events${query}`, {
    headers: { authorization: `Bearer ${token ?? on.token()}`, ...headers },
    signal: leave.signal,
  });
  const comments: string[] = [];
  const ids: number[] = [];
  async function* items(): AsyncGenerator<Item> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
        );
        const data = fields.get('data');
        if (fields.has('')) comments.push(fields.get('') ?? '');
        if (data === undefined) continue;
        ids.push(Number(fields.get('id')));
        yield JSON.parse(data) as Item;
      }
    }
  }
  const iterator = items();
  return {
    response,
    comments,
    ids,
    next: async () => (await iterator.next()).value as Item,
    async take(count: number): Promise<Item[]> {
      const taken: Item[] = [];
      while (taken.length < count) taken.push(await this.next());
      return taken;
    },
    /** Reads to the end, which the server makes. */
    async rest(): Promise<Item[]> {
      const taken: Item[] = [];
      for await (const item of { [Symbol.asyncIterator]: () => iterator }) taken.push(item);
      return taken;
    },
    leave: () => leave.abort(),
  };
}

const say = async (streamId: string, body: string, more: object = {}, workerId?: string) =>
  (await daemon.call('publish', { streamId, body, ...more }, workerId)) as { id: string };
const seqOf = (id: string) => daemon.core.queries.event(id)?.seq ?? 0;

test('a new Event comes as one line of JSON, with its seq as the id', async () => {
  const feed = await openFeed();
  expect(feed.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(feed.response.headers.get('x-content-type-options')).toBe('nosniff');
  const { id } = await say('s-general', 'two\nlines', { subject: 'Hello' }, 'w-echo');
  const item = await feed.next();
  const { createdAt } = daemon.core.queries.event(id)!;
  expect(item).toEqual({
    seq: seqOf(id),
    id,
    streamId: 's-general',
    source: 'w-echo',
    body: 'two\nlines',
    createdAt,
    subject: 'Hello',
  });
  expect(feed.ids).toEqual([seqOf(id)]);
  feed.leave();
});

test('what came before is left out, unless asked for by seq, by id, or by what was seen last', async () => {
  const [first, second, third] = [
    await say('s-general', 'one'),
    await say('s-general', 'two'),
    await say('s-general', 'three'),
  ];
  const wanted = [seqOf(second.id), seqOf(third.id)];
  for (const [query, headers] of [
    [`?since=${seqOf(first.id)}`, {}],
    [`?since=${first.id}`, {}],
    [`?since=0`, { 'last-event-id': String(seqOf(first.id)) }],
  ] as const) {
    const feed = await openFeed(query, { headers });
    expect((await feed.take(2)).map(({ seq }) => seq)).toEqual(wanted);
    await say('s-general', 'four');
    expect((await feed.next()).body).toBe('four');
    feed.leave();
  }
  const live = await openFeed();
  await say('s-general', 'five');
  expect((await live.next()).body).toBe('five');
  live.leave();
});

test('an Event that does not exist is no place to begin', async () => {
  const { response } = await openFeed('?since=e-00000000-ffff-8000-8000-000000000000');
  expect([response.status, (await response.text()).trim()]).toEqual([
    400,
    expect.stringContaining('there is no Event e-00000000-ffff'),
  ]);
});

test('only the Streams that were asked for come', async () => {
  const feed = await openFeed('?streams=s-m*,s-nothing');
  await say('s-general', 'not this');
  await say('s-mail', 'this');
  expect((await feed.next()).body).toBe('this');
  feed.leave();
});

test('nobody is shown what they may not read, as things stand at that moment', async () => {
  const feed = await openFeed('?streams=s-*', { token: daemon.token('w-echo') });
  await say('s-secret', 'before');
  await daemon.call('invite_workers', { streamId: 's-secret', workerIds: ['w-echo'] });
  await say('s-secret', 'between');
  await daemon.core.journal.commit('w-echo', { type: 'Unsubscribe', streamId: 's-secret' });
  await say('s-secret', 'after');
  await daemon.core.journal.commit('w-ann', { type: 'SendDm', toWorkerId: 'w-owner', body: 'psst' });
  await say('s-general', 'end');
  expect((await feed.take(2)).map(({ body }) => body)).toEqual(['between', 'end']);
  feed.leave();
});

test('transcripts come when asked for, in order with everything else, old and new', async () => {
  const { seq: start } = daemon.core.queries.events(['s-general'], { limit: 1 })[0]!;
  const line = (body: string) => ({ worker: 'w-echo', activationId: 'a-1', at: new Date().toISOString(), body });
  const { journal } = daemon.core;
  journal.transcribe([line('line 1')]);
  await journal.flush();
  await say('s-general', 'event 1');
  const both = await openFeed(`?since=${start}&transcripts=1`);
  const none = await openFeed(`?since=${start}`);
  const notHers = await openFeed(`?since=${start}&transcripts=1`, { token: daemon.token('w-ann') });
  expect((await both.take(2)).map(({ body }) => body)).toEqual(['line 1', 'event 1']);
  journal.transcribe([line('line 2')]);
  await journal.flush();
  await say('s-general', 'event 2');
  expect((await both.take(2)).map(({ body }) => body)).toEqual(['line 2', 'event 2']);
  for (const feed of [none, notHers])
    expect((await feed.take(2)).map(({ body }) => body)).toEqual(['event 1', 'event 2']);
  for (const feed of [both, none, notHers]) feed.leave();
});

test('whoever comes while much is being said gets all of it, once and in order', async () => {
  const { seq: start } = daemon.core.queries.events(['s-general'], { limit: 1 })[0]!;
  const count = 600;
  const said = (async () => {
    for (let n = 0; n < count; n++) {
      void say('s-mail', `${n}`);
      if (n % 7 === 0) await nextTurn();
    }
  })();
  const bodies = Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      for (let turn = 0; turn < n * 5; turn++) await nextTurn();
      const feed = await openFeed(`?since=${start}&streams=s-mail`);
      const taken = (await feed.take(count)).map(({ body }) => body);
      feed.leave();
      return taken;
    }),
  );
  await said;
  const expected = Array.from({ length: count }, (_, n) => `${n}`);
  for (const taken of await bodies) expect(taken).toEqual(expected);
});

test('a client that reads late still gets everything, and little of it waits in memory', async () => {
  const sockets = new Set<{ writableLength: number }>();
  daemon.app.server.on('connection', (socket) => sockets.add(socket));
  const lazy = connect(Number(new URL(daemon.url).port), '127.0.0.1');
  lazy.write(
    `GET /events?streams=s-mail HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${daemon.token()}\r\n\r\n`,
  );
  await new Promise((resolve) => lazy.once('readable', resolve));
  lazy.pause();
  const body = 'x'.repeat(500_000);
  let most = 0;
  for (let n = 0; n < 40; n++) {
    await say('s-mail', `${n} ${body} ${n}.`);
    for (const { writableLength } of sockets) most = Math.max(most, writableLength);
  }
  expect(most).toBeLessThan(4_000_000);
  const seen: number[] = [];
  let rest = '';
  lazy.setEncoding('utf8');
  for await (const chunk of lazy) {
    rest += chunk;
    for (const match of rest.matchAll(/"body":"(\d+) /g)) seen.push(Number(match[1]));
    rest = rest.slice(-20).replace(/"body":"\d+ .*/, '');
    if (seen.includes(39)) break;
  }
  expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => n));
});

test('a quiet feed says that it is there, and ends when its credential does', async () => {
  const quick = await openTestDaemon({ keepAliveMs: 10 });
  const { id, token } = quick.core.tokens.create({ workerId: 'w-owner', label: 'short' });
  const feed = await openFeed('', { token, on: quick });
  const ended = feed.rest();
  while (!feed.comments.includes('keep-alive')) await nextTurn();
  quick.core.tokens.revoke(id);
  expect(await ended).toEqual([]);
  expect(feed.comments.at(-1)).toBe('the credential holds no more');
  await quick.close();
});

test('A8: open feeds and waiting calls do not keep the daemon from stopping', async () => {
  const stopping = await openTestDaemon();
  await stopping.call('create_stream', { id: 's-quiet', name: 'Quiet' });
  const feed = await openFeed('', { on: stopping });
  const ended = feed.rest();
  const waiting = stopping.call('read_events', { streamId: 's-quiet', wait: 45 });
  const unused = connect(Number(new URL(stopping.url).port), '127.0.0.1');
  await new Promise((resolve) => unused.once('connect', resolve));
  const started = performance.now();
  await stopping.close();
  expect(performance.now() - started).toBeLessThan(3_000);
  expect(await ended).toEqual([]);
  expect(feed.comments.at(-1)).toBe('the daemon stops');
  expect(await waiting).toEqual({ events: [] });
});

test('a session opens it too; nothing and a stranger’s token do not', async () => {
  const { token } = daemon.core.tokens.create({ workerId: 'w-ann', kind: 'session', label: 'test' });
  const leave = new AbortController();
  const response = await fetch(`${daemon.url}/events`, {
    headers: { cookie: `helix_session=${token}` },
    signal: leave.signal,
  });
  expect(response.status).toBe(200);
  leave.abort();
  expect((await fetch(`${daemon.url}/events`)).status).toBe(401);
  expect((await openFeed('', { token: 'hxo_nobody' })).response.status).toBe(401);
  expect(
    (await fetch(`${daemon.url}/events`, { method: 'HEAD', headers: { authorization: `Bearer ${daemon.token()}` } }))
      .status,
  ).toBe(200);
});
