// A whole daemon in this process, on real data, with an agent that a test plays and a clock that a test turns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Daemon, startDaemon } from '../../src/cli/daemon.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import type { AgentResult, AgentRun } from '../../src/domain/agent.ts';

/** One activation as its agent sees it. */
export type Run = AgentRun & {
  /** Ends the run. */
  finish(result?: Partial<AgentResult>): void;
  /** Calls a tool with the run's own token, through the MCP endpoint. @throws Error when it is refused */
  use(tool: string, args: object): Promise<Record<string, unknown>>;
};

/** Plays every activation; the run ends when it settles, well unless it gives another result. */
export type Play = (run: Run) => Promise<Partial<AgentResult> | void> | Partial<AgentResult> | void;

export type DispatchStage = Awaited<ReturnType<typeof dispatchStage>>;

/** For tests that are about something else; time stands still in them, so an hour's rate would never be over. */
export const NO_LIMITS = {
  'dispatch.worker_runs_per_hour': null,
  'dispatch.org_runs_per_hour': null,
  'dispatch.max_activations_per_root': null,
  'dispatch.publish_per_minute': null,
};

const done: AgentResult = { outcome: 'done', exit: 'ok' };

export async function dispatchStage(
  options: { settings?: Record<string, unknown>; play?: Play; dataDir?: string } = {},
) {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'helix-dispatch-'));
  const clock = fakeClock();
  const runs: Run[] = [];
  const lookers = new Set<() => void>();
  let play: Play | undefined = options.play;

  const agent = {
    kind: 'played',
    check: async () => ({ ok: true as const }),
    run: (given: AgentRun) =>
      new Promise<AgentResult>((resolve) => {
        const finish = (result: Partial<AgentResult> = {}) => resolve({ ...done, ...result });
        const run: Run = { ...given, finish, use: (tool, args) => useTool(given, tool, args) };
        given.onStart({ pid: 999_999_999, startedAt: '' });
        const interrupted = () => finish({ outcome: 'interrupted', exit: 'interrupted' });
        if (given.signal.aborted) interrupted();
        else given.signal.addEventListener('abort', interrupted, { once: true });
        runs.push(run);
        for (const look of [...lookers]) look();
        if (play)
          void Promise.resolve(play(run)).then(
            (result) => finish(result ?? {}),
            (error: unknown) => finish({ outcome: 'failed', exit: String(error) }),
          );
      }),
  };

  const daemon: Daemon = await startDaemon(
    {
      paths: dataPaths({ dataDir }, {}),
      address: { host: '127.0.0.1', port: 0 },
      durability: 'normal',
      settings: { 'dispatch.max_inflight': 4, ...NO_LIMITS, ...options.settings },
    },
    { agent, now: clock.now, after: clock.after },
  );
  await daemon.recovered;
  onTestFinished(async () => {
    await daemon.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function call(tool: string, args: object = {}, workerId = 'w-owner'): Promise<Record<string, unknown>> {
    const outcome = await daemon.door.call({ workerId, via: 'mcp' }, tool, args);
    if (outcome.kind !== 'ok') throw new Error(outcome.kind === 'refused' ? outcome.message : `no tool ${tool}`);
    return outcome.result;
  }

  return {
    daemon,
    dataDir,
    clock,
    runs,
    call,
    /** From now on; undefined leaves runs open until the test finishes them. */
    playWith: (next: Play | undefined) => {
      play = next;
    },
    /** The n-th activation, counted from 0, as soon as it runs. */
    run: (n: number) =>
      new Promise<Run>((resolve) => {
        const look = () => {
          const found = runs[n];
          if (!found) return;
          lookers.delete(look);
          resolve(found);
        };
        lookers.add(look);
        look();
      }),
    idle: () => daemon.dispatcher.idle(),
    async hire(
      id: string,
      { streams = [], grants = [], kind = 'ai' }: { streams?: string[]; grants?: string[]; kind?: string } = {},
    ) {
      const name = id.slice(2);
      await call('create_role', { id: `r-${name}`, content: `# Role: ${name}\n\nRole text of ${name}.` });
      await call('create_position', { id: `p-${name}`, roleId: `r-${name}`, parentId: 'p-root' });
      return call('hire_worker', {
        id,
        positionId: `p-${name}`,
        kind,
        identityContent: `I am ${name}.`,
        grants,
        streams,
      });
    },
    stream: (id: string, more: object = {}) => call('create_stream', { id, name: id, ...more }),
    publish: (streamId: string, body: string, workerId?: string) => call('publish', { streamId, body }, workerId),
    /** Lines of a Worker's transcript, oldest first. */
    async transcript(workerId: string): Promise<string[]> {
      await daemon.journal.flush();
      return daemon.queries
        .events([`s-activations-${workerId}`], { limit: 1_000 })
        .map(({ body }) => body)
        .reverse();
    },
    notices: () => daemon.queries.events(['s-notices'], { limit: 100 }).map(({ message }) => message?.subject ?? ''),
    activations: (workerId: string) => daemon.queries.activationsOf(workerId, 1_000).reverse(),
  };
}

/** An hour, for clocks that a test turns. */
export const HOUR_MS = 3_600_000;

export type FakeClock = ReturnType<typeof fakeClock>;

/** Time stands still until the test moves it. */
export function fakeClock(start = Date.parse('2026-11-21T12:00:00Z')) {
  let at = start;
  let timers: { due: number; callback: () => void }[] = [];
  return {
    now: () => new Date(at),
    after(delayMs: number, callback: () => void) {
      const timer = { due: at + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    /** Moves time on and calls what is due, in order. */
    advance(ms: number) {
      at += ms;
      const due = timers.filter((timer) => timer.due <= at).sort((a, b) => a.due - b.due);
      timers = timers.filter((timer) => timer.due > at);
      for (const { callback } of due) callback();
    },
  };
}

async function useTool({ mcp }: AgentRun, tool: string, args: object): Promise<Record<string, unknown>> {
  const response = await fetch(mcp.url, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${mcp.token}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  const line = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '{}');
  const { result } = JSON.parse(line) as { result?: { isError?: boolean; content: { text: string }[] } };
  const said = result?.content[0]?.text ?? text;
  if (!result || result.isError) throw new Error(said);
  return JSON.parse(said) as Record<string, unknown>;
}

/** Waits for a condition, looking again each turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
