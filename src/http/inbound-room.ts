// How much of inbound bodies is in memory at once. Small ones always get in; large ones wait until there is room, since
// anybody may begin to send one before it is known who they are.
import { Refusal } from './refusal.ts';

export type Room = {
  /** Resolves when there is room, with what gives it back. @throws Refusal 503 when there is none for long */
  take(bytes: number): Promise<() => void>;
};

/** Up to here there is always room. */
export const SMALL_BYTES = 1_048_576;
const LARGE_BYTES_AT_ONCE = 64 * 1_048_576;
const WAIT_MS = 8_000;

export function createRoom(): Room {
  let used = 0;
  const waiting: { bytes: number; enter(): void }[] = [];

  function giveBack(bytes: number): () => void {
    let isOut = false;
    return () => {
      if (isOut) return;
      isOut = true;
      used -= bytes;
      // In their order, so that a very large one is not passed by for ever.
      for (let first = waiting[0]; first && used + first.bytes <= LARGE_BYTES_AT_ONCE; first = waiting[0]) {
        waiting.shift();
        used += first.bytes;
        first.enter();
      }
    };
  }

  return {
    async take(bytes) {
      if (bytes <= SMALL_BYTES) return () => {};
      if (waiting.length === 0 && used + bytes <= LARGE_BYTES_AT_ONCE) {
        used += bytes;
        return giveBack(bytes);
      }
      await new Promise<void>((resolve, reject) => {
        const place = { bytes, enter };
        const limit = setTimeout(() => {
          waiting.splice(waiting.indexOf(place), 1);
          reject(new Refusal(503, 'Too many large bodies at once; try again later.', { 'retry-after': '30' }));
        }, WAIT_MS);
        function enter(): void {
          clearTimeout(limit);
          resolve();
        }
        waiting.push(place);
      });
      return giveBack(bytes);
    },
  };
}
