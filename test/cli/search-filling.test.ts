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
  const stop = startSearchFilling({ search, after: clock.after, onFailure: (error) => failures.push(error) });
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
