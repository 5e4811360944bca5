// Finds whom an Event concerns, after it was answered and a slice in each turn of the event loop: a Stream with ten
// thousand subscribers holds up nobody. Whatever lands on a Stream before its turn comes shares one walk.

export type FanOut = {
  /** Something landed. `urgent` when it came from people or the outside. */
  landed(streamId: string, by: string, urgent: boolean): void;
  /** Subscribers are still to be marked. */
  readonly busy: boolean;
};

export type FanOutDeps = {
  subscribersOf(streamId: string): Iterable<string>;
  mark(workerId: string, urgent: boolean): void;
  /** Called when everybody is marked. */
  onDone(): void;
};

/** Subscribers marked in one turn of the event loop. */
const SLICE = 1_000;

type Walk = { streamId: string; by: string | undefined; urgent: boolean };

export function createFanOut({ subscribersOf, mark, onDone }: FanOutDeps): FanOut {
  const waiting = new Map<string, Walk>();
  let current: (Walk & { subscribers: string[]; done: number }) | undefined;
  let scheduled = false;

  function step(): void {
    scheduled = false;
    for (let room = SLICE; room > 0; ) {
      current ??= begin();
      if (!current) return onDone();
      const { by, urgent, subscribers, done } = current;
      const slice = subscribers.slice(done, done + room);
      for (const workerId of slice) if (workerId !== by) mark(workerId, urgent);
      room -= slice.length;
      current.done += slice.length;
      if (current.done === subscribers.length) current = undefined;
    }
    schedule();
  }

  function begin(): typeof current {
    const [walk] = waiting.values();
    if (!walk) return undefined;
    waiting.delete(walk.streamId);
    return { ...walk, subscribers: [...subscribersOf(walk.streamId)], done: 0 };
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(step);
  }

  return {
    landed(streamId, by, urgent) {
      const known = waiting.get(streamId);
      // Events of several Workers concern all of them: a mark too many is a look that finds nothing.
      const alone = known && known.by !== by ? undefined : by;
      waiting.set(streamId, { streamId, by: alone, urgent: urgent || known?.urgent === true });
      schedule();
    },
    get busy() {
      return current !== undefined || waiting.size > 0;
    },
  };
}
