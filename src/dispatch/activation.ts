// One run of an AI Worker, from the batch to the recorded end.
import { randomUUID } from 'node:crypto';
import type { AgentResult, AgentRun, RunAgent } from '../domain/agent.ts';
import type { Cause } from '../domain/entry.ts';
import type { Entry } from '../store/entries.ts';
import type { Batch } from '../store/inbox.ts';
import type { Journal } from '../store/journal.ts';
import type { Processes } from '../store/processes.ts';
import type { Queries } from '../store/queries.ts';
import { type Settings, workerLimit } from '../store/settings.ts';
import type { ActivationTokens } from './activation-tokens.ts';
import type { Showed } from './agent-hold.ts';
import type { Folders, WorkerTexts } from './folder.ts';
import { activationMarker, renderPrompt } from './prompt.ts';
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
  agent: { kind: string; run: RunAgent };
  mcpUrl(workerId: string): string;
  now(): Date;
  /** Calls back after so many milliseconds; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Something happened in a run: it began, said something or ended. */
  onMoved(): void;
  /** Something could not be read or recorded, as when the disk is full; it is tried again. */
  onFailure(error: unknown): void;
};

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

export function startActivation(deps: ActivationDeps, batch: Batch): Running {
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
  const run = { batch, activationId, ...signals, beAlive, stopped: () => stopped, isMuted: () => isMuted };
  const ended = runToEnd(deps, run).finally(beAlive);
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

export type RunContext = {
  batch: Batch;
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
  try {
    const started = await begin(deps, run, cause);
    const recorder = createRecorder(deps.journal, { worker: workerId, activationId, now: deps.now });
    const result = await play(deps, run, { started, recorder, cause }).catch((error: unknown) =>
      failed(`the agent could not be run: ${textOf(error)}`),
    );
    deps.tokens.revoke(activationId);
    recorder.close(result.exit, result.droppedBytes);
    await recordEnd(deps, run, { result, cause, counts: made.counts() });
    return { showed: showedBy(started, result), exit: result.exit };
  } finally {
    made.stop();
    deps.tokens.revoke(activationId);
    attempt(deps, () => deps.processes.forget(activationId));
  }
}

function showedBy(started: Started, { outcome, agentFault }: AgentResult): Showed {
  if ('failure' in started || outcome === 'interrupted') return 'nothing';
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

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

type Started = { prompt: string; texts: WorkerTexts } | { failure: string };

/** Records the start with everything the run is given. A folder that cannot be written fails this run, not the daemon. */
async function begin(deps: ActivationDeps, { batch, activationId }: RunContext, cause: Cause): Promise<Started> {
  const { journal, queries, settings, folders, policy, agent } = deps;
  const { workerId, attempt } = batch;
  let started: Started;
  try {
    const texts = folders.prepare(workerId);
    const bodyMax = settings.get('dispatch.batch_bytes');
    const { roles, identity } = texts;
    const prompt = renderPrompt({ workerId, batch, org: journal.org, policy, roles, identity, bodyMax });
    started = roles.length === 0 ? { failure: `worker ${workerId} has no positions` } : { prompt, texts };
  } catch (error) {
    started = { failure: textOf(error) };
  }
  const worker = queries.worker(workerId);
  await journal.commit(
    'system',
    {
      type: 'StartActivation',
      activationId,
      workerId,
      triggers: batch.triggers.map(({ seq }) => seq),
      attempt,
      agent: { kind: agent.kind },
      ranWith: {
        roles: 'texts' in started ? started.texts.roles.map(({ seq }) => seq) : [],
        identity: worker?.identitySeq ?? 0,
        grants: worker?.grantsSeq ?? 0,
      },
      seenThrough: journal.lastSeq,
      ...storedPrompt(queries, workerId, 'prompt' in started ? started.prompt : ''),
    },
    { cause },
  );
  deps.onMoved();
  return started;
}

/** The same words are kept once: an agent that is tried again and again with the same batch must not fill the disk. */
function storedPrompt(queries: Queries, workerId: string, prompt: string) {
  const bytes = Buffer.from(prompt);
  const [last] = queries.activationsOf(workerId, 1);
  const before = last && queries.prompt(last.seq);
  if (before && bytes.equals(before.bytes)) return { content: [], promptOf: before.seq };
  return { content: [{ name: 'prompt', bytes }] };
}

type Play = { started: Started; recorder: Recorder; cause: Cause };

async function play(deps: ActivationDeps, run: RunContext, { started, recorder, cause }: Play): Promise<AgentResult> {
  const { batch, activationId, signal } = run;
  const { workerId, attempt: count } = batch;
  recorder.write({ body: activationMarker(batch.triggers) });
  if (count > 1) recorder.write({ body: `attempt ${count}: ${batch.reason ?? 'a previous run was cut off'}` });
  if ('failure' in started) return failed(started.failure);
  // Stopped while its start was being recorded.
  if (signal.aborted) return { outcome: 'interrupted', exit: `interrupted: ${signal.reason}` };
  const { settings, tokens, processes, agent } = deps;
  let notQuiet = () => {};
  const result = agent.run({
    activationId,
    workerId,
    attempt: count,
    folder: started.texts.folder,
    prompt: started.prompt,
    mcp: { url: deps.mcpUrl(workerId), token: tokens.issue({ workerId, activationId, cause }) },
    environment: {},
    limits: timeLimits(settings, workerId),
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

function timeLimits(settings: Settings, workerId: string): AgentRun['limits'] {
  const seconds = (own: 'first_output_seconds' | 'run_seconds') =>
    workerLimit(settings, workerId, own, `dispatch.${own}`) ?? settings.get(`dispatch.${own}`);
  return { firstOutputMs: seconds('first_output_seconds') * 1_000, runMs: seconds('run_seconds') * 1_000 };
}

const failed = (exit: string): AgentResult => ({ outcome: 'failed', exit });

/** An activation stands in the chain of the trigger that is furthest from its cause. */
export function causeOf(triggers: readonly Entry[], activationId: string): Cause {
  let furthest: Entry | undefined;
  for (const entry of triggers) if (!furthest || entry.hops >= furthest.hops) furthest = entry;
  const causedBy = triggers.at(-1)?.seq ?? 0;
  return { causedBy, root: furthest?.root ?? causedBy, hops: furthest?.hops ?? 0, activationId };
}

/** Counts what the run publishes and changes, as the journal sees it. */
function countChanges(journal: Journal, activationId: string) {
  const counts = { published: 0, changed: 0 };
  const stop = journal.onCommit((entries) => {
    for (const entry of entries) {
      if (entry.activationId !== activationId || entry.actor === 'system') continue;
      if (entry.event.type === 'EventPublished') counts.published += 1;
      else counts.changed += 1;
    }
  });
  return { counts: () => ({ ...counts }), stop };
}
