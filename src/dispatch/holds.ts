// Limits that hold work now, as the journal records them: one fact and one notice when a limit is reached, one fact when what
// it held is worked off, the limit was raised, or its day is over.
import type { Command } from '../domain/org.ts';
import type { Journal } from '../store/journal.ts';
import { isDaily, isLimit, LIMIT_NAMES, type Limits, type Stop } from './limits.ts';

export type Holds = {
  begin(stop: Stop): void;
  /** A run may start: what ends of itself is over. */
  passed(workerId: string | null): void;
  /** Nothing waits any more: whatever held it is over. */
  drained(workerId: string | null): void;
  /** Ends every hold whose limit is not reached (any more), as after a change of the settings. */
  review(): void;
};

type Deps = { journal: Pick<Journal, 'commit' | 'org'>; limits: Limits; onFailure(error: unknown): void };

export function createHolds({ journal, limits, onFailure }: Deps): Holds {
  const record = (command: Command) => void journal.commit('system', command).catch(onFailure);

  /** An hourly rate lets one run through now and then; it holds until what it held is worked off. */
  function end(workerId: string | null, isOver: (hold: string) => boolean): void {
    if (journal.org.holds.size === 0) return;
    for (const name of LIMIT_NAMES) {
      const hold = `${name}:${workerId ?? 'org'}`;
      if (isOver(hold) && journal.org.holds.has(hold)) record({ type: 'ResumeWork', hold });
    }
  }

  return {
    begin({ hold, workerId, reason, notice }) {
      if (!journal.org.holds.has(hold)) record({ type: 'HoldWork', hold, workerId, reason, notice });
    },
    passed: (workerId) => end(workerId, isDaily),
    drained: (workerId) => end(workerId, () => true),
    review() {
      for (const [hold, { workerId }] of journal.org.holds) {
        if (!isLimit(hold)) continue;
        const stops = workerId === null ? limits.ofOrg(0) : limits.ofWorker(workerId);
        if (!stops.some((stop) => stop.hold === hold)) record({ type: 'ResumeWork', hold });
      }
    },
  };
}
