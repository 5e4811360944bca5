// What holds work back besides pauses and a broken agent: limits, their one notice each, and what lets it go on again.
import type { Expired } from '../store/expired.ts';
import type { HeldTrigger } from '../store/held-triggers.ts';
import type { ActivationDeps } from './activation.ts';
import { type Admit, createAdmission } from './admission.ts';
import { createExpirySummary } from './expiry-summary.ts';
import { createHolds, type Holds } from './holds.ts';
import { createLimits, type Stop } from './limits.ts';
import { createPacedRelease } from './paced-release.ts';
import { createRootRelease } from './root-release.ts';

export type Restraint = Pick<Holds, 'begin' | 'drained'> & {
  admit: Admit;
  /** A run of this Worker may start. */
  passed(workerId: string): void;
  /** A limit of the whole org is reached: nobody may start until {@link RestraintDeps.onFree} is called. */
  holdOrg(stop: Stop): void;
  readonly isOrgHeld: boolean;
  /** Lets go on whatever no limit holds any more, as after a change of the settings or a restart. */
  review(): void;
  /** Something expired. */
  expired(): void;
  /** An Event is held because its author publishes too fast. */
  paced(): void;
  close(): void;
};

export type RestraintDeps = Pick<ActivationDeps, 'journal' | 'queries' | 'settings' | 'now' | 'after' | 'onFailure'> & {
  expired: Expired;
  heldTriggers: () => HeldTrigger[];
};

/** A clock that was set back must not make a timer of more days than a timer can have. */
const WAIT_MAX_MS = 3_600_000;

export function createRestraint(deps: RestraintDeps, onFree: () => void): Restraint {
  const { journal, queries, settings, now, after, onFailure } = deps;
  const limits = createLimits({ counts: queries.runCounts, settings, now });
  const holds = createHolds({ journal, limits, onFailure });
  const paced = createPacedRelease(deps);
  const summary = createExpirySummary(deps);
  const releaseRoots = createRootRelease({ ...deps, counts: queries.runCounts });
  let cancel: (() => void) | undefined;

  function free(): void {
    cancel?.();
    cancel = undefined;
    onFree();
  }

  return {
    admit: createAdmission({ journal, queries, settings, limits, now }),
    begin: holds.begin,
    drained: holds.drained,
    passed(workerId) {
      holds.passed(workerId);
      holds.passed(null);
    },
    holdOrg(stop) {
      holds.begin(stop);
      cancel?.();
      cancel = after(Math.min(Math.max(stop.untilMs - now().getTime(), 1), WAIT_MAX_MS), free);
    },
    get isOrgHeld() {
      return cancel !== undefined;
    },
    review() {
      free();
      holds.review();
      releaseRoots();
      paced.check();
    },
    expired: summary.check,
    paced: paced.check,
    close() {
      cancel?.();
      paced.close();
      summary.close();
    },
  };
}
