import { setImmediate as nextTurn } from 'node:timers/promises';

/** For work that must not hold up the loop: between steps, `if (slice.isOver()) await slice.next()`. */
export function createSlice(ms: number) {
  let end = performance.now() + ms;
  return {
    isOver: () => performance.now() >= end,
    async next(): Promise<void> {
      await nextTurn();
      end = performance.now() + ms;
    },
  };
}
