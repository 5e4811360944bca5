// Which processes belong to an activation, and how all of them are ended. A process belongs when it carries the
// activation's mark in its environment, is in the process group or session of the root, or descends from one that belongs.
// Two kinds escape and need a sandbox: one that drops the mark, leaves the session and outlives its parents before anybody
// looks, and one that opens a new session again and again, each time forking and ending faster than we look.
import { setTimeout as wait } from 'node:timers/promises';
import type { ProcessIdentity } from '../domain/agent.ts';
import { type OsProcess, readProcessTable } from './process-table.ts';
import { createSlice } from './slice.ts';

/** What is known of an activation's processes: its id, and the process it was started as. */
export type ActivationProcesses = {
  activationId: string;
  root?: ProcessIdentity;
  /** True while the run is under way here, so that the root was ours until now: its group is still the activation's when it has ended. */
  isOurs?: boolean;
};

const SLICE_MS = 2;
const GRACE_MS = 3_000;
const STUCK_MS = 5_000;
const POLL_MS = { first: 10, grace: 200, killing: 20, stuck: 1_000 };

/** The live processes of an activation now. */
export async function processesOf(activation: ActivationProcesses): Promise<OsProcess[]> {
  return membersOf(await readProcessTable(), activation, new Map());
}

/** Which of the given activations have live processes; others on this machine are no business of ours. */
export async function findActivations(known: Iterable<ActivationProcesses>): Promise<string[]> {
  const table = await readProcessTable();
  return [...known]
    .filter((activation) => membersOf(table, activation, new Map()).length > 0)
    .map(({ activationId }) => activationId);
}

/**
 * Ends every process of an activation: SIGINT, after 3 s SIGKILL, as often as it takes; resolves when two looks in a row
 * find none. `onStuck` hears once, after 5 s, of those that cannot be ended (another user's, or waiting for a dead disk).
 */
export async function stopActivationProcesses(
  activation: ActivationProcesses,
  onStuck: (processes: OsProcess[]) => void = () => {},
): Promise<void> {
  const begin = performance.now();
  let seen: Seen = new Map();
  let pause = POLL_MS.first;
  let isStuck = false;
  for (let empty = 0; empty < 2; ) {
    // A look that failed (no file handle left) says nothing about who is alive.
    const table = await readProcessTable().catch(() => []);
    const members = membersOf(table, activation, seen);
    empty = table.length > 0 && members.length === 0 ? empty + 1 : 0;
    if (empty > 0) {
      killUnseen(table, activation);
      continue;
    }
    const elapsed = performance.now() - begin;
    if (elapsed < GRACE_MS) {
      await interrupt(members, seen);
      pause = Math.min(pause * 2, POLL_MS.grace, GRACE_MS - elapsed);
    } else {
      await kill(table, members);
      pause = isStuck ? POLL_MS.stuck : POLL_MS.killing;
    }
    if (table.length > 0) seen = new Map(members.map(({ pid, startedAt }) => [pid, startedAt]));
    if (elapsed >= STUCK_MS && !isStuck) {
      isStuck = true;
      onStuck(members);
    }
    await wait(pause);
  }
}

/** Who belonged at the last look, by pid with the start: a child whose parent has ended is not found by its parent any more. */
type Seen = ReadonlyMap<number, string>;

/** The activation's live processes in a table. */
export function membersOf(table: OsProcess[], activation: ActivationProcesses, seen: Seen): OsProcess[] {
  const group = ownGroupOf(table, activation);
  const children = Map.groupBy(table, ({ parent }) => parent);
  const members = new Set(
    table.filter(
      (each) =>
        each.activationId === activation.activationId ||
        seen.get(each.pid) === each.startedAt ||
        (group !== undefined && (each.group === group || each.session === group)),
    ),
  );
  // A set hands out what is added to it while it is walked.
  for (const member of members) {
    if (isOurself(member)) members.delete(member);
    else for (const child of children.get(member.pid) ?? []) members.add(child);
  }
  return [...members].filter(({ zombie }) => !zombie);
}

/**
 * The group that the root leads. Once the root is gone its number may be a stranger's: not while its parent, the launcher or
 * this process, has not asked how it ended, and not while anybody is left in its group or session. In the moment between that
 * and this look the system would have to give out all other numbers first, so a run under way takes what has the number for its own.
 */
function ownGroupOf(table: OsProcess[], { root, isOurs }: ActivationProcesses): number | undefined {
  const leader = table.find(({ pid }) => pid === root?.pid);
  return (leader ? leader.startedAt === root?.startedAt : isOurs) ? root?.pid : undefined;
}

const isOurself = ({ pid }: OsProcess) => pid <= 1 || pid === process.pid;

/** Once each: a second SIGINT means something else to many programs. */
async function interrupt(members: OsProcess[], seen: Seen): Promise<void> {
  const unasked = members.filter(({ pid, startedAt }) => seen.get(pid) !== startedAt);
  await signalEach(
    unasked.map(({ pid }) => pid),
    'SIGINT',
  );
}

/** Whole groups first, so that a process that keeps forking cannot run ahead of us; never the group we are in. */
async function kill(table: OsProcess[], members: OsProcess[]): Promise<void> {
  const own = table.find(({ pid }) => pid === process.pid)?.group;
  const groups = new Set(members.map(({ group }) => group).filter((group) => group > 1 && group !== own));
  await signalEach([...[...groups].map((group) => -group), ...members.map(({ pid }) => pid)], 'SIGKILL');
}

/** A process that forks and ends faster than we look is in no table, but cannot leave its group faster than a signal comes. */
function killUnseen(table: OsProcess[], activation: ActivationProcesses): void {
  const group = ownGroupOf(table, activation);
  if (group !== undefined) signal(-group, 'SIGKILL');
}

async function signalEach(pids: number[], name: NodeJS.Signals): Promise<void> {
  const slice = createSlice(SLICE_MS);
  for (const pid of pids) {
    signal(pid, name);
    if (slice.isOver()) await slice.next();
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already, or not ours to end: the next look tells.
  }
}
