// Starts a program in a session of its own, with three streams to talk with it: here by the daemon itself. launcher.ts has the
// cheaper way of a large daemon.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { ProcessIdentity } from '../domain/agent.ts';
import type { OsUser } from './confinement.ts';
import { readProcess } from './process-table.ts';

export type ProgramStart = {
  /** The program and its arguments. */
  command: string[];
  cwd: string;
  /** All of it: nothing is added. */
  environment: Record<string, string>;
  /** Absent for the daemon's own. */
  user?: OsUser | undefined;
};

/** How a process ended; `lost` when nobody is left who could tell, because what started it for us has ended. */
export type ProgramExit = { code: number | null; signal: NodeJS.Signals | null } | 'lost';

export type StartedProgram = {
  /** `startedAt` is '' where it had ended before anybody looked. */
  root: ProcessIdentity;
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Settles when the process has ended; what it started may live on. Rejects never. */
  exited: Promise<ProgramExit>;
};

/** @throws the error of `spawn` when the program cannot be started, and ProgramLost when nobody knows whether it was */
export type StartProgram = (start: ProgramStart) => Promise<StartedProgram>;

/** A program may or may not run, and cannot be talked with: what started it for us has ended, or was no help. */
export class ProgramLost extends Error {
  /** Its process, where that is known. */
  readonly root: ProcessIdentity | undefined;

  constructor(message: string, root?: ProcessIdentity) {
    super(message);
    this.root = root;
  }
}

/** As a child of this process, which costs in proportion to the memory that this process has. */
export const startDirectly: StartProgram = async ({ command: [name = '', ...args], cwd, environment, user }) => {
  const child = spawn(name, args, { cwd, env: environment, detached: true, ...user });
  if (child.pid === undefined) throw (await once(child, 'error'))[0];
  const exited = once(child, 'exit').then(([code, signal]): ProgramExit => ({ code, signal }));
  // On Linux within this turn of the loop, in which even a program that has ended still has its entry.
  const found = await readProcess(child.pid).catch(() => undefined);
  const { pid, stdin, stdout, stderr } = child;
  return { root: { pid, startedAt: found?.startedAt ?? '' }, stdin, stdout, stderr, exited };
};
