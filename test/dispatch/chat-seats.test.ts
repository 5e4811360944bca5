import { expect, test } from 'vitest';
import { createChatSeats } from '../../src/dispatch/chat-seats.ts';

/** Timers that run when they are told to. */
function clock() {
  const waiting = new Set<() => void>();
  return {
    after(_delayMs: number, callback: () => void) {
      waiting.add(callback);
      return () => void waiting.delete(callback);
    },
    pass() {
      for (const callback of [...waiting]) {
        waiting.delete(callback);
        callback();
      }
    },
    waits: () => waiting.size,
  };
}

const in1 = { worker: 'w-owner', session: 'one' };

test('a conversation is taken by the terminal in its session, and by one whose person still chooses', () => {
  const seats = createChatSeats(clock().after);
  seats.take({ tokenId: 't-1', workerId: 'w-owner', session: 'one' });
  expect(seats.isTaken(in1)).toBe(true);
  expect(() => seats.requireFree(in1)).toThrow('This conversation goes on at a terminal.');
  for (const other of [
    { ...in1, session: 'two' },
    { ...in1, session: null },
    { ...in1, worker: 'w-ann' },
  ])
    expect(seats.isTaken(other)).toBe(false);
  seats.take({ tokenId: 't-2', workerId: 'w-owner' });
  expect(seats.isTaken({ ...in1, session: 'two' })).toBe(true);
  expect(seats.isTaken({ ...in1, session: null })).toBe(false);
});

test('it is free when the terminal ends, and when it says nothing any more; pages hear of both', () => {
  const { after, pass, waits } = clock();
  const seats = createChatSeats(after);
  const heard: string[] = [];
  seats.onChange((workerId) => heard.push(workerId));
  const seat = { tokenId: 't-1', workerId: 'w-owner', session: 'one' };
  seats.take(seat);
  seats.take(seat);
  expect([heard, waits()]).toEqual([['w-owner'], 1]);
  seats.release('t-1');
  expect([seats.isTaken(in1), heard.length, waits()]).toEqual([false, 2, 0]);
  seats.take(seat);
  pass();
  expect([seats.isTaken(in1), heard.length]).toEqual([false, 4]);
});
