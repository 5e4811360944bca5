// Who is marked, and in which line. Whoever was marked without knowing how urgent it is, as everybody is at start, is sorted
// first, a slice in each turn of the event loop; so people's work comes first after a restart too.
import type { Inbox, Urgency } from '../store/inbox.ts';
import { createLines, type Lines } from './lines.ts';

export type LineUp = {
  mark(workerId: string, urgency?: Urgency): void;
  next: Lines['next'];
  /** Sorts some. @returns whether there are more to sort */
  sort(): boolean;
  putBack: Lines['putBack'];
  waits: Lines['waits'];
  readonly size: number;
};

export type LineUpDeps = {
  inbox: Pick<Inbox, 'urgency'>;
  /** Most triggers in one batch. */
  triggersMax(): number;
  /** Whether the Worker could run at all: employed and not paused. */
  isAwake(workerId: string): boolean;
  /** It turned out that nothing waits for the Worker. */
  onNothing(workerId: string): void;
  onFailure(workerId: string, error: unknown): void;
};

/** Workers sorted in one turn of the event loop. */
const SORTED_AT_ONCE = 50;

export function createLineUp({ inbox, triggersMax, isAwake, onNothing, onFailure }: LineUpDeps): LineUp {
  const lines = createLines();
  const unsorted = new Set<string>();

  function sortOne(workerId: string): void {
    if (!isAwake(workerId)) return;
    try {
      const urgency = inbox.urgency(workerId, triggersMax());
      if (urgency === 'none') onNothing(workerId);
      else lines.mark(workerId, urgency === 'urgent');
    } catch (error) {
      onFailure(workerId, error);
    }
  }

  return {
    mark(workerId, urgency) {
      if (urgency === undefined) unsorted.add(workerId);
      else lines.mark(workerId, urgency === 'urgent');
    },
    next: lines.next,
    putBack: lines.putBack,
    waits: (isBusy) => lines.waits(isBusy) || unsorted.values().some((workerId) => !isBusy(workerId)),
    sort() {
      let room = SORTED_AT_ONCE;
      for (const workerId of unsorted) {
        if (room-- === 0) return true;
        unsorted.delete(workerId);
        sortOne(workerId);
      }
      return false;
    },
    get size() {
      return lines.size + unsorted.size;
    },
  };
}
