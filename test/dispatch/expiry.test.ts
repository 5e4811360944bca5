// What AI Workers asked for goes stale; what people and the outside asked for does not.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeClock } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, messageContent, stream, testDirectory } from '../support/org.ts';

const HOUR = 3_600_000;

async function pausedAnn(options: Parameters<typeof openDispatching>[0] = {}): Promise<Dispatching> {
  const stage = await openDispatching(options);
  stage.play = () => ({});
  stage.start();
  await stream(stage, 's-in');
  await hire(stage, 'w-ann', { streams: ['s-in'] });
  await hire(stage, 'w-bob');
  await stage.settle();
  stage.runs.length = 0;
  return stage;
}

/** The daemon is down for so long: nobody paused or held anything. */
async function down(stage: Dispatching, ms: number, directory = testDirectory()): Promise<Dispatching> {
  const file = join(directory, 'later.db');
  stage.clock.advance(0);
  await stage.dieInto(file);
  stage.clock.advance(ms);
  const next = await openDispatching({ file, clock: stage.clock });
  next.play = () => ({});
  await next.recover();
  next.start();
  await next.settle();
  return next;
}

const bodies = (stage: Dispatching) =>
  stage.runs.flatMap(({ prompt }) => [...prompt.matchAll(/^body:\n {4}(.*)$/gm)].map((match) => match[1]));

test('after a long downtime, what AI Workers and schedules asked for expires with one summary; the rest is worked off', async () => {
  const stage = await pausedAnn();
  // Nobody looks before the daemon dies.
  const landed: number[] = [];
  const publishing = ['w-owner', 'w-bob', 'transport:webhook', 'transport:cron', 'w-bob'].map((actor) =>
    stage.commit(actor, { type: 'Publish', streamId: 's-in', content: messageContent(`by ${actor}`) }),
  );
  for (const { entries } of await Promise.all(publishing)) landed.push(entries[0]!.seq);
  const next = await down(stage, 24 * HOUR);
  expect(bodies(next)).toEqual(['by w-owner', 'by transport:webhook']);
  expect(landed.map((seq) => next.statusOf(seq, 'w-ann').state)).toEqual([
    'handled',
    'expired',
    'handled',
    'expired',
    'expired',
  ]);
  expect(next.statusOf(landed[1]!, 'w-ann').reason).toBe('waited longer than 24 hours (dispatch.expire_hours)');
  expect(next.notices()).toEqual([]);
  await next.pass(10_000);
  expect(next.notices()).toEqual(['3 triggers expired']);
  await next.pass(HOUR);
  expect(next.notices()).toHaveLength(1);
});

test('one millisecond younger than the limit, it is worked off', async () => {
  const stage = await pausedAnn();
  await stage.publish('w-bob', 's-in', 'fresh enough');
  const next = await down(stage, 24 * HOUR - 1);
  expect(bodies(next)).toEqual(['fresh enough']);
});

test('the time in which the Worker, or the org, was paused does not count', async () => {
  const stage = await pausedAnn();
  await stage.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ann' });
  await stage.publish('w-bob', 's-in', 'late');
  await stage.pass(20 * HOUR);
  await stage.commit('w-owner', { type: 'PauseOrg' });
  await stage.pass(20 * HOUR);
  await stage.commit('w-owner', { type: 'ResumeWorker', workerId: 'w-ann' });
  await stage.pass(20 * HOUR);
  await stage.commit('w-owner', { type: 'ResumeOrg' });
  await stage.settle();
  expect(bodies(stage)).toEqual(['late']);
  expect(stage.notices()).toEqual([]);
});

test('the time in which a limit or a broken agent held it does not count', async () => {
  const stage = await pausedAnn();
  stage.settings.set('dispatch.worker_runs_per_day', 1);
  await stage.publish('w-owner', 's-in', 'first');
  await stage.settle();
  await stage.publish('w-bob', 's-in', 'held by the cap');
  await stage.settle();
  stage.play = () => ({ outcome: 'failed', exit: 'not logged in', agentFault: true });
  stage.settings.set('dispatch.worker_runs_per_day', null);
  await stage.settle();
  expect([...stage.journal.org.holds.keys()]).toEqual(['agent:held']);
  await stage.pass(40 * HOUR);
  stage.play = () => ({});
  await stage.pass(HOUR);
  expect(bodies(stage).at(-1)).toBe('held by the cap');
  expect(stage.story('w-ann').at(-1)).toBe('done 1');
  await stage.pass(10_000);
  expect(stage.notices().filter((subject) => subject.includes('expired'))).toEqual([]);
});

test('a batch that was cut off expires too, trigger by trigger, and the rest of it comes again', async () => {
  const stage = await pausedAnn();
  stage.play = undefined;
  await stage.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ann' });
  for (const actor of ['w-bob', 'w-owner', 'w-bob']) await stage.publish(actor, 's-in', `by ${actor}`);
  await stage.commit('w-owner', { type: 'ResumeWorker', workerId: 'w-ann' });
  while (stage.runs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const next = await down(stage, 25 * HOUR);
  expect(bodies(next)).toEqual(['by w-owner']);
  expect(next.story('w-ann').slice(-2)).toEqual(['lost 1', 'done 2']);
  expect(next.inbox.waiting('w-ann', 10)).toBe(0);
});

test('a hire never expires, nor what a person let go again', async () => {
  const stage = await openDispatching();
  await hire(stage, 'w-boss');
  await stage.commit('w-boss', {
    type: 'HireWorker',
    workerId: 'w-ann',
    positionId: 'p-root',
    kind: 'ai',
    identity: 'A clerk.',
    grants: [],
    streams: [],
  });
  await stream(stage, 's-in');
  await stage.commit('w-ann', { type: 'Subscribe', streamId: 's-in', filter: null });
  const seq = await stage.publish('w-boss', 's-in', 'stale');
  const later = await down(stage, 48 * HOUR);
  expect(later.runs.map(({ workerId }) => workerId).sort()).toEqual(['w-ann', 'w-boss']);
  expect(later.runs.every(({ prompt }) => prompt.includes('kind: hire'))).toBe(true);
  expect(later.statusOf(seq, 'w-ann').state).toBe('expired');
  await later.commit('w-owner', { type: 'PauseOrg' });
  await later.commit('w-owner', { type: 'RequeueTriggers', workerId: 'w-ann', triggers: [seq] });
  await later.commit('w-owner', { type: 'ResumeOrg' });
  const again = await down(later, 48 * HOUR);
  expect([...bodies(later), ...bodies(again)]).toEqual(['stale']);
});

test('a thousand stale triggers expire in a few commits and are summed up in one notice, also after a death in between', async () => {
  const directory = testDirectory();
  const clock = fakeClock();
  const stage = await pausedAnn({ clock });
  await Promise.all(Array.from({ length: 1_000 }, () => stage.publish('w-bob', 's-in', 'old')));
  await stage.dieInto(join(directory, 'one.db'));
  clock.advance(25 * HOUR);
  const next = await openDispatching({ file: join(directory, 'one.db'), clock });
  const before = next.journal.lastSeq;
  next.play = () => ({});
  await next.recover();
  next.start();
  await next.settle();
  expect(next.journal.lastSeq - before).toBeLessThan(10);
  expect(next.runs).toEqual([]);
  await next.dieInto(join(directory, 'two.db'));
  const last = await openDispatching({ file: join(directory, 'two.db'), clock });
  await last.recover();
  last.start();
  await last.pass(10_000);
  expect(last.notices()).toEqual(['1000 triggers expired']);
});

test('expiry can be changed and switched off while the daemon runs', async () => {
  const stage = await pausedAnn();
  await stage.publish('w-bob', 's-in', 'kept');
  const file = join(testDirectory(), 'later.db');
  await stage.dieInto(file);
  stage.clock.advance(1_000 * HOUR);
  const next = await openDispatching({ file, clock: stage.clock, settings: { 'dispatch.expire_hours': null } });
  next.play = () => ({});
  next.start();
  await next.settle();
  expect(bodies(next)).toEqual(['kept']);
});
