// Runs the command agent as the dispatcher does, and looks at what is left of its processes.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createCommandAgent } from '../../src/agents/command.ts';
import { createLauncher } from '../../src/agents/launcher.ts';
import { readProcess } from '../../src/agents/process-table.ts';
import type { StartProgram } from '../../src/agents/start-program.ts';
import type { AgentResult, AgentRun, ProcessIdentity, Segment } from '../../src/domain/agent.ts';

export type Played = { result: AgentResult; segments: Segment[]; bodies: string[]; root: ProcessIdentity | undefined };

/** What programs are started through, as in a daemon. */
export const launcher = createLauncher({
  warn(fields, text) {
    throw new Error(text, { cause: fields });
  },
});

const folders: string[] = [];
afterAll(async () => {
  await launcher.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A Worker's folder, empty. */
export function createFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'helix-agent-')));
  folders.push(folder);
  return folder;
}

/** A program of these lines, run by Node. */
export function script(folder: string, text: string): string[] {
  const file = join(folder, `${randomUUID()}.mjs`);
  writeFileSync(file, text);
  return [process.execPath, file];
}

export const sh = (text: string) => ['sh', '-c', text];

export function createRun(change: Partial<AgentRun> = {}): AgentRun {
  return {
    activationId: `a-${randomUUID()}`,
    workerId: 'w-ada',
    attempt: 1,
    agent: {},
    grants: [],
    confinement: { wrap: [] },
    instructions: 'You are Ada.',
    briefPrompt: 'Hello.',
    folder: change.folder ?? createFolder(),
    prompt: 'Hello.',
    mcp: { url: 'http://127.0.0.1:8080/workers/w-ada/mcp', token: 'the-token' },
    environment: {},
    limits: { firstOutputMs: 20_000, runMs: 20_000 },
    onStart: () => {},
    onSegment: () => true,
    signal: new AbortController().signal,
    ...change,
  };
}

export async function play(
  command: string[],
  change: Partial<AgentRun> = {},
  start: StartProgram = launcher.start,
): Promise<Played> {
  const segments: Segment[] = [];
  let root: ProcessIdentity | undefined;
  const run = createRun(change);
  const result = await createCommandAgent({ command: () => command, start }).run({
    ...run,
    onStart(process) {
      root = process;
      run.onStart(process);
    },
    onSegment(segment) {
      segments.push(segment);
      return run.onSegment(segment);
    },
  });
  return { result, segments, bodies: segments.map(({ body }) => body), root };
}

/** Aborts when the program has printed this many lines. */
export function abortAfter(lines: number, reason: unknown = 'interrupted') {
  const controller = new AbortController();
  let count = 0;
  return {
    signal: controller.signal,
    onSegment() {
      if (++count === lines) controller.abort(reason);
      return true;
    },
  };
}

/** Those of the processes whose numbers a program printed (`pid 123`) that are still alive. */
export async function alive(bodies: string[]): Promise<number[]> {
  const pids = bodies.flatMap((body) => (/^pid \d+$/.test(body) ? [Number(body.slice(4))] : []));
  const found = await Promise.all(pids.map((pid) => readProcess(pid)));
  return found.flatMap((each) => (each && !each.zombie ? [each.pid] : []));
}
