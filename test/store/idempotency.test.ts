import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createIdempotency, type Once } from '../../src/store/idempotency.ts';
import { messageContent, refusal, stream, type TestOrg, testOrg } from '../support/org.ts';

let org: TestOrg;

beforeEach(async () => {
  org = await testOrg();
  await stream(org, 's-in');
  await stream(org, 's-other');
});

const once = (key: string, body: string, fields: Partial<Once> = {}): Once => ({
  stream: 's-in',
  provider: 'webhook',
  key,
  bodyDigest: createHash('sha256').update(body).digest(),
  refuseOtherBody: true,
  ...fields,
});

const deliver = (key: string, body: string, fields: Partial<Once> = {}) =>
  org.commit(
    'transport:webhook',
    { type: 'Publish', streamId: fields.stream ?? 's-in', content: messageContent(body) },
    { once: once(key, body, fields), via: 'transport' },
  );

const bodies = (streamId = 's-in') => org.queries.events([streamId], { limit: 100 }).map(({ body }) => body);

describe('a delivery that is repeated', () => {
  test('adds nothing and is told the first Event', async () => {
    const first = await deliver('k', 'hello');
    const again = await deliver('k', 'hello');
    expect(again).toEqual({ entries: [], repeatOf: first.entries[0]!.seq });
    expect(bodies()).toEqual(['hello']);
  });

  test('in the same turn adds nothing either', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => deliver('k', 'hello')));
    const seq = all[0]!.entries[0]!.seq;
    expect(all.slice(1)).toEqual(Array.from({ length: 19 }, () => ({ entries: [], repeatOf: seq })));
    expect(bodies()).toEqual(['hello']);
  });

  test('is recognised after a restart of the journal, for seven days', async () => {
    const first = await deliver('k', 'hello');
    const idempotency = createIdempotency(org.db.sqlite);
    expect(idempotency.find(once('k', 'hello'))).toBe(first.entries[0]!.seq);
  });
});

describe('another body under a key that was used', () => {
  test("is refused when the key is the caller's own", async () => {
    await deliver('k', 'hello');
    expect(await refusal(deliver('k', 'other'))).toEqual({
      code: 'conflict',
      message: 'This idempotency key was used with another body; use a new key for a new delivery.',
    });
    expect(bodies()).toEqual(['hello']);
  });

  test("is a repeat when the key is the provider's", async () => {
    const first = await deliver('k', 'hello', { refuseOtherBody: false });
    expect(await deliver('k', 'other', { refuseOtherBody: false })).toEqual({
      entries: [],
      repeatOf: first.entries[0]!.seq,
    });
  });

  test('fails only that one of its turn', async () => {
    const settled = await Promise.allSettled([
      deliver('k', 'a'),
      deliver('k', 'b'),
      deliver('k', 'a'),
      deliver('l', 'b'),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(bodies()).toEqual(['b', 'a']);
  });
});

test('the same key on another Stream or of another provider is another delivery', async () => {
  await deliver('k', 'a');
  await deliver('k', 'b', { stream: 's-other' });
  await deliver('k', 'c', { provider: 'github' });
  expect([bodies(), bodies('s-other')]).toEqual([['c', 'a'], ['b']]);
});

describe('a key', () => {
  test('is free again when the delivery was refused', async () => {
    await refusal(deliver('k', 'a', { stream: 's-none' }));
    await stream(org, 's-none');
    expect((await deliver('k', 'a', { stream: 's-none' })).entries).toHaveLength(1);
  });

  test('is free again when the commit failed', async () => {
    const exec = org.db.sqlite.exec.bind(org.db.sqlite);
    org.db.sqlite.exec = (statement) => {
      if (statement === 'COMMIT') throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return exec(statement);
    };
    await refusal(deliver('k', 'a'));
    org.db.sqlite.exec = exec;
    expect((await deliver('k', 'a')).entries).toHaveLength(1);
  });

  test('may be anything', async () => {
    for (const key of ['', "'; DROP TABLE journal; --", '\0', '🙂', 'x'.repeat(10_000)]) {
      const first = await deliver(key, 'a');
      expect((await deliver(key, 'a')).repeatOf).toBe(first.entries[0]!.seq);
    }
  });

  test('is forgotten in time, the oldest first and no more than asked', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const timed = await testOrg(undefined, { now: () => now });
    await stream(timed, 's-in');
    const send = (key: string) =>
      timed.commit('transport:webhook', { type: 'Publish', streamId: 's-in', content: [] }, { once: once(key, key) });
    for (const day of [1, 2, 3]) {
      now = new Date(`2026-01-0${day}T00:00:00Z`);
      await send(`k${day}`);
    }
    const idempotency = createIdempotency(timed.db.sqlite);
    const known = () => ['k1', 'k2', 'k3'].filter((key) => idempotency.find(once(key, key)) !== undefined);
    expect(idempotency.prune('2026-01-03T00:00:00.000Z', 1)).toBe(1);
    expect(known()).toEqual(['k2', 'k3']);
    expect(idempotency.prune('2026-01-03T00:00:00.000Z')).toBe(1);
    expect(known()).toEqual(['k3']);
    expect((await send('k1')).entries).toHaveLength(1);
  });
});
