import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/store/entries.ts';
import type { CommitListener } from '../../src/store/listeners.ts';
import { createWaits } from '../../src/tools/waits.ts';

function waitsOn() {
  let tell: CommitListener = () => {};
  const waits = createWaits({
    onCommit(listener) {
      tell = listener;
      return () => {};
    },
  });
  return { waits, land: (stream: string) => tell([{ stream } as Entry], []) };
}

const LONG_MS = 45_000;

describe('a thousand who wait', () => {
  test('are all woken, and between them others get their turn', async () => {
    const { waits, land } = waitsOn();
    let woken = 0;
    const all = Array.from({ length: 1_000 }, () => waits.on(['s-in'], LONG_MS).woken.then(() => (woken += 1)));
    land('s-in');
    const wokenByTurn: number[] = [];
    while (woken < 1_000) {
      await nextTurn();
      wokenByTurn.push(woken);
    }
    await Promise.all(all);
    expect(wokenByTurn[0]).toBeLessThan(1_000);
    expect(waits.size).toBe(0);
  });

  test('are woken once, also when more lands meanwhile, and none who goes away is missed by the others', async () => {
    const { waits, land } = waitsOn();
    const waiters = Array.from({ length: 500 }, () => waits.on(['s-in', 's-other'], LONG_MS));
    land('s-in');
    for (const waiter of waiters.slice(300, 350)) waiter.cancel();
    land('s-other');
    const late = waits.on(['s-other'], LONG_MS);
    await Promise.all(waiters.map(({ woken }) => woken));
    expect(waits.size).toBe(1);
    land('s-other');
    await late.woken;
    expect(waits.size).toBe(0);
  });

  test('are all released at once when the daemon stops', () => {
    const { waits, land } = waitsOn();
    for (let n = 0; n < 500; n++) waits.on(['s-in'], LONG_MS);
    land('s-in');
    waits.releaseAll();
    expect(waits.size).toBe(0);
  });
});

describe('the same question', () => {
  test('is answered once in a turn, and anew after a commit and in the next turn', async () => {
    const { waits, land } = waitsOn();
    let answered = 0;
    const ask = (question: string) => waits.together(question, () => ({ number: ++answered }));
    expect([ask('a'), ask('a'), ask('b')]).toEqual([{ number: 1 }, { number: 1 }, { number: 2 }]);
    expect(ask('a')).toBe(ask('a'));
    land('s-in');
    expect(ask('a')).toEqual({ number: 3 });
    await nextTurn();
    expect(ask('a')).toEqual({ number: 4 });
  });

  test('has an answer that nobody can change for the others', () => {
    const { waits } = waitsOn();
    expect(Object.isFrozen(waits.together('a', () => ({ events: [] })))).toBe(true);
  });
});
