// Which processes belong to an activation, and how all of them are ended. A process belongs when it carries the
// activation's mark in its environment, is in the process group or session of the root, or descends from one that belongs.
// One that drops the mark, leaves the session and outlives its parents before anybody looked is not recognised.
import { setTimeout as wait } from 'node:timers/promises';
import type { ProcessIdentity } from './agent.ts';
import { type OsProcess, readProcessTable } from './process-table.ts';

/** What is known of an activation's processes: its id, and the process it was started as. */
export type ActivationProcesses = {
  activationId: string;
  root?: ProcessIdentity;
  /** True when the root is a child of this very process: its group is the activation's even when the root has ended. */
  isChild?: boolean;
};

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
  /** All that were ever found, by pid: a child whose parent has ended cannot be found by its parent any more. */
  const seen = new Map<number, string>();
  let pause = POLL_MS.first;
  let isStuck = false;
  for (let empty = 0; empty < 2; ) {
    // A look that failed (no file handle left) says nothing about who is alive.
    const table = await readProcessTable().catch(() => undefined);
    const members = table && membersOf(table, activation, seen);
    empty = members?.length === 0 ? empty + 1 : 0;
    if (empty > 0) continue;
    const elapsed = performance.now() - begin;
    if (elapsed < GRACE_MS) {
      interrupt(members ?? [], seen);
      pause = Math.min(pause * 2, POLL_MS.grace, GRACE_MS - elapsed);
    } else {
      kill(table ?? [], members ?? []);
      pause = isStuck ? POLL_MS.stuck : POLL_MS.killing;
    }
    for (const { pid, startedAt } of members ?? []) seen.set(pid, startedAt);
    if (elapsed >= STUCK_MS && !isStuck) {
      isStuck = true;
      onStuck(members ?? []);
    }
    await wait(pause);
  }
}

/** The activation's live processes in a table; `seen` are those found before, by pid with their start. */
export function membersOf(
  table: OsProcess[],
  { activationId, root, isChild }: ActivationProcesses,
  seen: ReadonlyMap<number, string>,
): OsProcess[] {
  const leader = table.find(({ pid }) => pid === root?.pid);
  // Once the root is gone its number may lead a stranger's group, unless we watched it end just now.
  const isGroupOurs = root !== undefined && (leader ? leader.startedAt === root.startedAt : isChild === true);
  const children = Map.groupBy(table, ({ parent }) => parent);
  const members = new Set(
    table.filter(
      (each) =>
        each.activationId === activationId ||
        seen.get(each.pid) === each.startedAt ||
        (isGroupOurs && (each.group === root.pid || each.session === root.pid)),
    ),
  );
  // A set hands out what is added to it while it is walked.
  for (const member of members) {
    if (isOurself(member)) members.delete(member);
    else for (const child of children.get(member.pid) ?? []) members.add(child);
  }
  return [...members].filter(({ zombie }) => !zombie);
}

const isOurself = ({ pid }: OsProcess) => pid <= 1 || pid === process.pid;

/** Once each: a second SIGINT means something else to many programs. */
function interrupt(members: OsProcess[], seen: ReadonlyMap<number, string>): void {
  for (const { pid, startedAt } of members) if (seen.get(pid) !== startedAt) signal(pid, 'SIGINT');
}

/** Whole groups at once, so that a process that keeps forking cannot run ahead of us; never the group we are in. */
function kill(table: OsProcess[], members: OsProcess[]): void {
  const own = table.find(({ pid }) => pid === process.pid)?.group;
  for (const group of new Set(members.map((member) => member.group))) {
    if (group > 1 && group !== own) signal(-group, 'SIGKILL');
  }
  for (const { pid } of members) signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already, or not ours to end: the next look tells.
  }
}
