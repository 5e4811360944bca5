// A dispatcher on a real database without the daemon around it: an agent that the test plays, a clock that the test turns,
// a disk that the test fills, and a death after which another one finds everything as it lies.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { onlyAgent } from '../../src/cli/agents.ts';
import { createDispatcher } from '../../src/dispatch/dispatcher.ts';
import { createFolders } from '../../src/dispatch/folder.ts';
import { createActivationTokens } from '../../src/dispatch/memory-tokens.ts';
import { recover } from '../../src/dispatch/recovery.ts';
import type { Agent, AgentResult, AgentRun, Agents, RunAgent } from '../../src/domain/agent.ts';
import { createAgentSessions } from '../../src/store/agent-sessions.ts';
import { createExpired } from '../../src/store/expired.ts';
import { createHeldTriggers } from '../../src/store/held-triggers.ts';
import type { Journal } from '../../src/store/journal.ts';
import { createProcesses } from '../../src/store/processes.ts';
import { createSecretBox } from '../../src/store/secrets.ts';
import { createSettings } from '../../src/store/settings.ts';
import { type FakeClock, fakeClock, NO_LIMITS } from './dispatch.ts';
import { openOrg, type TestOrg } from './org.ts';

export type Held = AgentRun & {
  finish(result?: Partial<AgentResult>): void;
};

export type Dispatching = Awaited<ReturnType<typeof openDispatching>>;

type Options = {
  /** The database; made when it is not there. Left out, `:memory:`. */
  file?: string;
  /** Stored, so that the test can change them. */
  settings?: Record<string, unknown>;
  clock?: FakeClock;
  /** How fast AI Workers may publish; left out, as fast as they like. */
  publish?: { perMinute: number; burst: number };
  /** Made of what plays a run; left out, one agent plays all. */
  agents?: (play: RunAgent) => Agents;
  /** Stands between the dispatcher and the journal. */
  journal?: (real: Journal) => Journal;
};

const done: AgentResult = { outcome: 'done', exit: 'ok' };

/** An agent of this kind that is always fit. */
export const heldAgent = (kind: string, run: RunAgent): Agent => ({ kind, check: async () => ({ ok: true }), run });

/** Runs stay open until the test ends them, unless {@link Dispatching.play} is set. */
export async function openDispatching({ file = ':memory:', settings: wanted = {}, ...options }: Options = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'helix-dispatching-'));
  const clock = options.clock ?? fakeClock();
  const publish = options.publish ? { publish: options.publish } : {};
  const limits = () => ({ maxHops: 8, ...publish });
  const org: TestOrg = openOrg(file, { now: clock.now, limits });
  if (org.journal.org.workers.size === 0) await org.found();
  const settings = createSettings(org.db, createSecretBox(Buffer.alloc(32)));
  const stored = Object.entries({ 'dispatch.max_inflight': 4, ...NO_LIMITS, ...wanted });
  for (const [key, value] of stored) settings.set(key, value);
  const processes = createProcesses(org.db);
  const mcpUrl = (workerId: string) => `http://127.0.0.1:1/workers/${workerId}/mcp`;
  const envsDir = join(directory, 'workers');
  const folders = createFolders({ queries: org.queries, envsDir, policy: 'The policy.', mcpUrl });
  const runs: Held[] = [];
  const failures: unknown[] = [];
  let isClosed = false;

  const stage = {
    ...org,
    settings,
    clock,
    runs,
    failures,
    processes,
    folders,
    tokens: createActivationTokens(),
    /** When set, ends every run that starts from here on. */
    play: undefined as ((run: Held) => Partial<AgentResult>) | undefined,
    dispatcher: undefined as unknown as ReturnType<typeof createDispatcher>,
    start: () => stage.dispatcher.start(),
    idle: () => stage.dispatcher.idle(),
    recover: () => recover({ ...stage, stopProcesses: async () => {}, now: clock.now }),
    /** Leaves in a new file what a process killed at this moment leaves: what is open stays open there. */
    async dieInto(copy: string) {
      org.db.sqlite.prepare('VACUUM INTO ?').run(copy);
      await stage.close();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await stage.dispatcher.stop();
      org.close();
    },
    /** How the runs of a Worker stand, oldest first, as `done 1`. */
    story: (workerId: string) =>
      org.queries
        .activationsOf(workerId, 1_000)
        .reverse()
        .map(({ state, attempt }) => `${state} ${attempt}`),
    async transcript(workerId: string): Promise<string[]> {
      await org.journal.flush();
      return org.queries
        .events([`s-activations-${workerId}`], { limit: 1_000 })
        .map(({ body }) => body)
        .reverse();
    },
    notices: () =>
      org.queries
        .events(['s-notices'], { limit: 100 })
        .map(({ message }) => message?.subject ?? '')
        .reverse(),
    /** What became of an Event for a Worker, and why. */
    statusOf(seq: number, workerId: string) {
      const { stream, actor } = org.queries.entry(seq)!;
      const page = org.queries.eventStatus.page({ seq, stream: stream!, publisher: actor }, '', 10_000);
      return page.find((row) => row.workerId === workerId)!;
    },
    /** Lets turns of the event loop pass until nothing is about to happen by itself. */
    async settle() {
      for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        await stage.idle();
      }
    },
    /** Moves time on, and lets what is due happen. */
    async pass(ms: number) {
      clock.advance(ms);
      await stage.settle();
    },
  };

  const playHeld: RunAgent = (run) =>
    new Promise((resolve) => {
      const held = { ...run, finish: (result = {}) => resolve({ ...done, ...result }) };
      run.onStart({ pid: 1, startedAt: 'then' });
      run.onSegment({ body: 'at work' });
      run.signal.addEventListener('abort', () => held.finish({ outcome: 'interrupted', exit: 'interrupted' }));
      runs.push(held);
      if (stage.play) held.finish(stage.play(held));
    });

  stage.dispatcher = createDispatcher({
    ...stage,
    journal: options.journal?.(org.journal) ?? org.journal,
    expired: createExpired(org.db),
    heldTriggers: createHeldTriggers(org.db),
    policy: 'The policy.',
    sessions: createAgentSessions(org.db),
    agents: options.agents?.(playHeld) ?? onlyAgent(heldAgent('held', playHeld), settings),
    mcpUrl,
    now: clock.now,
    after: clock.after,
    onFailure: (error) => void failures.push(error),
  });
  onTestFinished(async () => {
    await stage.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return stage;
}

type Fault = { code: string } | undefined;

/**
 * Makes the database refuse transactions. @param fault asked when a transaction is about to be written, with the newest
 * entry type in it; what it returns is thrown as SQLite would throw it
 */
export function refuseCommits({ db: { sqlite } }: Pick<TestOrg, 'db'>, fault: (newest: string) => Fault): void {
  const exec = sqlite.exec.bind(sqlite);
  const newest = sqlite.prepare('SELECT type FROM journal ORDER BY seq DESC LIMIT 1').pluck();
  sqlite.exec = (statement) => {
    const error = statement === 'COMMIT' ? fault(newest.get() as string) : undefined;
    if (error) throw Object.assign(new Error(error.code), error);
    return exec(statement);
  };
}

export const DISK_FULL = { code: 'SQLITE_FULL' };
