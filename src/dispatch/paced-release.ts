// Lets go, oldest first, what AI Workers published faster than they may: as fast as they may.
import { OrgError } from '../domain/errors.ts';
import type { Journal } from '../store/journal.ts';

type Deps = {
  journal: Pick<Journal, 'commit' | 'org'>;
  after(delayMs: number, callback: () => void): () => void;
  onFailure(error: unknown): void;
};

const TICK_MS = 1_000;

export function createPacedRelease({ journal, after, onFailure }: Deps): { check(): void; close(): void } {
  let cancel = () => {};
  let isArmed = false;
  let isClosed = false;

  async function round(): Promise<void> {
    const { paced } = journal.org;
    for (const seqs of [...paced.values()]) {
      for (const seq of [...seqs]) if (isClosed || !(await letGo(seq))) break;
    }
    isArmed = false;
    check();
  }

  /** @returns false when its author may not publish again yet */
  async function letGo(event: number): Promise<boolean> {
    const streamId = journal.org.heldEvents.get(event)?.streamId;
    if (streamId === undefined) return true;
    try {
      await journal.commit('system', { type: 'ReleaseEvent', event, streamId });
      return true;
    } catch (error) {
      if (!(error instanceof OrgError)) onFailure(error);
      return false;
    }
  }

  /** Begins to work off what is held, unless that is under way. */
  function check(): void {
    if (isArmed || isClosed || journal.org.paced.size === 0) return;
    isArmed = true;
    cancel = after(TICK_MS, () => void round());
  }

  return {
    check,
    close() {
      isClosed = true;
      cancel();
    },
  };
}
