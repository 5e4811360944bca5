// Disks that fill up, break and crawl, clocks that jump, and programs that keep the database busy, against a daemon that is a
// real process under load. After each: everything that was acknowledged is there once, and everything is worked off.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, expect, it, type TestContext } from 'vitest';
import { badMachine } from './bad-machine.ts';
import { judge } from './judge.ts';
import { type Acknowledged, foundOrg, killLeftovers, load, type Serve, serve, until } from './serve.ts';

const directory = mkdtempSync(join(tmpdir(), 'helix-bad-machine-'));
const agent = ['--agent-command', JSON.stringify(['sh', '-c', 'cat > /dev/null; echo seen'])];
const DAYS = 86_400;

afterAll(() => {
  killLeftovers();
  rmSync(directory, { recursive: true, force: true });
});

type Stage = {
  daemon: Serve;
  acknowledged: Acknowledged[];
  machine: { is(words: string): void };
  restart(): Promise<Serve>;
};

async function stage(name: string, { skip }: TestContext): Promise<Stage> {
  const dataDir = join(directory, name);
  const machine = badMachine(dataDir, join(directory, `${name}.control`));
  if ('missing' in machine) return skip(`needs ${machine.missing}`);
  const start = () => serve(dataDir, { args: agent, env: machine.env });
  const daemon = await start();
  await foundOrg(daemon);
  return { daemon, acknowledged: [], machine, restart: start };
}

const isIdle = async (daemon: Serve) => {
  const { workers } = (await daemon.call('list_workers', {})) as { workers: { id: string; state: string }[] };
  return workers.find(({ id }) => id === 'w-worker')?.state === 'idle';
};

async function expectNothingLost(daemon: Serve, acknowledged: Acknowledged[]): Promise<void> {
  await until('everything is worked off', () => isIdle(daemon), 120_000);
  await daemon.stop();
  const { attempts: _, events, ...rest } = judge(daemon.dataDir, acknowledged);
  expect(rest).toEqual({
    lost: [],
    twice: [],
    doneTwice: [],
    running: [],
    waiting: 0,
    ledger: [],
    passedOver: [],
    overlapping: [],
    problems: [],
    rebuildDiffers: false,
  });
  expect(events).toBeGreaterThanOrEqual(acknowledged.length);
  expect(acknowledged.length).toBeGreaterThan(0);
}

const post = (daemon: Serve) =>
  fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'one more' }).then(({ status }) => status);

it('a disk that is full refuses what it cannot keep, and takes more as soon as there is room', async (context) => {
  const { daemon, acknowledged, machine } = await stage('full', context);
  const posting = load(daemon.url, 4, acknowledged, { prefix: 'before' });
  await until('some posts are acknowledged', () => acknowledged.length > 50);
  machine.is('full');
  await until('posts are refused', async () => (await post(daemon)) === 503);
  const kept = acknowledged.length;
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  const ready = async () => (await (await fetch(`${daemon.url}/readyz`)).text()).trim();
  await until('it says that it cannot take anything', async () => (await ready()) === 'the disk is full');
  machine.is('');
  await until('it says that it can again', async () => (await ready()) === 'ready');
  await until('posts are taken again', () => acknowledged.length > kept + 50);
  await posting.stop();
  await expectNothingLost(daemon, acknowledged);
}, 180_000);

it('a disk that cannot sync ends the daemon before anything is acknowledged wrongly', async (context) => {
  const { daemon, acknowledged, machine, restart } = await stage('broken', context);
  const posting = load(daemon.url, 4, acknowledged, { prefix: 'before' });
  await until('some posts are acknowledged', () => acknowledged.length > 50);
  machine.is('broken');
  await daemon.gone;
  await posting.stop();
  machine.is('');
  await expectNothingLost(await restart(), acknowledged);
}, 180_000);

it('a slow disk makes waiting, nothing else', async (context) => {
  const { daemon, acknowledged, machine } = await stage('slow', context);
  machine.is('slow=60');
  const posting = load(daemon.url, 16, acknowledged, { prefix: 'slow' });
  await until('some posts are acknowledged', () => acknowledged.length > 200, 120_000);
  await posting.stop();
  machine.is('');
  await expectNothingLost(daemon, acknowledged);
}, 300_000);

it('a clock that jumps ahead by a month and back, and back by a month and ahead, loses nothing', async (context) => {
  const { daemon, acknowledged, machine } = await stage('clock', context);
  for (const words of [`clock=${30 * DAYS}`, '', `clock=${-30 * DAYS}`, '']) {
    const before = acknowledged.length;
    const posting = load(daemon.url, 4, acknowledged, { prefix: `${words}-${before}` });
    await until('some posts are acknowledged', () => acknowledged.length > before + 20);
    machine.is(words);
    await until('more are', () => acknowledged.length > before + 60);
    await posting.stop();
    await until('everything is worked off', () => isIdle(daemon));
  }
  await expectNothingLost(daemon, acknowledged);
}, 180_000);

it('a program that reads the database and does not end holds up nothing, and nothing is lost when it is gone', async (context) => {
  const { daemon, acknowledged } = await stage('reader', context);
  const reader = new Database(join(daemon.dataDir, 'org.db'), { readonly: true });
  reader.exec('BEGIN');
  const pinned = reader.prepare('SELECT count(*) FROM journal').pluck().get();
  const posting = load(daemon.url, 8, acknowledged, { prefix: 'pinned' });
  await until('some posts are acknowledged', () => acknowledged.length > 300);
  await posting.stop();
  await until('everything is worked off', () => isIdle(daemon));
  expect(reader.prepare('SELECT count(*) FROM journal').pluck().get()).toBe(pinned);
  reader.exec('COMMIT');
  reader.close();
  await expectNothingLost(daemon, acknowledged);
}, 180_000);
