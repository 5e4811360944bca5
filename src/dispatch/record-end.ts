// The end of a run: what becomes of its triggers, recorded as soon as it can be.
import type { AgentResult } from '../domain/agent.ts';
import type { Cause } from '../domain/entry.ts';
import type { ActivationDeps, RunContext } from './activation.ts';
import { parkedNotice } from './parked-notice.ts';
import { type Ended, settle } from './settle.ts';
import { unansweredRemarks } from './unanswered.ts';

/** Wait before something is recorded again that could not be, as when the disk is full. */
export const RECORD_RETRY_MS = 5_000;

type End = { result: AgentResult; cause: Cause; counts: { published: number; changed: number } };

export async function recordEnd(deps: ActivationDeps, run: RunContext, { result, cause, counts }: End): Promise<void> {
  const { batch, activationId } = run;
  const { journal, settings, now } = deps;
  const { workerId } = batch;
  const stopped = result.outcome === 'done' ? undefined : run.stopped();
  const ended: Ended = {
    outcome: stopped ? 'interrupted' : result.outcome,
    exit: result.exit,
    agentFault: result.agentFault === true,
    ...(stopped ? { stopped } : {}),
  };
  const policy = { attempts: settings.get('dispatch.attempts'), nowMs: now().getTime() };
  const settlement = settle({ ...batch, triggers: batch.triggers.map(({ seq }) => seq) }, ended, policy);
  const { outcome, exit } = ended;
  // An agent that is broken as such has done no work.
  const usage = result.usage ?? (result.agentFault ? { costUsd: 0 } : {});
  const notice =
    settlement.parked.length > 0 && stopped === undefined
      ? parkedNotice(workerId, { triggers: batch.triggers.map(({ seq }) => seq), attempt: batch.attempt }, exit)
      : undefined;
  const command = {
    type: 'EndActivation' as const,
    activationId,
    workerId,
    outcome,
    exit,
    usage,
    ...counts,
    ...settlement,
    remarks: outcome === 'done' && counts.published === 0 ? unansweredRemarks(journal.org, batch) : [],
  };
  // One transaction with the transcript's last lines, which were handed over in this same turn.
  await untilRecorded(deps, run.closing, () =>
    journal.commit('system', notice ? { ...command, notice } : command, { cause }),
  );
}

/** What was done is done: only its record is tried again, since running it again would do it twice. */
export async function untilRecorded(
  deps: Pick<ActivationDeps, 'after' | 'onFailure'>,
  closing: AbortSignal,
  record: () => Promise<unknown>,
): Promise<void> {
  for (;;) {
    try {
      await record();
      return;
    } catch (error) {
      if (closing.aborted) throw error;
      deps.onFailure(error);
      await pause(deps, closing);
    }
  }
}

/** Until it is time to try again, or the daemon stops. */
function pause({ after }: Pick<ActivationDeps, 'after'>, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = after(RECORD_RETRY_MS, goOn);
    function goOn() {
      cancel();
      closing.removeEventListener('abort', goOn);
      resolve();
    }
    closing.addEventListener('abort', goOn);
  });
}
