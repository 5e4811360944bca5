import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isSameProcess, type OsProcess, readProcess, readProcessTable } from '../../src/agents/process-table.ts';
import {
  type ActivationProcesses,
  findActivations,
  membersOf,
  processesOf,
  stopActivationProcesses,
} from '../../src/agents/process-tree.ts';

function listed(pid: number, change: Partial<OsProcess> = {}): OsProcess {
  return { pid, startedAt: `at ${pid}`, parent: 1, group: pid, session: pid, name: 'x', zombie: false, ...change };
}

const root = { pid: 100, startedAt: 'at 100' };
const pidsOf = (table: OsProcess[], activation: Partial<ActivationProcesses> = {}, seen = new Map<number, string>()) =>
  membersOf(table, { activationId: 'a-1', ...activation }, seen).map(({ pid }) => pid);

test('finds the marked, their descendants, and the group and session of the root', () => {
  const table = [
    listed(100, { group: 100 }),
    listed(101, { parent: 100 }),
    listed(102, { parent: 101 }),
    listed(103, { group: 100 }),
    listed(104, { session: 100 }),
    listed(105, { activationId: 'a-1' }),
    listed(106, { parent: 105 }),
    listed(107, { activationId: 'a-10' }),
    listed(108),
  ];
  expect(pidsOf(table, { root }).sort()).toEqual([100, 101, 102, 103, 104, 105, 106]);
  expect(pidsOf(table).sort()).toEqual([105, 106]);
});

test('leaves a stranger alone that was given the number of the root', () => {
  const table = [listed(100, { startedAt: 'later' }), listed(101, { parent: 100 }), listed(102, { group: 100 })];
  expect(pidsOf(table, { root, isOurs: true })).toEqual([]);
});

test('takes the group of a root that has ended only while the run is under way here', () => {
  const table = [listed(102, { group: 100 })];
  expect(pidsOf(table, { root, isOurs: true })).toEqual([102]);
  expect(pidsOf(table, { root })).toEqual([]);
});

test('remembers who belonged, but not a stranger with the same number', () => {
  const seen = new Map([
    [101, 'at 101'],
    [102, 'earlier'],
  ]);
  expect(pidsOf([listed(101), listed(102), listed(103, { parent: 101 })], {}, seen)).toEqual([101, 103]);
});

test('counts no zombie, and never this process, its other children or process 1', () => {
  const table = [
    listed(1, { activationId: 'a-1' }),
    listed(process.pid, { activationId: 'a-1' }),
    listed(200, { parent: process.pid }),
    listed(201, { activationId: 'a-1', zombie: true }),
  ];
  expect(pidsOf(table)).toEqual([]);
});

/** A process in a session of its own that is marked as an activation's. */
async function start(activationId: string, command = 'echo; exec sleep 300'): Promise<ChildProcess & { pid: number }> {
  const env = { PATH: process.env.PATH, HELIX_ACTIVATION_ID: activationId };
  const child = spawn('sh', ['-c', command], { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  return Object.assign(child, { pid: child.pid ?? 0 });
}

test('finds the live ones among the known activations and nobody else’s', async () => {
  const [mine] = await Promise.all([start('a-mine'), start('a-foreign')]);
  expect(await findActivations([{ activationId: 'a-ended' }, { activationId: 'a-mine' }])).toEqual(['a-mine']);
  expect((await processesOf({ activationId: 'a-mine' })).map(({ pid }) => pid)).toEqual([mine.pid]);
});

test('finds a process that has lost its mark by the pid and start that were recorded', async () => {
  const { pid } = await start('a-unmarked', 'echo; exec env -u HELIX_ACTIVATION_ID sleep 300');
  const startedAt = (await readProcess(pid))?.startedAt ?? '';
  expect(await findActivations([{ activationId: 'a-other', root: { pid, startedAt } }])).toEqual(['a-other']);
  expect(await findActivations([{ activationId: 'a-other', root: { pid, startedAt: 'earlier' } }])).toEqual([]);
});

test('stops one activation of several', async () => {
  const [first, second] = await Promise.all([start('a-first'), start('a-second')]);
  const ended = once(first, 'exit');
  await stopActivationProcesses({ activationId: 'a-first' });
  expect(await ended).toEqual([null, 'SIGINT']);
  expect(await findActivations([{ activationId: 'a-first' }, { activationId: 'a-second' }])).toEqual(['a-second']);
  expect(second.exitCode ?? second.signalCode).toBeNull();
});

test('has nothing to stop when nothing runs', async () => {
  await stopActivationProcesses({ activationId: 'a-none', root: { pid: 2 ** 22, startedAt: 'at some time' } });
});

test('knows a process by its pid and start until it ends', async () => {
  const child = await start('a-known');
  const startedAt = (await readProcess(child.pid))?.startedAt ?? '';
  expect(await isSameProcess(child.pid, startedAt)).toBe(true);
  expect(await isSameProcess(child.pid, 'earlier')).toBe(false);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(await isSameProcess(child.pid, startedAt)).toBe(false);
});

test('lists this process, and shares a list among those who ask before it is begun', async () => {
  const first = readProcessTable();
  expect(readProcessTable()).toBe(first);
  await setImmediate();
  expect(readProcessTable()).not.toBe(first);
  expect((await first).find(({ pid }) => pid === process.pid)).toMatchObject({ parent: process.ppid, zombie: false });
});
