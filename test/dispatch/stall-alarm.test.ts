// Work that waits while nothing moves is told to people: once, and once more when it goes on.
import { beforeEach, expect, test } from 'vitest';
import { LOOK_MS } from '../../src/dispatch/stall-alarm.ts';
import type { Journal } from '../../src/store/journal.ts';
import { until } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, stream } from '../support/org.ts';

const ALARM = 'Work waits and nothing moves';
const OVER = 'Work goes on';

let stage: Dispatching;

/** Lets so much time pass, as it does: a look every few seconds. */
async function wait(ms: number, on = stage): Promise<void> {
  for (let passed = 0; passed < ms; passed += LOOK_MS) {
    on.clock.advance(LOOK_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Two that run and say nothing, where only two may. */
async function full(settings: Record<string, unknown> = {}): Promise<void> {
  stage = await openDispatching({ settings: { 'dispatch.max_inflight': 2, ...settings } });
  stage.start();
  await stream(stage, 's-ai');
  for (const id of ['w-a', 'w-b', 'w-c', 'w-d']) {
    stage.play = () => ({});
    await hire(stage, id, { streams: ['s-ai'] });
    await stage.settle();
  }
  stage.play = undefined;
  stage.runs.length = 0;
  await stage.publish('w-d', 's-ai', 'work');
  await until(() => stage.runs.length === 2);
}

beforeEach(() => full());

test('after five minutes without a sign of life one notice comes, and one when it goes on', async () => {
  await wait(300_000 - LOOK_MS);
  expect(stage.notices()).toEqual([]);
  await wait(4 * LOOK_MS);
  expect(stage.notices()).toEqual([ALARM]);
  await wait(3_600_000);
  expect(stage.notices()).toEqual([ALARM]);
  stage.runs[0]!.finish();
  await until(() => stage.runs.length === 3);
  await wait(LOOK_MS);
  expect(stage.notices()).toEqual([ALARM, OVER]);
  stage.runs[1]!.finish();
  stage.runs[2]!.finish();
  await stage.settle();
  await wait(3_600_000);
  expect(stage.notices()).toEqual([ALARM, OVER]);
});

test('runs that say something are no stall', async () => {
  for (let minute = 0; minute < 20; minute++) {
    await wait(60_000);
    stage.runs[0]!.onSegment({ body: 'still at it' });
  }
  expect(stage.notices()).toEqual([]);
});

test('nobody who waits, nobody who is told: long silent runs are none of its business', async () => {
  stage.runs[0]!.finish();
  await until(() => stage.runs.length === 3);
  for (const { workerId } of stage.runs.slice(1)) {
    await stage.commit('w-d', { type: 'ActivateWorker', workerId, reason: 'more for who runs' });
  }
  await wait(3_600_000);
  expect(stage.notices()).toEqual([]);
});

test('what a pause or a limit holds is no stall', async () => {
  for (const run of stage.runs) run.finish();
  await until(() => stage.runs.length === 3);
  stage.runs[2]!.finish();
  await stage.settle();
  stage.settings.set('dispatch.org_runs_per_hour', 1);
  await stage.publish('w-d', 's-ai', 'beyond the limit');
  await wait(1_200_000);
  expect(stage.notices()).toEqual(['The org has reached its limit of 1 runs an hour']);
});

test('a machine that slept for a day is no stall', async () => {
  stage.clock.advance(86_400_000);
  await wait(LOOK_MS);
  expect(stage.notices()).toEqual([]);
});

test('how long it may take is a setting, read at each look', async () => {
  await wait(60_000);
  stage.settings.set('dispatch.stall_alarm', 60);
  await wait(LOOK_MS);
  expect(stage.notices()).toEqual([ALARM]);
});

test('a recovery that does not end is told too', async () => {
  const other = await openDispatching();
  await hire(other, 'w-ann');
  await wait(300_000 + LOOK_MS, other);
  expect(other.notices()).toEqual([ALARM]);
  other.play = () => ({});
  other.start();
  await other.settle();
  expect(other.notices()).toEqual([ALARM, OVER]);
});

test('starts that cannot be recorded are told when they are recorded again', async () => {
  let isBroken = false;
  const journal = (real: Journal): Journal => ({
    ...real,
    get org() {
      return real.org;
    },
    get lastSeq() {
      return real.lastSeq;
    },
    commit: (actor, command, options) =>
      isBroken && command.type === 'StartActivation'
        ? Promise.reject(new Error('disk full'))
        : real.commit(actor, command, options),
  });
  const other = await openDispatching({ journal });
  other.play = () => ({});
  other.start();
  isBroken = true;
  await hire(other, 'w-ann');
  for (let passed = 0; passed < 400_000; passed += LOOK_MS) await other.pass(LOOK_MS);
  expect(other.notices()).toEqual([ALARM]);
  expect(other.failures.length).toBeGreaterThan(10);
  isBroken = false;
  await wait(LOOK_MS, other);
  await other.settle();
  expect(other.notices()).toEqual([ALARM, OVER]);
  expect(other.story('w-ann')).toEqual(['done 1']);
});
