// Runs the program behind an agent once: starts it in a session of its own, feeds and reads it, watches the limits, and
// does not come back before every process of the activation is gone.
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentResult, AgentRun } from '../domain/agent.ts';
import { ensureHome } from './agent-environment.ts';
import { confine } from './confinement.ts';
import { createLineCutter } from './lines.ts';
import type { OsProcess } from './process-table.ts';
import { stopActivationProcesses } from './process-tree.ts';
import { startProblem } from './program.ts';
import { createSlice } from './slice.ts';
import {
  type ProgramExit,
  ProgramLost,
  type StartedProgram,
  type StartProgram,
  startDirectly,
} from './start-program.ts';

export type AgentProgram = {
  /** The program and its arguments. */
  command: string[];
  environment: Record<string, string>;
  /** Characters; a longer line comes in pieces. */
  lineMax: number;
  /** One line of output. Returns false when no more is wanted: the rest is read and thrown away. */
  onLine(line: string, from: 'stdout' | 'stderr'): boolean;
  /** A remark for the transcript that does not come from the program; returns as `onLine` does. */
  onRemark(text: string): boolean;
  /** Absent: as a child of this process. */
  start?: StartProgram | undefined;
  /** Settles when the program has said all that is wanted of it, or cannot go on: it is stopped then, and this is its end. */
  over?: Promise<ProgramEnd>;
};

/** How the program ended: the part of a result that does not depend on the agent's kind. */
export type ProgramEnd = Pick<AgentResult, 'outcome' | 'exit' | 'agentFault' | 'droppedBytes'>;

/** Output is handled in slices, so that a program that floods us does not hold up the daemon. */
const SLICE_MS = 1;
const DRAIN_MS = 1_000;
const HELD_OPEN =
  'The output is still held open by a process that has left the activation; it is not read any further.';
const TIMER_MAX_MS = 2 ** 31 - 1;

type Output = { isFull: boolean; droppedBytes: number };

export async function runAgentProgram(run: AgentRun, program: AgentProgram): Promise<ProgramEnd> {
  const started = await start(run, program);
  if ('outcome' in started) return started;
  const { root } = started;
  const exited = started.exited.then(exitOf);
  const stops = watchStops(run);
  const output: Output = { isFull: false, droppedBytes: 0 };
  const bugs: unknown[] = [];
  /** Must not throw: it is called while processes are being stopped. */
  const remark = (text: string) => {
    try {
      if (!output.isFull) output.isFull = !program.onRemark(text);
    } catch (bug) {
      bugs.push(bug);
    }
  };
  let reading: Promise<unknown> = Promise.resolve();
  let end: ProgramEnd;
  try {
    run.onStart(root);
    // That a program ends before it has read its prompt is its own affair.
    started.stdin.on('error', () => {}).end(run.prompt);
    const sources = ['stdout', 'stderr'] as const;
    reading = Promise.all(
      sources.map((from) => read(started[from], { from, program, output, onOutput: stops.sawOutput })),
    );
    end = await Promise.race([stops.reached, exited, program.over ?? stops.reached, reading.then(() => exited)]);
  } finally {
    stops.dispose();
    const { activationId } = run;
    await stopActivationProcesses({ activationId, root, isOurs: true }, (stuck) => remark(stuckText(stuck)));
    await exited;
    await drain(started, reading, () => remark(HELD_OPEN));
  }
  await reading;
  if (bugs.length > 0) throw bugs[0];
  return output.droppedBytes === 0 ? end : { ...end, droppedBytes: output.droppedBytes };
}

async function start(run: AgentRun, program: AgentProgram): Promise<StartedProgram | ProgramEnd> {
  const { activationId, folder: cwd } = run;
  let [name = ''] = program.command;
  try {
    await ensureHome(cwd);
    const confined = await confine(run, program.command);
    if ('problem' in confined)
      return { outcome: 'failed', exit: `cannot start: ${confined.problem}`, agentFault: true };
    const { command, user } = confined;
    name = command[0] ?? '';
    if (run.signal.aborted) return interrupted(run.signal);
    const startProgram = program.start ?? startDirectly;
    return await startProgram({ command, cwd, environment: program.environment, user });
  } catch (error) {
    if (error instanceof ProgramLost) {
      await stopActivationProcesses({ activationId, ...(error.root ? { root: error.root, isOurs: true } : {}) });
      return lost(error.message);
    }
    return { outcome: 'failed', ...(await startProblem(error as NodeJS.ErrnoException, name, cwd)) };
  }
}

/** What ends a run from outside: the two limits and the caller. The first one counts. */
function watchStops({ limits, signal }: AgentRun) {
  const { promise: reached, resolve } = Promise.withResolvers<ProgramEnd>();
  const limit = (ms: number, exit: string) =>
    setTimeout(() => resolve({ outcome: 'timed_out', exit }), Math.min(ms, TIMER_MAX_MS));
  const silence = limit(limits.firstOutputMs, `no output for ${duration(limits.firstOutputMs)}`);
  const length = limit(limits.runMs, `time limit of ${duration(limits.runMs)}`);
  const abort = () => resolve(interrupted(signal));
  signal.addEventListener('abort', abort);
  // While it was being started.
  if (signal.aborted) abort();
  return {
    reached,
    sawOutput: () => clearTimeout(silence),
    dispose() {
      clearTimeout(silence);
      clearTimeout(length);
      signal.removeEventListener('abort', abort);
    },
  };
}

type Reading = { from: 'stdout' | 'stderr'; program: AgentProgram; output: Output; onOutput: () => void };

async function read(stream: Readable, { from, program, output, onOutput }: Reading): Promise<void> {
  const cutter = createLineCutter(program.lineMax);
  const slice = createSlice(SLICE_MS);
  async function take(lines: Iterable<string>) {
    for (const line of lines) {
      if (output.isFull) output.droppedBytes += Buffer.byteLength(line) + 1;
      else output.isFull = !program.onLine(line, from);
      if (slice.isOver()) await slice.next();
    }
  }
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      onOutput();
      if (output.isFull) output.droppedBytes += chunk.length;
      else await take(cutter.push(chunk));
    }
    await take(cutter.end());
  } catch (error) {
    // The stream broke, or was closed by `drain`; an error of the caller's is a bug and goes on.
    const isStreams =
      error === stream.errored || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isStreams) throw error;
  }
}

/** All processes are gone, so what they wrote is here and ends; if not, somebody we do not know holds the other end. */
async function drain({ stdin, stdout, stderr }: StartedProgram, reading: Promise<unknown>, onHeldOpen: () => void) {
  const ended = reading.then(
    () => true,
    () => true,
  );
  if (!(await Promise.race([ended, wait(DRAIN_MS, false, { ref: false })]))) onHeldOpen();
  for (const stream of [stdin, stdout, stderr]) stream.destroy();
  await ended;
}

function stuckText(processes: OsProcess[]): string {
  const names = processes.map(({ pid, name }) => `${pid} (${name})`).join(', ');
  return `Still running 5 s after the stop and waited for: ${names || 'unknown, the processes cannot be listed'}.`;
}

function exitOf(exit: ProgramExit): ProgramEnd {
  if (exit === 'lost') return lost('the launcher has ended');
  const { code, signal } = exit;
  if (signal !== null) return { outcome: 'failed', exit: `signal ${signal}` };
  return code === 0 ? { outcome: 'done', exit: 'ok' } : { outcome: 'failed', exit: `exit code ${code}` };
}

const lost = (why: string): ProgramEnd => ({ outcome: 'lost', exit: `lost: ${why}` });

function interrupted({ reason }: AbortSignal): ProgramEnd {
  const isNamed = typeof reason === 'string' && reason !== 'interrupted';
  return { outcome: 'interrupted', exit: isNamed ? `interrupted: ${reason}` : 'interrupted' };
}

function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return ms < 120_000 ? `${round(ms / 1_000)} s` : `${round(ms / 60_000)} min`;
}

const round = (value: number) => Math.round(value * 10) / 10;
