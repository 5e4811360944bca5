import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import { staff, stream, type TestOrg, testOrg } from '../support/org.ts';

let org: TestOrg;

beforeEach(async () => {
  org = await staff(await testOrg());
  await stream(org, 's-in');
  await stream(org, 's-other');
});

const publish = (message: Message | string, streamId = 's-in') => org.publish('w-ada', streamId, message);
const find = (text: string, options: { stream?: string; before?: number; after?: number; limit?: number } = {}) =>
  org.queries.search.find(text, { limit: 100, ...options });

describe('searching', () => {
  test('finds every word wherever it stands in the Message, in any case, by its beginning', async () => {
    const seq = await publish({
      from: 'Eve@example.com',
      subject: 'Invoice 4711',
      body: 'Please pay the rate-limit fee.',
    });
    await publish('Nothing of that.');
    for (const text of ['invoice', 'INV', 'pay 4711', 'eve', 'limit', 'rate-limit', 'example.com fee'])
      expect(find(text)).toEqual([seq]);
    for (const text of ['voice', 'invoice nothing', 'unpaid']) expect(find(text)).toEqual([]);
  });

  test.each([
    ['café', 'cafe'],
    ['cafe', 'café'],
    ['nee\u0301e', 'née'],
    ['Straße', 'straße'],
    ['ΑΘΗΝΑ', 'αθηνα'],
    ['日本語です', '日本'],
    ['привет мир', 'МИР'],
  ])('takes %s for %s', async (said, asked) => {
    const seq = await publish(`x ${said} y`);
    expect(find(asked)).toEqual([seq]);
  });

  test('is newest first, and in pages', async () => {
    const seqs: number[] = [];
    for (let n = 0; n < 5; n++) seqs.unshift(await publish('word'));
    expect(find('word', { limit: 2 })).toEqual(seqs.slice(0, 2));
    expect(find('word', { limit: 2, before: seqs[1]! })).toEqual(seqs.slice(2, 4));
    expect(find('word', { after: seqs[2]! })).toEqual(seqs.slice(0, 2));
  });

  test('a search after a flood catches up with a part of it, so that nobody waits for all; the next with more', async () => {
    const newest = await Promise.all(Array.from({ length: 2_600 }, () => publish('flood')));
    const some = find('flood', { limit: 10_000 }).length;
    expect(some).toBeGreaterThan(1_900);
    expect(some).toBeLessThanOrEqual(2_000);
    expect(find('flood', { limit: 10_000 })).toEqual(newest.reverse());
  });

  test('may be of one Stream', async () => {
    const [here, there] = [await publish('word'), await publish('word', 's-other')];
    expect(find('word', { stream: 's-in' })).toEqual([here]);
    expect(find('word', { stream: 's-other' })).toEqual([there]);
    expect(find('word', { stream: 's-none' })).toEqual([]);
  });

  test('takes nothing in the text for a query language', async () => {
    await publish('a AND b OR c NOT d NEAR e');
    for (const text of [
      '"',
      '""',
      "'",
      '*',
      'a*',
      'AND',
      'NOT',
      'OR',
      'NEAR(a b)',
      'body:a',
      '^a',
      '{a b}',
      'a + b',
      '-a',
      '(',
      'c++',
      '',
    ]) {
      expect(() => find(text)).not.toThrow();
    }
    expect(find('AND')).toHaveLength(1);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void find(text)));
  });

  test('of nothing finds nothing', async () => {
    await publish('word');
    expect(find('')).toEqual([]);
    expect(find(' .,;')).toEqual([]);
  });

  test('goes on while the disk is full, with what was taken in before', async () => {
    const seq = await publish('word');
    expect(find('word')).toEqual([seq]);
    await publish('word');
    org.db.sqlite.pragma('query_only = ON');
    expect(find('word')).toEqual([seq]);
    org.db.sqlite.pragma('query_only = OFF');
    expect(find('word')).toHaveLength(2);
  });
});

test('the index takes in so many at a time, and says when it is done', async () => {
  for (let n = 0; n < 5; n++) await publish('word');
  const { search } = org.queries;
  let rounds = 0;
  while (search.advance(10)) rounds += 1;
  expect(rounds).toBeGreaterThan(1);
  expect(search.advance(10)).toBe(false);
});
