import { expect, it } from 'vitest';
import { startSearchFilling } from '../../src/cli/search-filling.ts';
import { fakeClock } from '../support/dispatch.ts';

it('takes in what is new in slices, quickly while it is behind, and goes on after a failure', () => {
  const clock = fakeClock();
  const outcomes: (boolean | Error)[] = [true, true, false, new Error('disk full'), false];
  const failures: unknown[] = [];
  let slices = 0;
  const search = {
    advance: () => {
      const outcome = outcomes[slices++] ?? false;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
  const onFailure = (error: unknown) => void failures.push(error);
  const stop = startSearchFilling({ search, after: clock.after, onFailure, load: () => 0 });
  clock.advance(2_000);
  expect(slices).toBe(1);
  for (let n = 0; n < 2; n++) clock.advance(20);
  expect(slices).toBe(3);
  clock.advance(1_999);
  expect(slices).toBe(3);
  clock.advance(1);
  expect(failures).toHaveLength(1);
  clock.advance(2_000);
  expect(slices).toBe(5);
  stop();
  clock.advance(10_000);
  expect(slices).toBe(5);
});

it('leaves the loop to others while they keep it busy', () => {
  const pauses: number[] = [];
  let load = 0.9;
  let next = () => {};
  const after = (delayMs: number, callback: () => void) => {
    pauses.push(delayMs);
    next = callback;
    return () => {};
  };
  const spin = (until: number) => {
    while (performance.now() < until);
    return true;
  };
  const search = { advance: () => spin(performance.now() + 5) };
  startSearchFilling({ search, after, onFailure: expect.unreachable, load: () => load });
  next();
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(99 * 5);
  load = 0.1;
  // Whoever else uses the machine may hold up one of them.
  for (let n = 0; n < 10; n++) next();
  expect(Math.min(...pauses.slice(-10))).toBeLessThan(99 * 5);
});
