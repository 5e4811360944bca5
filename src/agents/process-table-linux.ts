// Processes as /proc shows them. The state files are read synchronously in short slices: they cost 10 µs each and never
// wait. An environment is read in the thread pool: the kernel lets its reader wait for the process's memory.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ACTIVATION_VARIABLE } from './agent-environment.ts';
import type { OsProcess } from './process-table.ts';
import { createSlice } from './slice.ts';

const SLICE_MS = 2;
const READERS = 2;
const READ_MS = 250;
// A process that is about to become another program still shows its parent's environment: the "no" of a young one may be early.
const SETTLED_MS = 2_000;
// The unit in which /proc gives times, the same on all systems that Node runs on.
const TICK_MS = 10;

/** What is known of a process's mark, so that its environment is not read again for every table; one per live process. */
type Mark = { startedAt: string; activationId?: string; settled: boolean; reading: boolean };

const marks = new Map<number, Mark>();
const buffer = Buffer.alloc(4096);
const boot = bootId();

export async function readLinuxProcesses(): Promise<OsProcess[]> {
  const processes: OsProcess[] = [];
  const slice = createSlice(SLICE_MS);
  for (const entry of await readdir('/proc')) {
    const found = /^[0-9]+$/.test(entry) ? readLinuxProcess(Number(entry)) : undefined;
    if (found) processes.push(found);
    if (slice.isOver()) await slice.next();
  }
  await readMarks(processes);
  return processes;
}

/** The process with this pid; synchronous, so that a child can be looked at before its end is noticed. */
export function readLinuxProcess(pid: number): OsProcess | undefined {
  const text = readSmallFile(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseLinuxStat(pid, text);
}

/** @param text what /proc/PID/stat says */
export function parseLinuxStat(pid: number, text: string): OsProcess {
  // The name stands in parentheses and may itself hold any character.
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  const [state, parent, group, session] = fields;
  const threads = Number(fields[17]);
  return {
    pid,
    // Ticks since that boot.
    startedAt: `${boot}:${fields[19]}`,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    // A process whose first thread has ended looks like one that has ended as a whole.
    zombie: state === 'X' || (state === 'Z' && threads <= 1),
  };
}

function readSmallFile(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return buffer.toString('utf8', 0, readSync(file, buffer));
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Gone or another user's. Any other error (no file handle left) must not look like a process that has ended. */
const isHidden = (error: unknown) => /^(ENOENT|ESRCH|EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '');

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

async function readMarks(processes: OsProcess[]): Promise<void> {
  const alive = new Map(processes.map((each) => [each.pid, each.startedAt]));
  for (const [pid, mark] of marks) if (alive.get(pid) !== mark.startedAt) marks.delete(pid);
  const unread = processes.filter((each) => !each.zombie && isUnread(each)).values();
  const settledBefore = ticksOf(readLinuxProcess(process.pid)) + (performance.now() - SETTLED_MS) / TICK_MS;
  await Promise.all(Array.from({ length: READERS }, () => readFrom(unread, settledBefore)));
  for (const each of processes) {
    const activationId = marks.get(each.pid)?.activationId;
    if (activationId !== undefined) each.activationId = activationId;
  }
}

function isUnread({ pid }: OsProcess): boolean {
  const mark = marks.get(pid);
  return mark === undefined || !(mark.settled || mark.reading);
}

const ticksOf = (found: OsProcess | undefined) => Number(found?.startedAt.split(':')[1] ?? 0);

/** Takes from a queue that all readers share. */
async function readFrom(unread: Iterable<OsProcess>, settledBefore: number): Promise<void> {
  for (const each of unread) {
    const mark = { startedAt: each.startedAt, settled: ticksOf(each) < settledBefore, reading: true };
    marks.set(each.pid, mark);
    const deadline = new AbortController();
    await Promise.race([
      readMark(each.pid, mark),
      wait(READ_MS, undefined, { signal: deadline.signal }).catch(() => {}),
    ]);
    deadline.abort();
  }
}

/** A reading that hangs is left alone and not repeated, so that a stuck process costs one thread and no more. */
async function readMark(pid: number, mark: Mark): Promise<void> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch((error) => {
    if (isHidden(error)) return '';
    marks.delete(pid);
    throw error;
  });
  mark.reading = false;
  const at = `\0${environment}`.indexOf(`\0${ACTIVATION_VARIABLE}=`);
  if (at < 0) return;
  mark.activationId = environment.slice(at + ACTIVATION_VARIABLE.length + 1).split('\0', 1)[0] ?? '';
  mark.settled = true;
}
