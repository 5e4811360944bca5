// What becomes of a batch when its activation has ended. Pure: the retry policy in one place.
import type { ActivationOutcome, OpenBatch } from '../domain/activation.ts';

/** Why a run was stopped on purpose; a person's stop is final, the others show the batch again without counting. */
export type StopReason = 'person' | 'paused' | 'redacted' | 'shutdown' | 'fired';

export type Ended = {
  outcome: ActivationOutcome;
  exit: string;
  agentFault: boolean;
  /** Set when we stopped it. */
  stopped?: StopReason;
};

export type Shown = {
  /** Triggers this activation was shown, ascending. */
  triggers: number[];
  /** Of the same open batch, still to come. */
  rest: number[];
  attempt: number;
  oneByOne: boolean;
  checkpoint: number;
};

export type Settlement = { throughSeq: number; settled: number[]; parked: number[]; open: OpenBatch | null };

/** Wait before the second and the third attempt. */
const RETRY_DELAYS_MS = [10_000, 120_000];
/** A run that took all its time is tried once more, not twice. */
const TIMEOUT_ATTEMPTS = 2;
/** A crash of the daemon is seldom the batch's fault; but one that brings it down each time must end some day. */
const LOST_ATTEMPTS = 5;

export function settle(shown: Shown, ended: Ended, policy: { attempts: number; nowMs: number }): Settlement {
  if (ended.stopped === 'fired') return { throughSeq: shown.checkpoint, settled: [], parked: [], open: null };
  if (ended.outcome === 'done') return passing(shown, 'settled');
  if (ended.stopped === 'person') {
    // What a person stops is the whole batch, also the part that was to come one by one.
    return passing({ ...shown, triggers: [...shown.triggers, ...shown.rest], rest: [] }, 'parked');
  }
  if (ended.stopped !== undefined || ended.agentFault) {
    return again(
      shown,
      { attempt: shown.attempt, oneByOne: shown.oneByOne, delayMs: 0, reason: ended.exit },
      policy.nowMs,
    );
  }
  const attempts = attemptsFor(ended.outcome, policy.attempts);
  if (shown.attempt >= attempts && (shown.oneByOne || shown.triggers.length === 1)) return passing(shown, 'parked');
  const attempt = Math.max(shown.attempt, Math.min(shown.attempt + 1, attempts));
  const oneByOne = shown.oneByOne || attempt >= attempts;
  const delayMs = ended.outcome === 'lost' ? 0 : (RETRY_DELAYS_MS[shown.attempt - 1] ?? RETRY_DELAYS_MS.at(-1) ?? 0);
  const reason = ended.outcome === 'lost' ? 'a previous run was cut off' : `a previous run ended with: ${ended.exit}`;
  return again(shown, { attempt, oneByOne, delayMs, reason }, policy.nowMs);
}

function attemptsFor(outcome: ActivationOutcome, usual: number): number {
  switch (outcome) {
    case 'timed_out':
      return Math.min(TIMEOUT_ATTEMPTS, usual);
    case 'lost':
      return Math.max(LOST_ATTEMPTS, usual);
    default:
      return usual;
  }
}

/** The shown triggers are over, well or parked; what is left of the batch comes next. */
function passing({ triggers, rest, attempt, checkpoint }: Shown, how: 'settled' | 'parked'): Settlement {
  const notBefore = new Date(0).toISOString();
  const open =
    rest.length > 0 ? { triggers: rest, attempt, oneByOne: true, notBefore, reason: 'a previous run failed' } : null;
  return { throughSeq: Math.max(checkpoint, ...triggers), settled: [], parked: [], [how]: triggers, open };
}

function again(
  { triggers, rest, checkpoint }: Shown,
  { attempt, oneByOne, delayMs, reason }: { attempt: number; oneByOne: boolean; delayMs: number; reason: string },
  nowMs: number,
): Settlement {
  const notBefore = new Date(nowMs + delayMs).toISOString();
  return {
    throughSeq: checkpoint,
    settled: [],
    parked: [],
    open: { triggers: [...triggers, ...rest], attempt, oneByOne, notBefore, reason },
  };
}
