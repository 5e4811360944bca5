import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { encodeMessage } from '../../src/domain/message.ts';
import { transports } from '../../src/transports/catalog.ts';
import type { Transport } from '../../src/transports/transport.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

/** A kind whose requests name no Stream: they land wherever the config has the word they carry. */
const topics = {
  kind: 'topics',
  config: z.object({ topic: z.string() }),
  receive: {
    path: '/topics',
    bodyBytesMax: 1_000,
    handle: ({ body }, streams) =>
      streams
        .filter(({ config }) => config.topic === Buffer.from(body).toString())
        .map(({ id }) => ({
          streamId: id,
          content: [{ name: 'message', bytes: encodeMessage({ body: 'on topic' }) }],
        })),
    describe: () => ({}),
  },
} satisfies Transport<z.ZodObject<{ topic: z.ZodString }>>;

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await openTestDaemon({
    transports: new Map<string, Transport>([...transports, ['topics', topics as unknown as Transport]]),
  });
  await daemon.call('create_stream', { id: 's-local', name: 'Local' });
  await daemon.hire('w-echo', { grants: ['read_events'] });
});
afterAll(() => daemon.close());

let streams = 0;
async function open(config?: object): Promise<{ id: string; secret: string }> {
  const id = `s-in-${++streams}`;
  const made = await daemon.call('create_stream', {
    id,
    name: id,
    transport: { kind: 'webhook', ...(config ? { config } : {}) },
  });
  return { id, secret: String(made.secret ?? '') };
}

async function post(stream: string, body: RequestInit['body'], headers: Record<string, string> = {}, method = 'POST') {
  const response = await fetch(`${daemon.url}/webhooks/${stream}`, {
    method,
    headers,
    ...(method === 'GET' ? {} : { body: body ?? null }),
  });
  const text = await response.text();
  return { status: response.status, text: text.trim(), headers: response.headers };
}
const idOf = ({ text }: { text: string }) => (JSON.parse(text) as { id: string }).id;

test('A131: a POST is answered with the id of an Event of empty source and exactly that text', async () => {
  const { id } = await open();
  const body = '{"žluť": "漢字 \u{1f600}",\r\n "n": 12345678901234567890}';
  const answer = await post(id, body, { 'content-type': 'application/json', 'user-agent': 'test' });
  expect(answer.status).toBe(200);
  const [event] = daemon.core.queries.events([id], { limit: 10 });
  expect(JSON.parse(answer.text)).toEqual({ id: event?.id, streamId: id });
  expect(event).toMatchObject({ source: '', body, message: { body_content_type: 'application/json' } });
  expect(daemon.core.queries.entry(event?.seq ?? 0)).toMatchObject({
    actor: 'transport:webhook',
    via: 'transport',
    hops: 0,
  });
});

test('A131: a body of no type, or of one that is none, is taken as well', async () => {
  const { id } = await open();
  expect(await post(id, new Blob(['no type']))).toMatchObject({ status: 200 });
  expect(await post(id, 'odd type', { 'content-type': 'garbage;;' })).toMatchObject({ status: 200 });
  expect(daemon.bodies(id)).toEqual(['no type', 'odd type']);
});

test('the bytes of a body that is no text are kept', async () => {
  const { id } = await open();
  const bytes = Uint8Array.of(0xff, 0x00, 0xfe);
  await post(id, bytes, { 'content-type': 'application/octet-stream' });
  const { seq } = daemon.core.queries.events([id], { limit: 1 })[0]!;
  expect(daemon.core.queries.entry(seq)?.content.find(({ name }) => name === 'raw')?.bytes).toEqual(Buffer.from(bytes));
});

test('A132: an unknown, a deleted, a local Stream and the daemon’s own take nothing', async () => {
  const { id } = await open();
  await daemon.core.journal.commit('w-owner', { type: 'DeleteStream', streamId: id });
  expect(await post('s-nowhere', 'x')).toMatchObject({ status: 404, text: 'stream "s-nowhere": not found' });
  expect(await post(id, 'x')).toMatchObject({ status: 404, text: `stream "${id}": not found` });
  expect(await post('s-local', 'x')).toMatchObject({ status: 404, text: 'stream "s-local" is not a webhook stream' });
  await daemon.core.journal.commit('w-owner', {
    type: 'UpdateStream',
    streamId: 's-notices',
    transport: { kind: 'webhook', config: {} },
  });
  expect(await post('s-notices', 'x')).toMatchObject({
    status: 404,
    text: 'stream "s-notices" is not a webhook stream',
  });
  expect(await post('%2e%2e%2fetc', 'x')).toMatchObject({ status: 404, text: 'stream "../etc": not found' });
});

test('A133: an empty body gets 400, one over 1 MiB 413, another method 405', async () => {
  const { id } = await open();
  expect(await post(id, '')).toMatchObject({ status: 400, text: 'body is empty' });
  expect(await post(id, 'x'.repeat(1_048_576))).toMatchObject({ status: 200 });
  expect(await post(id, 'x'.repeat(1_048_577))).toMatchObject({ status: 413, text: 'The body is too large.' });
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await post(id, 'x', {}, method);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  }
  expect(daemon.bodies(id)).toHaveLength(1);
});

test('A133: a body over 1 MiB that does not say its length gets 413 too', async () => {
  const { id } = await open();
  const chunk = Buffer.alloc(300_000, 'x');
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
  const answer = await fetch(`${daemon.url}/webhooks/${id}`, {
    method: 'POST',
    body: endless,
    duplex: 'half',
  } as RequestInit).then(
    ({ status }) => status,
    () => 'cut off',
  );
  expect([413, 'cut off']).toContain(answer);
  expect(daemon.bodies(id)).toEqual([]);
});

test('A134: 25 POSTs at once become 25 Events', async () => {
  const { id } = await open();
  const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => post(id, `body ${n}`)));
  expect(new Set(answers.map(idOf)).size).toBe(25);
  expect(daemon.bodies(id).sort()).toEqual(Array.from({ length: 25 }, (_, n) => `body ${n}`).sort());
});

test('A135: the Event of a client that leaves as soon as it has sent is kept, and wakes who waits for it', async () => {
  const { id } = await open();
  const read = daemon.call('read_events', { streamId: id, wait: 30 });
  const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1');
  socket.on('error', () => {});
  const request = `POST /webhooks/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\ngone`;
  await new Promise<void>((resolve) => socket.write(request, () => resolve()));
  socket.destroy();
  expect(await read).toMatchObject({ events: [{ body: 'gone' }] });
});

test('a paused org takes deliveries; they wait', async () => {
  const { id } = await open();
  await daemon.core.journal.commit('w-owner', { type: 'PauseOrg' });
  expect(await post(id, 'patience')).toMatchObject({ status: 200 });
  await daemon.core.journal.commit('w-owner', { type: 'ResumeOrg' });
  expect(daemon.bodies(id)).toEqual(['patience']);
});

describe('A142: a delivery that comes again', () => {
  test('under the sender’s own key is answered with the first id; another body under it gets 409', async () => {
    const { id } = await open();
    const first = await post(id, 'once', { 'idempotency-key': 'k1' });
    expect(await post(id, 'once', { 'idempotency-key': 'k1' })).toMatchObject({ status: 200, text: first.text });
    expect(await post(id, 'other', { 'idempotency-key': 'k1' })).toMatchObject({
      status: 409,
      text: expect.stringContaining('another body'),
    });
    expect(await post(id, 'other', { 'idempotency-key': 'k2' })).toMatchObject({ status: 200 });
    expect(daemon.bodies(id)).toEqual(['once', 'other']);
  });

  test('under a provider’s id is answered with the first id, whatever its body', async () => {
    const { id } = await open();
    const first = await post(id, 'once', { 'webhook-id': 'm1' });
    expect(await post(id, 'reworded', { 'webhook-id': 'm1' })).toMatchObject({ status: 200, text: first.text });
    expect(daemon.bodies(id)).toEqual(['once']);
  });

  test('on another Stream, or under another kind of key, is another delivery', async () => {
    const [one, two] = [await open(), await open()];
    await post(one.id, 'a', { 'webhook-id': 'm1' });
    await post(two.id, 'a', { 'webhook-id': 'm1' });
    await post(one.id, 'a', { 'idempotency-key': 'm1' });
    expect([daemon.bodies(one.id), daemon.bodies(two.id)]).toEqual([['a', 'a'], ['a']]);
  });

  test('20 times at once becomes one Event, and all are told its id', async () => {
    const { id } = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(id, 'once', { 'idempotency-key': 'k' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect(daemon.bodies(id)).toEqual(['once']);
  });
});

describe('A141: a Stream with a secret', () => {
  const hub = (secret: string, body: string) => ({
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  });

  function standard(secret: string, body: string, { id = 'm1', at = Date.now() } = {}) {
    const timestamp = String(Math.floor(at / 1_000));
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  }

  test('takes signed requests of either kind', async () => {
    const { id, secret } = await open({ secret: true });
    expect(secret).toMatch(/^whsec_/);
    expect(await post(id, 'a', hub(secret, 'a'))).toMatchObject({ status: 200 });
    expect(await post(id, 'b', standard(secret, 'b'))).toMatchObject({ status: 200 });
    expect(daemon.bodies(id)).toEqual(['a', 'b']);
  });

  test('refuses unsigned, forged and stale ones with 401 and keeps its secret to itself', async () => {
    const { id, secret } = await open({ secret: true });
    const stale = { at: Date.now() - 301_000 };
    for (const headers of [
      {},
      hub('whsec_other', 'a'),
      hub(secret, 'b'),
      standard(secret, 'a', stale),
      standard(secret, 'b'),
    ]) {
      const { status, text } = await post(id, 'a', headers);
      expect([status, text]).toEqual([401, expect.stringContaining('signed requests only')]);
      expect(text).not.toContain(secret.slice(6));
    }
    expect(daemon.bodies(id)).toEqual([]);
  });

  test('takes the old and the new secret while one replaces the other', async () => {
    const { id, secret } = await open({ secret: true });
    daemon.core.settings.setSecret(`stream.${id}.previous`, secret);
    daemon.core.settings.setSecret(`stream.${id}`, 'whsec_bmV3');
    expect(await post(id, 'old', hub(secret, 'old'))).toMatchObject({ status: 200 });
    expect(await post(id, 'new', hub('whsec_bmV3', 'new'))).toMatchObject({ status: 200 });
    daemon.core.settings.deleteSecret(`stream.${id}.previous`);
    expect(await post(id, 'late', hub(secret, 'late'))).toMatchObject({ status: 401 });
  });

  test('is not misled by a replay under a key of the sender’s choice', async () => {
    const { id, secret } = await open({ secret: true });
    const signed = standard(secret, 'pay');
    await post(id, 'pay', signed);
    await post(id, 'pay', { ...signed, 'idempotency-key': 'fresh' });
    expect(daemon.bodies(id)).toEqual(['pay']);
  });

  test('asks senders to come again when the daemon has lost its secret', async () => {
    const { id, secret } = await open({ secret: true });
    daemon.core.settings.deleteSecret(`stream.${id}`);
    expect(await post(id, 'a', hub(secret, 'a'))).toMatchObject({
      status: 503,
      text: expect.stringContaining('secret is not set'),
    });
  });
});

test('a request that names no Stream lands on every Stream its transport picks', async () => {
  for (const [id, topic] of [
    ['s-t1', 'news'],
    ['s-t2', 'news'],
    ['s-t3', 'else'],
  ] as const) {
    const transport = { kind: 'topics', config: { topic } };
    await daemon.core.journal.commit('w-owner', {
      type: 'CreateStream',
      streamId: id,
      name: id,
      description: '',
      transport,
      private: false,
    });
  }
  const answer = await fetch(`${daemon.url}/topics`, { method: 'POST', body: 'news' });
  expect(await answer.json()).toEqual({
    events: [
      { id: expect.any(String), streamId: 's-t1' },
      { id: expect.any(String), streamId: 's-t2' },
    ],
  });
  expect([daemon.bodies('s-t1'), daemon.bodies('s-t2'), daemon.bodies('s-t3')]).toEqual([
    ['on topic'],
    ['on topic'],
    [],
  ]);
});
