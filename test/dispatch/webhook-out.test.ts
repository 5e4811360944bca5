// Webhooks out of a whole daemon, to servers on loopback that this test is.
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isGenuine } from '../../src/transports/webhook-signature.ts';
import { type Answer, type Caught, openCatcher } from '../support/catcher.ts';
import { waitFor } from '../support/daemon.ts';
import { type DispatchStage, dispatchStage, HOUR_MS } from '../support/dispatch.ts';

type Options = { answer?: (caught: Caught, n: number) => Answer; config?: object; hold?: boolean };
type Outbound = { state: string; [field: string]: unknown };

/** A daemon with a Stream `s-out` that posts to a server of ours. */
async function sending({ answer, config = {}, ...fields }: Options = {}) {
  const stage = await dispatchStage({ settings: { 'outbound.allow_private': true } });
  const catcher = await openCatcher(answer);
  const { secret } = await stage.stream('s-out', transportTo(catcher.url, config, fields));
  return { ...stage, catcher, secret: secret as string };
}

const transportTo = (url: string, config: object = {}, fields: object = {}) => ({
  transport: { kind: 'webhook', config: { outbound_url: `${url}/hook`, ...config } },
  ...fields,
});

async function outbound(stage: Pick<DispatchStage, 'call'>, id: unknown): Promise<Outbound> {
  const { outbound: ways } = await stage.call('event_status', { id });
  return ((ways ?? []) as Outbound[])[0] ?? { state: 'none' };
}

const stateOf = async (stage: Pick<DispatchStage, 'call'>, id: unknown) => (await outbound(stage, id)).state;

describe('A136: a Worker’s publish on a Stream with an outbound URL', () => {
  test('leads to one POST of the stored Message, signed, with where it comes from', async () => {
    const { catcher, secret, ...stage } = await sending();
    await stage.hire('w-ada', { grants: ['publish'] });
    const args = { streamId: 's-out', body: 'héllo', subject: 'S', threadId: 't-1', to: ['x'] };
    const { id, outbound: foreseen } = await stage.call('publish', args, 'w-ada');
    expect(foreseen).toBe('queued');
    await waitFor('it is delivered', async () => (await stateOf(stage, id)) === 'delivered');
    const [caught] = catcher.caught;
    expect(catcher.caught).toHaveLength(1);
    expect(caught).toMatchObject({ method: 'POST', path: '/hook' });
    expect(JSON.parse(caught!.body)).toEqual({
      from: 'w-ada',
      to: ['x'],
      subject: 'S',
      body: 'héllo',
      thread_id: 't-1',
    });
    const stored = stage.daemon.queries.entry(stage.daemon.queries.event(id as string)!.seq)!.content[0]!.bytes;
    expect(caught!.body).toBe(Buffer.from(stored).toString());
    expect(caught!.headers).toMatchObject({
      'content-type': 'application/json',
      'x-helix-stream': 's-out',
      'x-helix-event': id,
      'x-helix-hops': '1',
    });
    expect(await outbound(stage, id)).toMatchObject({
      deliveryId: caught!.headers['webhook-id'],
      state: 'delivered',
      receipt: 'HTTP 200',
    });
    const { 'webhook-id': webhookId, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = caught!.headers;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(`${webhookId}.${timestamp}.${caught!.body}`).digest('base64');
    expect(signature).toBe(`v1,${expected}`);
  });

  test('is signed with the old and the new secret while one replaces the other', async () => {
    const { catcher, secret, ...stage } = await sending();
    stage.daemon.settings.setSecret('stream.s-out.previous', secret);
    stage.daemon.settings.setSecret('stream.s-out', 'whsec_bmV3');
    await stage.publish('s-out', 'x');
    const caught = await waitFor('it came', () => catcher.caught[0]);
    const request = { ...caught, query: '', body: Buffer.from(caught.body), at: stage.clock.now() };
    expect([
      isGenuine(request, [secret]),
      isGenuine(request, ['whsec_bmV3']),
      isGenuine(request, ['whsec_b3Ro']),
    ]).toEqual([true, true, false]);
  });

  test('of a person starts at no hops', async () => {
    const { catcher, ...stage } = await sending();
    await stage.publish('s-out', 'x');
    expect((await waitFor('it came', () => catcher.caught[0])).headers['x-helix-hops']).toBe('0');
  });
});

test('A137: what came in by POST is not sent out again on the same Stream', async () => {
  const { catcher, ...stage } = await sending();
  const response = await fetch(`${stage.daemon.url}/webhooks/s-out`, { method: 'POST', body: 'from outside' });
  const { id } = (await response.json()) as { id: string };
  const { id: own } = await stage.publish('s-out', 'from inside');
  await waitFor('ours is out', async () => (await stateOf(stage, own)) === 'delivered');
  expect(catcher.bodies()).toEqual(['from inside']);
  expect(await stage.call('event_status', { id })).toMatchObject({ outbound: null });
});

describe('A138: a publish is neither delayed nor fails when its target', () => {
  test.each([
    ['is down', 'http://127.0.0.1:1', undefined],
    ['answers 500', undefined, { status: 500 }],
    ['never answers', undefined, 'nothing'],
  ] as const)('%s', async (_how, url, answer) => {
    const { catcher, ...stage } = await sending(answer ? { answer: () => answer } : {});
    if (url) await stage.call('update_stream', { streamId: 's-out', ...transportTo(url) });
    const { id, outbound: foreseen } = await stage.publish('s-out', 'x');
    expect(foreseen).toBe('queued');
    if (answer === 'nothing') {
      await waitFor('it is under way', async () => catcher.caught.length > 0);
      expect(await stateOf(stage, id)).toBe('delivering');
      stage.clock.advance(5_000);
    }
    await waitFor('it failed', async () => (await stateOf(stage, id)) === 'retrying');
    expect(await outbound(stage, id)).toMatchObject({
      attempts: 1,
      lastError: expect.stringMatching(/ECONNREFUSED|answered 500|no answer within 5 s/),
      nextAt: expect.stringMatching(/^2026-/),
    });
    expect(await stage.call('get_stream', { id: 's-out' })).toMatchObject({
      outbound: { state: 'retrying', queued: 1 },
    });
  });
});

test('A139: a webhook Stream without an outbound URL sends nothing', async () => {
  const { catcher, ...stage } = await sending();
  await stage.stream('s-in', { transport: 'webhook' });
  const { id, outbound: foreseen } = await stage.publish('s-in', 'quiet');
  const { id: other } = await stage.publish('s-out', 'loud');
  await waitFor('the other one is out', async () => (await stateOf(stage, other)) === 'delivered');
  expect(foreseen).toBeNull();
  expect(await stage.call('event_status', { id })).toMatchObject({ outbound: null });
  expect(catcher.bodies()).toEqual(['loud']);
});

test('A140: nothing of one Stream shows on another, neither its messages nor its troubles', async () => {
  const { catcher, ...stage } = await sending({ answer: () => ({ status: 503 }) });
  const other = await openCatcher();
  await stage.stream('s-other', transportTo(other.url));
  await stage.publish('s-out', 'mine');
  const { id } = await stage.publish('s-other', 'theirs');
  await waitFor('both were tried', async () => catcher.caught.length > 0 && (await stateOf(stage, id)) === 'delivered');
  expect([catcher.bodies(), other.bodies()]).toEqual([['mine'], ['theirs']]);
  expect(other.caught[0]?.headers['x-helix-stream']).toBe('s-other');
  expect(await stage.call('get_stream', { id: 's-other' })).toMatchObject({ outbound: { state: 'ok', queued: 0 } });
});

describe('A141: what goes out', () => {
  test('is tried again with growing pauses under the same id, and each failure is visible', async () => {
    const { catcher, ...stage } = await sending({ answer: (_caught, n) => ({ status: n < 3 ? 503 : 204 }) });
    const { id } = await stage.publish('s-out', 'x');
    const pauses: number[] = [];
    for (const attempts of [1, 2, 3]) {
      const seen = await waitFor('it failed again', async () => {
        const now = await outbound(stage, id);
        return now.attempts === attempts && now.state === 'retrying' ? now : undefined;
      });
      expect(seen).toMatchObject({ lastError: 'the target answered 503' });
      const pause = Date.parse(String(seen.nextAt)) - stage.clock.now().getTime();
      pauses.push(pause);
      stage.clock.advance(Math.max(pause, 61_000));
    }
    await waitFor('it is delivered', async () => (await stateOf(stage, id)) === 'delivered');
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(new Set(catcher.caught.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(catcher.caught.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(4);
    expect(await outbound(stage, id)).toMatchObject({ attempts: 4, receipt: 'HTTP 204' });
  });

  test.each([301, 307, 400, 401, 403, 404, 405, 413, 422])(
    'is not tried again after %i: a dead letter with a notice',
    async (status) => {
      const { catcher, ...stage } = await sending({ answer: () => ({ status, headers: { location: '/elsewhere' } }) });
      const { id } = await stage.publish('s-out', 'x');
      await waitFor('it is dead', async () => (await stateOf(stage, id)) === 'dead');
      expect(await outbound(stage, id)).toMatchObject({ attempts: 1, reason: expect.stringContaining(`${status}`) });
      stage.clock.advance(HOUR_MS);
      expect(catcher.caught.map(({ path }) => path)).toEqual(['/hook']);
      await waitFor('people are told', () => stage.notices().includes('A message of s-out was refused'));
    },
  );

  test.each([
    [408, {}],
    [425, {}],
    [429, { 'retry-after': '120' }],
    [503, { 'retry-after': 'Sat, 21 Nov 2026 12:02:00 GMT' }],
  ])('is tried again after %i, when the target wishes', async (status, headers) => {
    const stage = await sending({ answer: () => ({ status, headers: headers as Record<string, string> }) });
    const { id } = await stage.publish('s-out', 'x');
    await waitFor('it failed', async () => (await stateOf(stage, id)) === 'retrying');
    const pause = Date.parse(String((await outbound(stage, id)).nextAt)) - stage.clock.now().getTime();
    const [least, most] = 'retry-after' in headers ? [120_000, 120_000] : [8_000, 12_000];
    expect(pause).toBeGreaterThanOrEqual(least);
    expect(pause).toBeLessThanOrEqual(most);
  });

  test('stops after 410, visibly, until somebody resumes it', async () => {
    let status = 410;
    const { catcher, ...stage } = await sending({ answer: () => ({ status }) });
    const { id } = await stage.publish('s-out', 'first');
    await waitFor('it is dead', async () => (await stateOf(stage, id)) === 'dead');
    const { id: next, outbound: foreseen, warnings } = await stage.publish('s-out', 'second');
    expect([foreseen, warnings]).toEqual(['queued', [expect.stringContaining('410 Gone')]]);
    expect(await outbound(stage, next)).toMatchObject({ state: 'disabled', reason: expect.stringContaining('410') });
    expect(await stage.call('get_stream', { id: 's-out' })).toMatchObject({
      outbound: { state: 'disabled', reason: expect.stringContaining('update_stream'), dead: 1, queued: 1 },
    });
    status = 200;
    expect(await stage.call('retry', { id: 's-out' })).toMatchObject({ id: 's-out' });
    await waitFor('the second is out', async () => (await stateOf(stage, next)) === 'delivered');
    expect(await stage.call('retry', { id })).toMatchObject({ deliveries: [expect.stringMatching(/^d-/)] });
    await waitFor('the first is out', async () => (await stateOf(stage, id)) === 'delivered');
    expect(catcher.bodies()).toEqual(['first', 'second', 'first']);
    await expect(stage.call('release', { id: 's-out' })).rejects.toThrow('is not stopped');
  });

  test('reaches nothing on this machine unless the owner allows it', async () => {
    const stage = await dispatchStage();
    const catcher = await openCatcher();
    await stage.stream('s-out', transportTo(catcher.url));
    const { id } = await stage.publish('s-out', 'x');
    await waitFor('it is dead', async () => (await stateOf(stage, id)) === 'dead');
    expect(await outbound(stage, id)).toMatchObject({ reason: expect.stringContaining('outbound.allow_private') });
    expect(catcher.connections).toBe(0);
  });

  test('waits when the secret of its Stream is lost, since it is never sent unsigned', async () => {
    const { catcher, ...stage } = await sending();
    stage.daemon.settings.deleteSecret('stream.s-out');
    const { id } = await stage.publish('s-out', 'x');
    await waitFor('it failed', async () => (await stateOf(stage, id)) === 'retrying');
    expect(await outbound(stage, id)).toMatchObject({ lastError: expect.stringContaining('secret') });
    expect(catcher.connections).toBe(0);
    const { secret } = await stage.call('update_stream', { streamId: 's-out', ...transportTo(catcher.url) });
    expect(secret).toMatch(/^whsec_/);
    await stage.call('retry', { id });
    await waitFor('it is out', async () => (await stateOf(stage, id)) === 'delivered');
  });
});

describe('a Stream that holds', () => {
  test('lets its messages go when a person releases them, and never when an AI Worker does', async () => {
    const { catcher, ...stage } = await sending({ hold: true });
    await stage.hire('w-ada', { grants: ['publish', 'release'] });
    const { id, outbound: foreseen } = await stage.publish('s-out', 'x', 'w-ada');
    expect(foreseen).toBe('held');
    expect(await outbound(stage, id)).toMatchObject({
      state: 'held',
      reason: expect.stringContaining('until a person'),
    });
    await expect(stage.call('release', { id }, 'w-ada')).rejects.toThrow('Only a person');
    expect(await stage.call('get_stream', { id: 's-out' })).toMatchObject({ outbound: { held: 1 } });
    await stage.call('release', { id });
    await waitFor('it is out', async () => (await stateOf(stage, id)) === 'delivered');
    await expect(stage.call('release', { id })).rejects.toThrow('Nothing of');
    const { id: bad } = await stage.publish('s-out', 'bad', 'w-ada');
    await stage.call('discard', { id: bad });
    expect(await outbound(stage, bad)).toMatchObject({ state: 'discarded', reason: 'by w-owner' });
    expect(catcher.bodies()).toEqual(['x']);
  });
});

describe('what comes back', () => {
  const post = (stage: Pick<DispatchStage, 'daemon'>, headers: Record<string, string>) =>
    fetch(`${stage.daemon.url}/webhooks/s-in`, { method: 'POST', body: 'x', headers }).then(
      async (response) => (await response.json()) as { id: string },
    );

  test('keeps its hops and its root, and claims can only raise them', async () => {
    const stage = await dispatchStage();
    await stage.stream('s-in', { transport: 'webhook' });
    await stage.stream('s-out');
    await stage.hire('w-ada', { grants: ['publish'] });
    const { id: ours } = await stage.publish('s-out', 'said', 'w-ada');
    const entryOf = (id: string) => stage.daemon.queries.entry(stage.daemon.queries.event(id)!.seq)!;
    const sent = entryOf(ours as string);
    const origin = async (headers: Record<string, string>) => {
      const { hops, root, causedBy, seq } = entryOf((await post(stage, headers)).id);
      return { hops, root: root === seq ? 'own' : root, causedBy };
    };
    const known = { root: sent.root, causedBy: sent.seq };
    const event = { 'x-helix-event': ours as string };
    expect(await origin({})).toEqual({ hops: 0, root: 'own', causedBy: null });
    expect(await origin({ ...event, 'x-helix-hops': '1' })).toEqual({ hops: 2, ...known });
    expect(await origin({ ...event, 'x-helix-hops': '0' })).toEqual({ hops: 2, ...known });
    expect(await origin({ ...event, 'x-helix-hops': '6' })).toEqual({ hops: 7, ...known });
    // Of another organisation: nothing is known of it but how far it went.
    expect(await origin({ 'x-helix-event': 'e-theirs', 'x-helix-hops': '4' })).toEqual({
      hops: 5,
      root: 'own',
      causedBy: null,
    });
    expect(await origin({ 'x-helix-hops': 'none' })).toEqual({ hops: 1, root: 'own', causedBy: null });
  });
});

test('two Streams that post to each other, with AI Workers that answer everything, come to an end with one notice', async () => {
  const stage = await dispatchStage({ settings: { 'outbound.allow_private': true }, play: () => {} });
  const inbound = (id: string) => ({ kind: 'webhook', config: { outbound_url: `${stage.daemon.url}/webhooks/${id}` } });
  await stage.stream('s-a', { transport: inbound('s-b') });
  await stage.stream('s-b', { transport: inbound('s-a') });
  await stage.hire('w-ann', { streams: ['s-a'], grants: ['publish'] });
  await stage.hire('w-bo', { streams: ['s-b'], grants: ['publish'] });
  await stage.idle();
  const before = stage.runs.length;
  stage.playWith(async (run) => {
    await run.use('publish', { streamId: run.workerId === 'w-ann' ? 's-a' : 's-b', body: 'answer' });
  });
  await stage.publish('s-a', 'hello');
  await waitFor('the loop is stopped', () => stage.notices().length > 0);
  await stage.idle();
  await stage.daemon.courier.idle();
  const events = ['s-a', 's-b'].flatMap((id) => stage.daemon.queries.events([id], { limit: 100 }));
  const entries = events.map(({ seq }) => stage.daemon.queries.entry(seq)!);
  expect(Math.max(...entries.map(({ hops }) => hops))).toBe(9);
  // The first lands on s-a and leaves for s-b; each Worker answers there, and so on, two ways at once.
  expect(stage.runs.length - before).toBeLessThanOrEqual(50);
  expect(stage.notices().filter((subject) => subject.startsWith('Loop stopped'))).toHaveLength(1);
  expect(new Set(entries.map(({ root }) => root)).size).toBe(1);
  const calm = stage.daemon.journal.lastSeq;
  stage.clock.advance(HOUR_MS);
  await stage.idle();
  await stage.daemon.courier.idle();
  expect(stage.daemon.queries.entriesAfter(calm, 10).filter(({ event }) => event.type === 'EventPublished')).toEqual(
    [],
  );
});
