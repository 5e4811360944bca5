import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectOwner, spawnDaemon, temporaryDirectory } from '../support/daemon.ts';
import { DISK_FULL, refuseCommits } from '../support/dispatcher.ts';
import { deliver, delivery, issue, recorded, WEBHOOK_SECRET } from '../support/github.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
beforeEach(async () => {
  daemon = await openTestDaemon();
});
afterEach(() => daemon.close());

const configure = (more: object = {}) =>
  daemon.core.settings.set('transport.github', { webhook_secret: WEBHOOK_SECRET, ...more });

async function open(id: string, config: Record<string, unknown> = {}): Promise<string> {
  const transport = { kind: 'github', config: { repo: 'acme/site', events: ['*'], ...config } };
  await daemon.call('create_stream', { id, name: id, transport });
  return id;
}

const on = (stream: string) => daemon.core.queries.events([stream], { limit: 1_000 }).reverse();
const part = (seq: number, name: string) =>
  daemon.core.queries.entry(seq)?.content.find((each) => each.name === name)?.bytes;

test('A158: without transport.github a delivery is asked to come again later', async () => {
  await open('s-gh');
  expect(await deliver(daemon.url, { body: issue() })).toEqual({ status: 503, text: 'transport not configured' });
  configure();
  expect(await deliver(daemon.url, { body: issue() })).toEqual({ status: 204, text: '' });
  expect(on('s-gh')).toHaveLength(1);
});

test('A34: a changed webhook secret holds for the next delivery', async () => {
  await open('s-gh');
  configure();
  expect(await deliver(daemon.url, { body: issue(), secret: 'new' })).toMatchObject({ status: 401 });
  configure({ webhook_secret: 'new' });
  expect(await deliver(daemon.url, { body: issue(), secret: 'new' })).toMatchObject({ status: 204 });
});

describe('A159: a delivery that is not proven', () => {
  const { bytes, headers } = delivery({ body: issue() });
  const right = headers['x-hub-signature-256'] ?? '';
  test.each([
    ['no signature', ''],
    ['another scheme', right.replace('sha256=', 'sha1=')],
    ['no hex', 'sha256=zz'],
    ['half of it', right.slice(0, 40)],
    ['another secret’s', delivery({ body: issue(), secret: 'other' }).headers['x-hub-signature-256'] ?? ''],
    ['that of other bytes', delivery({ body: issue({ action: 'closed' }) }).headers['x-hub-signature-256'] ?? ''],
  ])('with %s gets 401 and leaves nothing', async (_name, signature) => {
    await open('s-gh');
    configure();
    const { 'x-hub-signature-256': _, ...rest } = headers;
    const response = await fetch(`${daemon.url}/github/webhook`, {
      method: 'POST',
      headers: signature === '' ? rest : { ...rest, 'x-hub-signature-256': signature },
      body: bytes,
    });
    expect([response.status, (await response.text()).trim()]).toEqual([401, 'invalid signature']);
    expect(on('s-gh')).toEqual([]);
  });
});

test.each([
  ['half an object', '{"a":', {}],
  ['nothing', '', {}],
  ['a list', '[]', {}],
  ['null', 'null', {}],
  ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), {}],
  ['a form without payload', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['nesting without end', `{"repository":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, {}],
])('A160: %s gets 400 and says what is wrong', async (_name, body, headers) => {
  await open('s-gh');
  configure();
  const answer = await deliver(daemon.url, { body, headers: headers as Record<string, string> });
  expect(answer).toEqual({ status: 400, text: expect.stringMatching(/^parse json: /) });
  expect(on('s-gh')).toEqual([]);
});

test('A161: a ping, and what is about no repository, gets 204 and leaves nothing', async () => {
  await open('s-gh', { repo: 'Codertocat/Hello-World' });
  await open('s-all', { repo: '*/*' });
  configure();
  const pings = recorded.filter(({ event, payload }) => event === 'ping' || payload.repository === undefined);
  expect(pings.length).toBeGreaterThan(40);
  for (const { event, payload } of pings)
    expect(await deliver(daemon.url, { event, body: payload })).toEqual({ status: 204, text: '' });
  expect([on('s-gh'), on('s-all')]).toEqual([[], []]);
});

test('A162: an opened issue becomes an Event with its title, text, number, author, delivery and payload', async () => {
  await open('s-gh');
  configure();
  await deliver(daemon.url, { event: 'issues', id: 'd-162', body: issue() });
  const [event] = on('s-gh');
  expect(event?.source).toBe('');
  expect(event?.message).toEqual({
    from: 'ana',
    subject: 'It breaks',
    body: 'Every time.',
    thread_id: '#7',
    message_id: 'd-162',
    extra: { ...issue(), event: 'issues' },
  });
  expect(daemon.core.queries.entry(event?.seq ?? 0)).toMatchObject({ actor: 'transport:github', hops: 0 });
});

test('A165: case of the repository does not matter, two Streams on one both get it, others do not', async () => {
  for (const [id, repo] of [
    ['s-a', 'acme/site'],
    ['s-b', 'ACME/Site'],
    ['s-owner', 'acme/*'],
    ['s-other', 'acme/site2'],
    ['s-else', 'acm/esite'],
  ] as const)
    await open(id, { repo });
  configure();
  await deliver(daemon.url, { body: issue({}, 'Acme/SITE') });
  expect(['s-a', 's-b', 's-owner', 's-other', 's-else'].map((id) => on(id).length)).toEqual([1, 1, 1, 0, 0]);
});

test('A166: an event type that is not listed leaves nothing, * takes all of them', async () => {
  await open('s-some', { events: ['pull_request'] });
  await open('s-all');
  configure();
  for (const event of ['issues', 'pull_request', 'brand_new_event'])
    expect(await deliver(daemon.url, { event, body: issue() })).toMatchObject({ status: 204 });
  expect([on('s-some').length, on('s-all').length]).toEqual([1, 3]);
});

test('A167: extra keeps the whole payload', async () => {
  await open('s-gh');
  configure();
  const payload = issue({ label: { name: 'docs' }, pull_request: { merged: true, number: 3 } });
  await deliver(daemon.url, { event: 'pull_request', body: payload });
  expect(on('s-gh')[0]?.message?.extra).toEqual({ ...payload, event: 'pull_request' });
});

test('A168: large integers and odd text come through to the last digit and byte', async () => {
  await open('s-gh');
  configure();
  const body = `\n {"repository" : {"full_name":"acme/site"}, "id":12345678901234567890, "x":1.00, "event":"mine", "t":"\\ud83d\\ude00 \\u0000"} `;
  await deliver(daemon.url, { event: 'issues', body });
  const { seq } = on('s-gh')[0]!;
  expect(Buffer.from(part(seq, 'raw') ?? []).toString()).toBe(body);
  const stored = Buffer.from(part(seq, 'message') ?? []).toString();
  expect(stored).toContain('"id":12345678901234567890, "x":1.00');
  const shown = JSON.stringify(await daemon.call('list_stream_events', { streamId: 's-gh' }));
  expect(shown).toContain('12345678901234567890');
  expect(on('s-gh')[0]?.message?.extra).toMatchObject({ event: 'issues', t: '😀 \0' });
});

test('a form is read as JSON is, and its bytes are kept', async () => {
  await open('s-gh');
  configure();
  const body = new URLSearchParams({ payload: JSON.stringify(issue({ note: 'a+b & c=d žluť' })) }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  expect(await deliver(daemon.url, { body, headers })).toMatchObject({ status: 204 });
  const [event] = on('s-gh');
  expect(event?.message).toMatchObject({ subject: 'It breaks', extra: { note: 'a+b & c=d žluť', event: 'issues' } });
  expect(Buffer.from(part(event?.seq ?? 0, 'raw') ?? []).toString()).toBe(body);
});

test('A162, A168: all 329 recorded payloads are accepted, mapped, kept to the byte, and land once each', async () => {
  await open('s-gh', { repo: '*/*' });
  configure();
  expect(recorded).toHaveLength(329);
  const landing = recorded.filter(({ event, payload }) => event !== 'ping' && payload.repository !== undefined);
  for (const [n, { event, payload }] of recorded.entries()) {
    const sent = { event, id: `d-${n}`, body: payload };
    // One of each event type twenty times at once, the others twice.
    const times = recorded[n - 1]?.event === event ? 2 : 20;
    const answers = await Promise.all(Array.from({ length: times }, () => deliver(daemon.url, sent)));
    expect(new Set(answers.map(({ status }) => status)), event).toEqual(new Set([204]));
  }
  const events = on('s-gh');
  expect(events).toHaveLength(landing.length);
  const lines = events.map(({ seq, message = {} }, index) => {
    const { event, payload } = landing[index]!;
    expect(Buffer.from(part(seq, 'raw') ?? []).toString()).toBe(JSON.stringify(payload));
    expect(message.extra).toEqual({ ...payload, event });
    const { subject, thread_id: thread = '', from, body = '' } = message;
    return `${event}.${payload.action ?? ''} | ${from} | ${thread} | ${subject} | ${body.slice(0, 60).replaceAll(/[\r\n]+/g, ' ⏎ ')}`;
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../fixtures/github-mapped.txt');
}, 120_000);

describe('A168: the same delivery', () => {
  test('20 times at once is one Event per Stream', async () => {
    await open('s-a');
    await open('s-b');
    configure();
    const sent = { id: 'd-1', body: issue() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(daemon.url, sent)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    expect([on('s-a').length, on('s-b').length]).toEqual([1, 1]);
    expect(await deliver(daemon.url, { ...sent, id: 'd-2' })).toMatchObject({ status: 204 });
    expect([on('s-a').length, on('s-b').length]).toEqual([2, 2]);
  });

  test('is answered 5xx while it cannot be written, and is one Event afterwards', async () => {
    await open('s-a');
    await open('s-b');
    configure();
    let broken = true;
    refuseCommits(daemon.core, () => (broken ? DISK_FULL : undefined));
    const sent = { id: 'd-1', body: issue() };
    expect((await deliver(daemon.url, sent)).status).toBe(503);
    broken = false;
    expect(on('s-a')).toEqual([]);
    expect(await deliver(daemon.url, sent)).toMatchObject({ status: 204 });
    expect(await deliver(daemon.url, sent)).toMatchObject({ status: 204 });
    expect([on('s-a').length, on('s-b').length]).toEqual([1, 1]);
  });

  test('again after the daemon was killed is still one Event', async () => {
    const dir = temporaryDirectory();
    const first = await spawnDaemon({ dir });
    await first.control('config.set', { key: 'transport.github', value: { webhook_secret: WEBHOOK_SECRET } });
    const owner = await connectOwner(first);
    const transport = { kind: 'github', config: { repo: 'acme/site', events: ['issues'] } };
    await owner.call('create_stream', { id: 's-gh', name: 'gh', transport });
    expect(await deliver(first.url, { id: 'd-1', body: issue() })).toMatchObject({ status: 204 });
    await first.kill('SIGKILL');
    const second = await spawnDaemon({ dir });
    const again = Array.from({ length: 20 }, () => deliver(second.url, { id: 'd-1', body: issue() }));
    expect(new Set((await Promise.all(again)).map(({ status }) => status))).toEqual(new Set([204]));
    expect((await (await connectOwner(second)).call('list_stream_events', { streamId: 's-gh' })).events).toHaveLength(
      1,
    );
  });
});

test('A80: publishing to a github Stream is refused and leaves nothing', async () => {
  await open('s-gh');
  await expect(daemon.call('publish', { streamId: 's-gh', body: 'hello' })).rejects.toThrow(
    'stream "s-gh": publish is not supported on github transport streams; use `gh` from your Environment to act on the repo',
  );
  expect(on('s-gh')).toEqual([]);
});

test('other methods get 405', async () => {
  expect((await fetch(`${daemon.url}/github/webhook`)).status).toBe(405);
});

test('a Stream says where GitHub shall send, and what to do next', async () => {
  await open('s-gh');
  expect(await daemon.call('get_stream', { id: 's-gh' })).toMatchObject({
    url: `${daemon.url}/github/webhook`,
    next: expect.stringContaining('config set transport.github'),
  });
  configure();
  expect(await daemon.call('get_stream', { id: 's-gh' })).toMatchObject({
    next: expect.stringContaining('helix-org github connect acme/site'),
  });
});
