// One run of an AI Worker, from the batch to the recorded end.
import { randomUUID } from 'node:crypto';
import type { AgentResult, RunAgent } from '../domain/agent.ts';
import type { Cause } from '../domain/entry.ts';
import type { Entry } from '../store/entries.ts';
import type { Batch } from '../store/inbox.ts';
import type { Journal } from '../store/journal.ts';
import type { Processes } from '../store/processes.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import type { ActivationTokens } from './activation-tokens.ts';
import type { Folders, WorkerTexts } from './folder.ts';
import { parkedNotice } from './parked-notice.ts';
import { activationMarker, renderPrompt } from './prompt.ts';
import { createRecorder } from './recorder.ts';
import { type Ended, type StopReason, settle } from './settle.ts';

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
};

/** A process that prints nothing counts as started after this time, so that quiet agents do not hold up the others. */
const QUIET_START_MS = 1_000;

/** A run under way. */
export type Running = {
  workerId: string;
  activationId: string;
  /** Settles when the end is recorded; true when the agent as such is at fault. Rejects only when the journal fails. */
  ended: Promise<{ agentFault: boolean; exit: string }>;
  /** Settles when the agent has shown first signs of life, or has ended. */
  alive: Promise<void>;
  /** Stops the run. The first reason counts, except that a firing wins. */
  stop(reason: StopReason): void;
};

export function startActivation(deps: ActivationDeps, batch: Batch): Running {
  const activationId = `a-${randomUUID()}`;
  const abort = new AbortController();
  let stopped: StopReason | undefined;
  let beAlive = () => {};
  const alive = new Promise<void>((resolve) => {
    beAlive = resolve;
  });
  const ended = runToEnd(deps, { batch, activationId, signal: abort.signal, beAlive, stopped: () => stopped }).finally(
    beAlive,
  );
  return {
    workerId: batch.workerId,
    activationId,
    ended,
    alive,
    stop(reason) {
      if (stopped === undefined || reason === 'fired') stopped = reason;
      abort.abort(reason);
    },
  };
}

type RunContext = {
  batch: Batch;
  activationId: string;
  signal: AbortSignal;
  beAlive(): void;
  stopped(): StopReason | undefined;
};

async function runToEnd(deps: ActivationDeps, run: RunContext): Promise<{ agentFault: boolean; exit: string }> {
  const { batch, activationId } = run;
  const cause = causeOf(batch.triggers, activationId);
  const made = countChanges(deps.journal, activationId);
  try {
    const started = await begin(deps, run, cause);
    const { result, close } = await play(deps, run, started, cause);
    deps.tokens.revoke(activationId);
    close(result);
    await end(deps, run, result, cause, made.counts());
    return { agentFault: result.agentFault === true, exit: result.exit };
  } finally {
    deps.tokens.revoke(activationId);
    deps.processes.forget(activationId);
    made.stop();
  }
}

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
    started = { failure: error instanceof Error ? error.message : String(error) };
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
      content: [{ name: 'prompt', bytes: Buffer.from('prompt' in started ? started.prompt : '') }],
    },
    { cause },
  );
  return started;
}

async function play(deps: ActivationDeps, run: RunContext, started: Started, cause: Cause) {
  const { batch, activationId, signal } = run;
  const { workerId, attempt } = batch;
  const recorder = createRecorder(deps.journal, { worker: workerId, activationId, now: deps.now });
  recorder.write({ body: activationMarker(batch.triggers) });
  if (attempt > 1) recorder.write({ body: `attempt ${attempt}: ${batch.reason ?? 'a previous run was cut off'}` });
  const close = ({ exit, droppedBytes }: AgentResult) => recorder.close(exit, droppedBytes);
  if ('failure' in started) return { result: failed(started.failure), close };
  const { settings, tokens, processes, agent } = deps;
  const result = await agent
    .run({
      activationId,
      workerId,
      attempt,
      folder: started.texts.folder,
      prompt: started.prompt,
      mcp: { url: deps.mcpUrl(workerId), token: tokens.issue({ workerId, activationId, cause }) },
      environment: {},
      limits: {
        firstOutputMs: settings.get('dispatch.first_output_seconds') * 1_000,
        runMs: settings.get('dispatch.run_seconds') * 1_000,
      },
      onStart: ({ pid, startedAt }) => {
        processes.remember({ activationId, worker: workerId, pid, startedAt });
        deps.after(QUIET_START_MS, run.beAlive);
      },
      onSegment: (segment) => {
        run.beAlive();
        return recorder.write(segment);
      },
      signal,
    })
    .catch((error: unknown) =>
      failed(`the agent could not be run: ${error instanceof Error ? error.message : String(error)}`),
    );
  return { result, close };
}

const failed = (exit: string): AgentResult => ({ outcome: 'failed', exit });

async function end(
  deps: ActivationDeps,
  run: RunContext,
  result: AgentResult,
  cause: Cause,
  counts: { published: number; changed: number },
): Promise<void> {
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
  const usage = result.usage ?? {};
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
  };
  // The transcript's last lines go to disk before the outcome does.
  await journal.flush();
  await journal.commit('system', notice ? { ...command, notice } : command, { cause });
}

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
