import { describe, expect, test } from 'vitest';
import { mayRead } from '../../src/domain/may-read.ts';
import { fired, founded, given, hired, type Step, stream } from '../support/given.ts';

// `w-boss` hired `w-ada` and was not fired; `w-former` hired `w-bob`, listened everywhere and was fired.
const history: Step[] = [
  founded,
  stream('s-open'),
  stream('s-secret', { private: true }),
  stream('s-old', { private: true }),
  hired('w-boss', { streams: ['s-secret', 's-old'] }),
  hired('w-ada', { by: 'w-boss' }),
  hired('w-former', { streams: ['s-open', 's-secret'] }),
  hired('w-bob', { by: 'w-former' }),
  hired('w-eve', { kind: 'human' }),
  ['w-ada', { type: 'SendDm', toWorkerId: 'w-boss', body: 'x' }],
  ['w-former', { type: 'SendDm', toWorkerId: 'w-boss', body: 'x' }],
  ['w-owner', { type: 'InviteWorkers', streamId: 's-notices', workerIds: ['w-boss'] }],
  ['w-owner', { type: 'DeleteStream', streamId: 's-old' }],
  fired('w-former'),
];
const { org } = given(...history);
// Nothing makes a chat yet; what one will be is settled here.
org.streams.set('s-chat-w-eve', { ...org.streams.get('s-dm-w-ada-w-boss')!, purpose: 'chat', members: ['w-eve'] });

const READERS = ['w-owner', 'w-boss', 'w-ada', 'w-bob', 'w-eve', 'w-former', 'w-none', 'system', ''];

test.each([
  ['an open Stream', 's-open', ['w-owner', 'w-boss', 'w-ada', 'w-bob', 'w-eve']],
  ['a private Stream', 's-secret', ['w-owner', 'w-boss']],
  ['a private Stream that was deleted', 's-old', ['w-owner']],
  ['a conversation', 's-dm-w-ada-w-boss', ['w-owner', 'w-boss', 'w-ada']],
  ['a conversation with one who was fired', 's-dm-w-boss-w-former', ['w-owner', 'w-boss']],
  ['a chat', 's-chat-w-eve', ['w-owner', 'w-eve']],
  ['a transcript', 's-activations-w-ada', ['w-owner', 'w-boss', 'w-ada']],
  ['a transcript whose hirer was fired', 's-activations-w-bob', ['w-owner', 'w-bob']],
  ['the transcript of one who was fired', 's-activations-w-former', ['w-owner']],
  ['the notices', 's-notices', ['w-owner', 'w-boss']],
  ['what is not there', 's-none', []],
  ['nothing', '', []],
])('%s is read by just these', (_what, streamId, readers) => {
  expect(READERS.filter((workerId) => mayRead(org, workerId, streamId))).toEqual(readers);
});

describe('reading', () => {
  test('ends with the subscription where that was the reason', () => {
    const left = given(...history, ['w-boss', { type: 'Unsubscribe', streamId: 's-secret' }]);
    expect(mayRead(left.org, 'w-boss', 's-secret')).toBe(false);
  });

  test('of a conversation does not end when a member stops listening', () => {
    const left = given(...history, ['w-ada', { type: 'Unsubscribe', streamId: 's-dm-w-ada-w-boss' }]);
    expect(mayRead(left.org, 'w-ada', 's-dm-w-ada-w-boss')).toBe(true);
  });

  test('begins and ends as a Stream opens and closes', () => {
    const update = (isPrivate: boolean): Step => [
      'w-owner',
      { type: 'UpdateStream', streamId: 's-open', private: isPrivate },
    ];
    expect(mayRead(given(...history, update(true)).org, 'w-eve', 's-open')).toBe(false);
    expect(mayRead(given(...history, update(true), update(false)).org, 'w-eve', 's-open')).toBe(true);
  });
});
