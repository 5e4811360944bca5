// What the operating system says about the processes of this machine now.
import type { ProcessIdentity } from '../domain/agent.ts';
import { readLinuxProcess, readLinuxProcesses } from './process-table-linux.ts';
import { readPsProcess, readPsProcesses } from './process-table-ps.ts';

export type OsProcess = ProcessIdentity & {
  parent: number;
  group: number;
  /** 0 where the system does not tell. */
  session: number;
  name: string;
  /** Ended, and only waiting for its parent to ask how. */
  zombie: boolean;
  /** The HELIX_ACTIVATION_ID in its environment. */
  activationId?: string;
};

const isLinux = process.platform === 'linux';
let running: Promise<OsProcess[]> | undefined;
let next: Promise<OsProcess[]> | undefined;

/**
 * All processes, as they are found one by one from now on: not an instant's picture. Callers that come while one reading
 * is under way share the next, so that many activations that end together cost one.
 */
export function readProcessTable(): Promise<OsProcess[]> {
  next ??= (running ?? Promise.resolve())
    .catch(() => {})
    .then(() => {
      next = undefined;
      running = readAll();
      return running;
    });
  return next;
}

async function readAll(): Promise<OsProcess[]> {
  const processes = await (isLinux ? readLinuxProcesses() : readPsProcesses());
  if (!processes.some(({ pid }) => pid === process.pid)) throw new Error('The list of processes is not complete.');
  return processes;
}

/** The process that has this pid now, also one that has just ended; looked up before the caller's turn of the loop ends on Linux. */
export async function readProcess(pid: number): Promise<OsProcess | undefined> {
  return isLinux ? readLinuxProcess(pid) : readPsProcess(pid);
}

/** Whether that very process is still alive. */
export async function isSameProcess(pid: number, startedAt: string): Promise<boolean> {
  const found = await readProcess(pid);
  return found !== undefined && !found.zombie && found.startedAt === startedAt;
}
