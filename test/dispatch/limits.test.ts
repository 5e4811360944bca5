// Rates and daily caps: what is beyond waits, with one notice, and goes on when the time has passed or the limit was raised.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakeClock, until } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, stream, testDirectory } from '../support/org.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Settings = Record<string, unknown>;

/** Workers that are hired and idle, each with a Stream of its own; nothing counts yet. */
async function office(workers: string[], settings: Settings, options: { file?: string; usd?: number } = {}) {
  const clock = fakeClock();
  const stage = await openDispatching({ ...(options.file ? { file: options.file } : {}), clock });
  stage.play = () => (options.usd === undefined ? {} : { usage: { costUsd: options.usd } });
  stage.start();
  for (const workerId of workers) {
    await stream(stage, `s-${workerId.slice(2)}`);
    await hire(stage, workerId, { streams: [`s-${workerId.slice(2)}`] });
  }
  await stage.settle();
  clock.advance(48 * HOUR);
  stage.runs.length = 0;
  for (const [key, value] of Object.entries(settings)) stage.settings.set(key, value);
  return stage;
}

async function ask(stage: Dispatching, workerId: string, times: number): Promise<number> {
  let seq = 0;
  for (let n = 0; n < times; n++) {
    seq = await stage.publish('w-owner', `s-${workerId.slice(2)}`, `work ${n}`);
    await stage.settle();
  }
  return seq;
}

const ran = (stage: Dispatching) => stage.runs.map(({ workerId }) => workerId).join();

describe('a Worker’s runs in an hour', () => {
  const perHour = { 'dispatch.worker_runs_per_hour': 3 };

  test('A112: are limited; what is beyond is held with one notice, and goes on by itself when the hour has passed', async () => {
    const stage = await office(['w-ann', 'w-bob'], perHour);
    await ask(stage, 'w-ann', 2);
    await stage.pass(10 * MINUTE);
    const seq = await ask(stage, 'w-ann', 4);
    expect(ran(stage)).toBe('w-ann,w-ann,w-ann');
    expect(stage.notices()).toEqual(['w-ann has reached its limit of 3 runs an hour']);
    expect(stage.dispatcher.activity('w-ann')).toBe('held');
    expect(stage.statusOf(seq, 'w-ann')).toEqual({
      workerId: 'w-ann',
      state: 'held',
      reason: 'w-ann has reached its limit of 3 runs an hour (dispatch.worker_runs_per_hour); it goes on by itself',
    });
    await ask(stage, 'w-bob', 1);
    expect(ran(stage)).toBe('w-ann,w-ann,w-ann,w-bob');
    await stage.pass(50 * MINUTE - 1);
    expect(stage.runs).toHaveLength(4);
    await stage.pass(1);
    // All that waited comes as one batch.
    expect(stage.runs).toHaveLength(5);
    expect(stage.runs[4]!.prompt.match(/=== Trigger ===/g)).toHaveLength(3);
    expect(stage.statusOf(seq, 'w-ann').state).toBe('handled');
    expect(stage.notices()).toHaveLength(1);
    expect([...stage.journal.org.holds]).toEqual([]);
    expect(stage.dispatcher.activity('w-ann')).toBe('idle');
  });

  test('go on at once when the limit is raised, for all or for this one', async () => {
    const stage = await office(['w-ann', 'w-bob'], perHour);
    for (const workerId of ['w-ann', 'w-bob']) await ask(stage, workerId, 4);
    expect(stage.runs).toHaveLength(6);
    stage.settings.set('dispatch.workers', { 'w-bob': { runs_per_hour: 4 } });
    await stage.settle();
    expect(ran(stage).endsWith('w-bob')).toBe(true);
    expect(stage.runs).toHaveLength(7);
    stage.settings.set('dispatch.worker_runs_per_hour', null);
    await stage.settle();
    expect(stage.runs).toHaveLength(8);
    expect(stage.notices()).toHaveLength(2);
  });

  test('are counted on after a restart, which says nothing twice and loses nothing', async () => {
    const directory = testDirectory();
    const stage = await office(['w-ann'], perHour, { file: join(directory, 'one.db') });
    const seq = await ask(stage, 'w-ann', 5);
    await stage.dieInto(join(directory, 'two.db'));
    const next = await openDispatching({ file: join(directory, 'two.db'), clock: stage.clock, settings: perHour });
    next.play = () => ({});
    await next.recover();
    next.start();
    await next.settle();
    expect(next.runs).toEqual([]);
    expect(next.statusOf(seq, 'w-ann').state).toBe('held');
    expect(next.notices()).toHaveLength(1);
    await next.pass(HOUR);
    expect(next.runs).toHaveLength(1);
    expect(next.notices()).toHaveLength(1);
  });

  test('are held as one episode, however long it takes to work off what waits', async () => {
    const stage = await office(['w-ann'], { ...perHour, 'dispatch.batch_triggers': 1 });
    await ask(stage, 'w-ann', 7);
    for (let hour = 0; hour < 3; hour++) await stage.pass(HOUR);
    expect(stage.runs).toHaveLength(7);
    expect(stage.notices()).toHaveLength(1);
    await stage.pass(HOUR);
    await ask(stage, 'w-ann', 4);
    // It was over; this is another one.
    expect(stage.notices()).toHaveLength(2);
  });

  test('leave nobody held who was paused, fired, or whose work was given up meanwhile', async () => {
    const stage = await office(['w-ann', 'w-bob'], perHour);
    for (const workerId of ['w-ann', 'w-bob']) await ask(stage, workerId, 4);
    await stage.commit('w-owner', { type: 'FireWorker', workerId: 'w-ann' });
    expect([...stage.journal.org.holds.keys()]).toEqual(['runs_per_hour:w-bob']);
    const [waiting] = stage.inbox.next('w-bob', { triggers: 20, bytes: 1e6 })!.triggers;
    await stage.commit('w-owner', {
      type: 'DropTriggers',
      workerId: 'w-bob',
      triggers: [waiting!.seq],
      reason: 'discarded',
    });
    await stage.pass(HOUR);
    expect([...stage.journal.org.holds.keys()]).toEqual([]);
    expect(stage.runs).toHaveLength(6);
  });
});

describe('the runs of the org in an hour', () => {
  test('A112: are limited with one notice; what waits keeps its place and goes on', async () => {
    const workers = ['w-a', 'w-b', 'w-c', 'w-d'];
    const stage = await office(workers, { 'dispatch.org_runs_per_hour': 2 });
    stage.play = undefined;
    await Promise.all(workers.map((workerId) => stage.publish('w-owner', `s-${workerId.slice(2)}`, 'work')));
    await until(() => stage.runs.length === 2);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    // Not even for a moment more than two, although four could start at once.
    expect(stage.runs).toHaveLength(2);
    stage.play = () => ({});
    for (const run of stage.runs) run.finish();
    await stage.settle();
    expect(stage.notices()).toEqual(['The org has reached its limit of 2 runs an hour']);
    expect(workers.map((workerId) => stage.dispatcher.activity(workerId))).toEqual(['idle', 'idle', 'held', 'held']);
    await stage.pass(HOUR);
    expect(ran(stage)).toBe('w-a,w-b,w-c,w-d');
    expect([...stage.journal.org.holds]).toEqual([]);
    await ask(stage, 'w-a', 1);
    expect(stage.runs).toHaveLength(4);
    stage.settings.set('dispatch.org_runs_per_hour', 9);
    await stage.settle();
    expect(stage.runs).toHaveLength(5);
    expect(stage.notices()).toHaveLength(2);
  });
});

describe('daily caps', () => {
  test('on runs end at midnight, UTC', async () => {
    const stage = await office(['w-ann'], { 'dispatch.worker_runs_per_day': 2 });
    await ask(stage, 'w-ann', 3);
    expect(stage.runs).toHaveLength(2);
    await stage.pass(12 * HOUR - 1);
    expect(stage.runs).toHaveLength(2);
    await stage.pass(1);
    expect(stage.runs).toHaveLength(3);
    expect(stage.notices()).toEqual(['w-ann has reached its limit of 2 runs a day']);
  });

  test('on cost count what agents report', async () => {
    const stage = await office(['w-ann'], { 'dispatch.worker_cost_per_day': 1 }, { usd: 0.4 });
    await ask(stage, 'w-ann', 5);
    // The third began with 0.80 spent.
    expect(stage.runs).toHaveLength(3);
    stage.settings.set('dispatch.worker_cost_per_day', 2);
    await stage.settle();
    expect(stage.runs).toHaveLength(4);
    expect(stage.notices()).toEqual(['w-ann has reached its limit of 1 US dollars a day']);
  });

  test('on cost count a run that reports none at a set price, so that a cap always bites', async () => {
    const stage = await office(['w-ann', 'w-bob'], {
      'dispatch.org_cost_per_day': 1,
      'dispatch.unknown_run_cost': 0.3,
    });
    await ask(stage, 'w-ann', 3);
    await ask(stage, 'w-bob', 3);
    expect(stage.runs).toHaveLength(4);
    expect(stage.notices()).toEqual(['The org has reached its limit of 1 US dollars a day']);
  });

  test('are not used up by an agent that does not work', async () => {
    const stage = await office(['w-ann'], { 'dispatch.worker_cost_per_day': 1 });
    stage.play = () => ({ outcome: 'failed', exit: 'not logged in', agentFault: true });
    await ask(stage, 'w-ann', 1);
    for (let probe = 0; probe < 10; probe++) await stage.pass(300_000);
    expect(stage.runs.length).toBeGreaterThan(8);
    expect(stage.journal.org.holds.has('cost_per_day:w-ann')).toBe(false);
  });
});

describe('the activations that one cause may lead to', () => {
  const perRoot = { 'dispatch.max_activations_per_root': 3 };

  async function broadcast() {
    const workers = ['w-a', 'w-b', 'w-c', 'w-d', 'w-e'];
    const stage = await office(workers, perRoot);
    await stream(stage, 's-all');
    for (const workerId of workers)
      await stage.commit(workerId, { type: 'Subscribe', streamId: 's-all', filter: null });
    stage.settings.set('dispatch.max_inflight', 16);
    const seq = await stage.publish('w-owner', 's-all', 'everybody');
    await stage.settle();
    return { stage, workers, seq };
  }

  test('A112: are limited, also when many could start at once; the rest is held with one notice', async () => {
    const { stage, workers, seq } = await broadcast();
    expect(stage.runs).toHaveLength(3);
    expect(stage.notices()).toEqual(['One cause led to 3 activations']);
    const states = workers.map((workerId) => stage.statusOf(seq, workerId).state).sort();
    expect(states).toEqual(['handled', 'handled', 'handled', 'held', 'held']);
  });

  test('go on where a person lets them, and no further', async () => {
    const { stage, workers, seq } = await broadcast();
    const held = workers.filter((workerId) => stage.statusOf(seq, workerId).state === 'held');
    await stage.commit('w-owner', { type: 'RequeueTriggers', workerId: held[0]!, triggers: [seq] });
    await stage.settle();
    expect(stage.runs.slice(3).map(({ workerId }) => workerId)).toEqual([held[0]]);
    // An AI Worker that lets go what is held does not lift the limit.
    await stage.commit('w-a', { type: 'RequeueTriggers', workerId: held[1]!, triggers: [seq] });
    await stage.settle();
    expect(stage.runs).toHaveLength(4);
    expect(stage.statusOf(seq, held[1]!).state).toBe('held');
  });

  test('go on as far as a raised limit reaches, without a restart and after one', async () => {
    const { stage } = await broadcast();
    stage.settings.set('dispatch.max_activations_per_root', 4);
    await stage.settle();
    expect(stage.runs).toHaveLength(4);
    stage.settings.set('dispatch.max_activations_per_root', null);
    await stage.settle();
    expect(stage.runs).toHaveLength(5);
    expect(stage.notices()).toHaveLength(1);
  });

  test('hold also what was already under way and failed', async () => {
    const stage = await office(['w-ann'], { 'dispatch.max_activations_per_root': 2 });
    stage.play = () => ({ outcome: 'failed', exit: 'exit code 1' });
    const seq = await ask(stage, 'w-ann', 1);
    await stage.pass(10_000);
    await stage.pass(120_000);
    expect(stage.story('w-ann').slice(1)).toEqual(['failed 1', 'failed 2']);
    expect(stage.statusOf(seq, 'w-ann').state).toBe('held');
    await ask(stage, 'w-ann', 1);
    expect(stage.story('w-ann')).toHaveLength(4);
  });
});
