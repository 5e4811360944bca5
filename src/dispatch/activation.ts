// One run of an AI Worker, from the batch to the recorded end.
import { randomUUID } from 'node:crypto';
import type { AgentResult, AgentRun, Agents } from '../domain/agent.ts';
import type { Cause } from '../domain/entry.ts';
import type { AgentSessions } from '../store/agent-sessions.ts';
import { workerLimit } from '../store/daemon-settings.ts';
import type { Entry } from '../store/entries.ts';
import type { Batch } from '../store/inbox.ts';
import type { Journal } from '../store/journal.ts';
import { withLogContext } from '../store/log-context.ts';
import { createMask, maskAll } from '../store/mask.ts';
import type { Processes } from '../store/processes.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import type { Showed } from './agent-hold.ts';
import { begin, type Started } from './begin.ts';
import { countChanges } from './count-changes.ts';
import type { Folders } from './folder.ts';
import type { ActivationTokens } from './memory-tokens.ts';
import { activationMarker } from './prompt.ts';
import { recordEnd } from './record-end.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import type { StopReason } from './settle.ts';

export type ActivationDeps = {
  journal: Journal;
  queries: Queries;
  settings: Settings;
  processes: Processes;
  folders: Folders;
  tokens: ActivationTokens;
  policy: string;
  agents: Agents;
  sessions: AgentSessions;
  mcpUrl(workerId: string): string;
  /** Further variables that the program gets for this run, such as GH_TOKEN. */
  environment?(run: EnvironmentOf): Record<string, string>;
  now(): Date;
  /** Calls back after so many milliseconds; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Something happened in a run: it began, said something or ended. */
  onMoved(): void;
  /** Something could not be read or recorded, as when the disk is full; it is tried again. */
  onFailure(error: unknown): void;
};

/** What a run's environment is made from. */
export type EnvironmentOf = { workerId: string; activationId: string; hops: number; triggers: readonly Entry[] };

/** A process that prints nothing counts as started after this time, so that quiet agents do not hold up the others. */
const QUIET_START_MS = 1_000;

/** A run under way. */
export type Running = {
  workerId: string;
  activationId: string;
  /** seqs it was woken by. */
  triggers: readonly number[];
  /** Settles when the end is recorded. Rejects when the start could not be, or the end before a shutdown. */
  ended: Promise<{ showed: Showed; exit: string }>;
  /** Settles when the agent has shown first signs of life, or has ended. */
  alive: Promise<void>;
  /** Stops the run. A firing counts before a person's stop, and that before any other; else the first. */
  stop(reason: StopReason): void;
};

const WEIGHT: Record<StopReason, number> = { fired: 2, person: 1, paused: 0, redacted: 0, shutdown: 0 };

/** @param played which agent, as was found when it was decided to start */
export function startActivation(deps: ActivationDeps, batch: Batch, played: Played): Running {
  const activationId = `a-${randomUUID()}`;
  const abort = new AbortController();
  const closing = new AbortController();
  let stopped: StopReason | undefined;
  let isMuted = false;
  let beAlive = () => {};
  const alive = new Promise<void>((resolve) => {
    beAlive = resolve;
  });
  const signals = { signal: abort.signal, closing: closing.signal };
  const run = { batch, played, activationId, ...signals, beAlive, stopped: () => stopped, isMuted: () => isMuted };
  const names = { activationId, workerId: batch.workerId };
  const ended = withLogContext(names, () => runToEnd(deps, run)).finally(beAlive);
  return {
    workerId: batch.workerId,
    activationId,
    triggers: batch.triggers.map(({ seq }) => seq),
    ended,
    alive,
    stop(reason) {
      if (stopped === undefined || WEIGHT[reason] > WEIGHT[stopped]) stopped = reason;
      if (reason === 'redacted') {
        isMuted = true;
        deps.tokens.revoke(activationId);
      }
      abort.abort(reason);
      if (reason === 'shutdown') closing.abort();
    },
  };
}

export type Played = ReturnType<Agents['of']>;

export type RunContext = {
  batch: Batch;
  played: Played;
  activationId: string;
  signal: AbortSignal;
  /** Aborted when the daemon stops: what cannot be recorded now is left to the next one. */
  closing: AbortSignal;
  beAlive(): void;
  stopped(): StopReason | undefined;
  /** What it was shown was erased meanwhile: nothing it says is kept any more. */
  isMuted(): boolean;
};

async function runToEnd(deps: ActivationDeps, run: RunContext): Promise<{ showed: Showed; exit: string }> {
  const { batch, activationId } = run;
  const { workerId } = batch;
  const cause = causeOf(batch.triggers, activationId);
  const made = countChanges(deps.journal, activationId);
  const mask = createMask(deps.settings);
  try {
    const started = await begin(deps, run, cause);
    const recorder = createRecorder(deps.journal, { worker: workerId, activationId, now: deps.now, mask });
    const played = await play(deps, run, { started, recorder, cause }).catch((error: unknown) =>
      failed(`the agent could not be run: ${textOf(error)}`),
    );
    const result = maskAll(mask, played);
    deps.tokens.revoke(activationId);
    recorder.close(result.exit, result.droppedBytes);
    attempt(deps, () => keepSession(deps, run, started, result));
    await recordEnd(deps, run, { result, cause, counts: made.counts() });
    return { showed: showedBy(started, result), exit: result.exit };
  } finally {
    made.stop();
    deps.tokens.revoke(activationId);
    attempt(deps, () => deps.processes.forget(activationId));
  }
}

function showedBy(started: Started, { outcome, agentFault }: AgentResult): Showed {
  if ('failure' in started || outcome === 'interrupted' || outcome === 'lost') return 'nothing';
  return agentFault ? 'fault' : 'works';
}

/** For what a run can do without: a process that is not remembered is still found by its environment. */
function attempt(deps: ActivationDeps, what: () => void): void {
  try {
    what();
  } catch (error) {
    deps.onFailure(error);
  }
}

export const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

type Play = { started: Started; recorder: Recorder; cause: Cause };

async function play(deps: ActivationDeps, run: RunContext, { started, recorder, cause }: Play): Promise<AgentResult> {
  const { batch, activationId, signal } = run;
  const { workerId, attempt: count } = batch;
  recorder.write({ body: activationMarker(batch.triggers) });
  if (count > 1) recorder.write({ body: `attempt ${count}: ${batch.reason ?? 'a previous run was cut off'}` });
  if ('failure' in started) return failed(started.failure);
  // Stopped while its start was being recorded.
  if (signal.aborted) return { outcome: 'interrupted', exit: `interrupted: ${signal.reason}` };
  const { settings, tokens, processes } = deps;
  let notQuiet = () => {};
  const result = run.played.agent.run({
    activationId,
    workerId,
    attempt: count,
    ...started.handed,
    mcp: { url: deps.mcpUrl(workerId), token: tokens.issue({ workerId, activationId, cause }) },
    environment: deps.environment?.({ workerId, activationId, hops: cause.hops, triggers: batch.triggers }) ?? {},
    limits: timeLimits(settings, workerId, started.handed.agent.runSeconds),
    onStart: ({ pid, startedAt }) => {
      attempt(deps, () => processes.remember({ activationId, worker: workerId, pid, startedAt }));
      notQuiet = deps.after(QUIET_START_MS, run.beAlive);
    },
    onSegment: (segment) => {
      run.beAlive();
      deps.onMoved();
      return run.isMuted() || recorder.write(segment);
    },
    signal,
  });
  return result.finally(() => notQuiet());
}

function timeLimits(settings: Settings, workerId: string, ownRunSeconds: number | undefined): AgentRun['limits'] {
  const seconds = (own: 'first_output_seconds' | 'run_seconds') =>
    workerLimit(settings, workerId, own, `dispatch.${own}`) ?? settings.get(`dispatch.${own}`);
  return {
    firstOutputMs: seconds('first_output_seconds') * 1_000,
    runMs: (ownRunSeconds ?? seconds('run_seconds')) * 1_000,
  };
}

/** What went well can be gone on with; a run that failed leaves the session before it. */
function keepSession(deps: ActivationDeps, { batch, activationId }: RunContext, started: Started, result: AgentResult) {
  if (!('handed' in started) || !started.kept || result.outcome !== 'done' || !result.session) return;
  // Redacted while it ran: what it saw is to be forgotten.
  if (batch.triggers.some(({ seq }) => deps.queries.eventAt(seq)?.redacted)) return;
  deps.sessions.keep({ ...started.kept, session: result.session, activationId, at: deps.now().toISOString() });
}

const failed = (exit: string): AgentResult => ({ outcome: 'failed', exit });

/** An activation stands in the chain of the trigger that is furthest from its cause. */
export function causeOf(triggers: readonly Entry[], activationId: string): Cause & { root: number } {
  let furthest: Entry | undefined;
  for (const entry of triggers) if (!furthest || entry.hops >= furthest.hops) furthest = entry;
  const causedBy = triggers.at(-1)?.seq ?? 0;
  return { causedBy, root: furthest?.root ?? causedBy, hops: furthest?.hops ?? 0, activationId };
}
