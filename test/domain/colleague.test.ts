import { expect, test } from 'vitest';
import { mailedColleagues } from '../../src/domain/colleague.ts';
import type { Message } from '../../src/domain/message.ts';
import { fired, founded, given, hired, type Step, stream } from '../support/given.ts';

const eve = { kind: 'human', email: 'eve@example.com' } as const;
const team: Step[] = [
  founded,
  hired('w-ada'),
  hired('w-eve', eve),
  hired('w-mute', { kind: 'human' }),
  hired('w-gone', eve),
  fired('w-gone'),
];

function mailed(history: Step[], streamId: string, message: Message, actor = 'w-ada') {
  return mailedColleagues(given(...team, ...history).org, { streamId, actor, message });
}

test('whoever a Message names, is employed, has an address and may read it', () => {
  const to = ['w-eve', 'w-eve', 'w-mute', 'w-gone', 'w-none', 'eve@example.com'];
  expect(mailed([stream('s-in')], 's-in', { to })).toEqual(['w-eve']);
  expect(mailed([stream('s-in')], 's-in', { cc: ['w-eve'] })).toEqual(['w-eve']);
  expect(mailed([stream('s-in')], 's-in', {})).toEqual([]);
  expect(mailed([stream('s-board', { private: true })], 's-board', { to })).toEqual([]);
  expect(mailed([stream('s-in')], 's-in', { to }, 'w-eve')).toEqual([]);
});

test('the other side of a conversation, from its first message on', () => {
  const dm: Step = ['w-ada', { type: 'SendDm', toWorkerId: 'w-eve', body: 'x' }];
  expect(mailed([], 's-dm-w-ada-w-eve', { to: ['w-eve'] })).toEqual(['w-eve']);
  expect(mailed([dm], 's-dm-w-ada-w-eve', { to: ['w-eve'] })).toEqual(['w-eve']);
  expect(mailed([dm], 's-dm-w-ada-w-eve', { to: ['w-ada'] }, 'w-eve')).toEqual([]);
  expect(mailed([dm], 's-dm-w-ada-w-eve', { to: ['w-eve'] }, 'system')).toEqual([]);
});

test('who listens to the notices', () => {
  expect(mailed([], 's-notices', {}, 'system')).toEqual([]);
  const invited: Step = ['w-owner', { type: 'InviteWorkers', streamId: 's-notices', workerIds: ['w-eve', 'w-mute'] }];
  expect(mailed([invited], 's-notices', { to: ['w-ada'] }, 'system')).toEqual(['w-eve']);
});

test('nobody of a transcript', () => {
  expect(mailed([], 's-activations-w-ada', { to: ['w-eve'] })).toEqual([]);
});
