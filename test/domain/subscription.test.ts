import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/domain/org.ts';
import { fired, founded, given, hired, type Step, stream, subscribed } from '../support/given.ts';

const dm: Step = ['w-ada', { type: 'SendDm', toWorkerId: 'w-bob', body: 'x' }];
const history: Step[] = [
  founded,
  hired('w-ada'),
  hired('w-bob'),
  stream('s-in'),
  stream('s-secret', { private: true }),
  dm,
];
const subscribe = (streamId: string, filter: { from: string[] } | null = null): Command => ({
  type: 'Subscribe',
  streamId,
  filter,
});
const invite = (streamId: string, ...workerIds: string[]): Command => ({ type: 'InviteWorkers', streamId, workerIds });

describe('Subscribe', () => {
  test('records who listens to what', () => {
    given(...history)
      .when('w-ada', subscribe('s-in', { from: ['x'] }))
      .then({ type: 'WorkerSubscribed', workerId: 'w-ada', streamId: 's-in', filter: { from: ['x'] } });
  });

  test('stays quiet when the Worker listens in just this way', () => {
    given(...history, ['w-ada', subscribe('s-in', { from: ['x'] })])
      .when('w-ada', subscribe('s-in', { from: ['x'] }))
      .staysQuiet();
  });

  test('with another filter ends one interval and begins the next', () => {
    given(...history, subscribed('w-ada', 's-in'))
      .when('w-ada', subscribe('s-in', { from: ['x'] }))
      .then(
        { type: 'WorkerUnsubscribed', workerId: 'w-ada', streamId: 's-in' },
        { type: 'WorkerSubscribed', workerId: 'w-ada', streamId: 's-in', filter: { from: ['x'] } },
      );
  });

  test.each([
    [
      'a conversation of others',
      'w-owner',
      's-dm-w-ada-w-bob',
      'conflict',
      /is a conversation of w-ada and w-bob; nobody else/,
    ],
    [
      'a private Stream',
      'w-ada',
      's-secret',
      'forbidden',
      /^Stream s-secret is private; only its members bring others to it\.$/,
    ],
    ['the notices', 'w-ada', 's-notices', 'forbidden', /is private/],
    ["another's transcript", 'w-bob', 's-activations-w-ada', 'forbidden', /is private/],
    ['what is not there', 'w-ada', 's-inn', 'not_found', /did you mean s-in\? stream "s-inn": record not found$/],
  ] as const)('is refused for %s', (_what, workerId, streamId, code, sentence) => {
    given(...history)
      .when(workerId, subscribe(streamId))
      .refused(code, sentence);
  });

  test('is refused for whoever is no Worker', () => {
    given(...history)
      .when('system', subscribe('s-in'))
      .refused('not_found', /worker "system"/);
  });

  test('to a private Stream is open to the owner, and to a member who wants another filter', () => {
    given(...history)
      .when('w-owner', subscribe('s-secret'))
      .records('WorkerSubscribed');
    given(...history, ['w-owner', invite('s-secret', 'w-ada')])
      .when('w-ada', subscribe('s-secret', { from: ['x'] }))
      .records('WorkerUnsubscribed', 'WorkerSubscribed');
  });
});

describe('Unsubscribe', () => {
  const unsubscribe = (streamId: string): Command => ({ type: 'Unsubscribe', streamId });

  test('records the end', () => {
    given(...history, subscribed('w-ada', 's-in'))
      .when('w-ada', unsubscribe('s-in'))
      .then({ type: 'WorkerUnsubscribed', workerId: 'w-ada', streamId: 's-in' });
  });

  test('is refused when the Worker does not listen there, or the Stream is not there', () => {
    given(...history)
      .when('w-ada', unsubscribe('s-in'))
      .refused('not_found', /^w-ada does not listen to s-in\. .*record not found$/);
    given(...history)
      .when('w-ada', unsubscribe('s-none'))
      .refused('not_found', 'record not found');
  });
});

describe('InviteWorkers', () => {
  test('leaves alone the filter of who listens already, unless one is given, or null for none', () => {
    const filtered = given(...history, ['w-ada', subscribe('s-in', { from: ['x'] })]);
    filtered.when('w-owner', invite('s-in', 'w-ada')).staysQuiet();
    const all: Command = { type: 'InviteWorkers', streamId: 's-in', workerIds: ['w-ada'], filter: null };
    filtered
      .when('w-owner', all)
      .then(
        { type: 'WorkerUnsubscribed', workerId: 'w-ada', streamId: 's-in' },
        { type: 'WorkerSubscribed', workerId: 'w-ada', streamId: 's-in', filter: null },
      );
  });

  test('records each newcomer once', () => {
    given(...history, subscribed('w-bob', 's-in'))
      .when('w-owner', invite('s-in', 'w-ada', 'w-bob', 'w-ada'))
      .then({ type: 'WorkerSubscribed', workerId: 'w-ada', streamId: 's-in', filter: null });
  });

  test('stays quiet when all of them listen already', () => {
    given(...history, subscribed('w-ada', 's-in'))
      .when('w-owner', invite('s-in', 'w-ada'))
      .staysQuiet();
  });

  test('invites nobody when one of them cannot come', () => {
    const org = given(...history, hired('w-gone'), fired('w-gone'));
    org.when('w-owner', invite('s-in', 'w-ada', 'w-none')).refused('not_found', /worker "w-none"/);
    org.when('w-owner', invite('s-in', 'w-ada', 'w-gone')).refused('conflict', 'was fired');
    org.when('w-owner', invite('s-in')).refused('invalid', /^workerIds must contain at least one worker$/);
    org.when('w-owner', invite('s-in', 'w-ada', ' ')).refused('invalid', /^workerIds contains an empty entry$/);
    org.when('w-owner', invite('s-none', 'w-ada')).refused('not_found', /stream "s-none"/);
    expect(org.org.subscriptions.get('s-in')).toBeUndefined();
  });

  test('is refused to those who may not read what they would open to others', () => {
    given(...history)
      .when('w-ada', invite('s-secret', 'w-ada'))
      .refused('forbidden', 'private');
    given(...history)
      .when('w-ada', invite('s-secret', 'w-bob'))
      .refused('forbidden', 'private');
    given(...history)
      .when('w-owner', invite('s-dm-w-ada-w-bob', 'w-owner'))
      .refused('conflict', 'conversation');
    given(...history, ['w-owner', invite('s-secret', 'w-ada')])
      .when('w-ada', invite('s-secret', 'w-bob'))
      .records('WorkerSubscribed');
  });
});
