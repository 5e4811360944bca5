// AI Workers that publish too fast: what is beyond is held, loses nothing, and goes on in turn.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PACED_MAX } from '../../src/domain/org.ts';
import { openDispatching } from '../support/dispatcher.ts';
import { hire, refusal, stream, subscribe, testDirectory } from '../support/org.ts';

const PUBLISH = { perMinute: 60, burst: 20 };
const TOO_FAST = 'w-ann publishes too fast';

async function stageOf(options: Parameters<typeof openDispatching>[0] = {}) {
  const stage = await openDispatching({ publish: { ...PUBLISH }, ...options });
  stage.play = () => ({});
  stage.start();
  await stream(stage, 's-in');
  for (const id of ['w-ann', 'w-bob']) await hire(stage, id, { streams: ['s-in'] });
  await stage.settle();
  stage.runs.length = 0;
  return stage;
}

type Stage = Awaited<ReturnType<typeof stageOf>>;

const burst = (stage: Stage, count: number, actor = 'w-ann') =>
  Promise.all(Array.from({ length: count }, (_, n) => stage.publish(actor, 's-in', `${actor} ${n}`)));

const shown = (stage: Stage) =>
  stage.runs.flatMap(({ prompt }) =>
    [...prompt.matchAll(/^body:\n {4}w-ann (\d+)$/gm)].map((match) => Number(match[1])),
  );

test('A112: 20 at once go through, the rest is held with one notice and follows in order, one a second', async () => {
  const stage = await stageOf();
  const seqs = await burst(stage, 30);
  await stage.settle();
  expect(shown(stage)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(stage.notices()).toEqual([TOO_FAST]);
  expect(stage.statusOf(seqs[29]!, 'w-bob')).toMatchObject({
    state: 'held',
    reason: 'w-ann publishes faster than it may (dispatch.publish_per_minute); it goes on by itself, in turn',
  });
  for (let second = 1; second <= 10; second++) {
    await stage.pass(1_000);
    expect(shown(stage)).toHaveLength(20 + second);
  }
  expect(shown(stage)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  expect(stage.journal.org.paced.size).toBe(0);
  expect(stage.notices()).toEqual([TOO_FAST]);
  await stage.pass(60_000);
  expect(stage.notices()).toEqual([TOO_FAST]);
});

test('nothing overtakes what waits, and people and others are not slowed down', async () => {
  const stage = await stageOf();
  await burst(stage, 21);
  await stage.pass(900);
  await stage.publish('w-ann', 's-in', 'w-ann 21');
  const person = await stage.publish('w-owner', 's-in', 'a person');
  const other = await stage.publish('w-bob', 's-in', 'another');
  await stage.settle();
  expect(stage.statusOf(person, 'w-bob').state).toBe('handled');
  expect(stage.statusOf(other, 'w-ann').state).toBe('handled');
  await stage.pass(10_000);
  await stage.pass(1_000);
  expect(shown(stage)).toEqual(Array.from({ length: 22 }, (_, n) => n));
});

test('a raised limit lets all of it go at once; so does a person, one by one', async () => {
  const stage = await stageOf();
  const limits = { ...PUBLISH };
  const other = await stageOf({ publish: limits });
  const seqs = await burst(stage, 22);
  await stage.commit('w-owner', { type: 'ReleaseEvent', event: seqs[21]!, streamId: 's-in' });
  await stage.settle();
  expect(shown(stage)).toContain(21);
  expect(shown(stage)).not.toContain(20);
  await burst(other, 100);
  limits.perMinute = 60_000;
  limits.burst = 1_000;
  await other.pass(1_000);
  expect(shown(other)).toHaveLength(100);
});

test('a restart hands out no new burst, and goes on letting go', async () => {
  const directory = testDirectory();
  const stage = await stageOf({ file: join(directory, 'one.db') });
  await burst(stage, 20);
  await stage.settle();
  await stage.dieInto(join(directory, 'two.db'));
  const options = { clock: stage.clock, publish: { ...PUBLISH } };
  const next = await openDispatching({ file: join(directory, 'two.db'), ...options });
  next.play = () => ({});
  await next.recover();
  next.start();
  const seqs = await burst(next, 2);
  await next.settle();
  expect(seqs.map((seq) => next.statusOf(seq, 'w-bob').state)).toEqual(['held', 'held']);
  await next.dieInto(join(directory, 'three.db'));
  const last = await openDispatching({ file: join(directory, 'three.db'), ...options });
  last.play = () => ({});
  await last.recover();
  last.start();
  await last.pass(60_000);
  await last.pass(1_000);
  expect(seqs.map((seq) => last.statusOf(seq, 'w-bob').state)).toEqual(['handled', 'handled']);
  expect(last.notices()).toEqual([TOO_FAST]);
});

test('what a filter keeps out is not woken for it when it is let go', async () => {
  const stage = await stageOf();
  await hire(stage, 'w-eve');
  await stage.commit('w-eve', { type: 'Subscribe', streamId: 's-in', filter: { body: ['never'] } });
  await stage.settle();
  stage.runs.length = 0;
  const seqs = await burst(stage, 21);
  await stage.pass(2_000);
  expect(stage.runs.map(({ workerId }) => workerId)).not.toContain('w-eve');
  expect(stage.statusOf(seqs[20]!, 'w-eve').state).toBe('filtered');
  expect(stage.statusOf(seqs[20]!, 'w-bob').state).toBe('handled');
});

test('so much may wait, and what is beyond is refused with a sentence', async () => {
  const stage = await stageOf();
  await burst(stage, 20 + PACED_MAX);
  expect(await refusal(stage.publish('w-ann', 's-in', 'one more'))).toEqual({
    code: 'conflict',
    message: expect.stringContaining('This one was not taken: wait, and publish less.'),
  });
  expect(stage.journal.org.paced.get('w-ann')?.size).toBe(PACED_MAX);
});

test('waking by request and by hire is paced too; there is nothing to hold, so it is refused', async () => {
  const stage = await stageOf();
  await hire(stage, 'w-boss');
  await stage.settle();
  const wake = () => stage.commit('w-boss', { type: 'ActivateWorker', workerId: 'w-bob', reason: 'look' });
  await Promise.all(Array.from({ length: 20 }, wake));
  expect(await refusal(wake())).toMatchObject({ message: expect.stringContaining('faster than it may') });
  const hiring = stage.commit('w-boss', {
    type: 'HireWorker',
    workerId: 'w-new',
    positionId: 'p-root',
    kind: 'ai',
    identity: 'A clerk.',
    grants: [],
    streams: [],
  });
  expect(await refusal(hiring)).toMatchObject({ code: 'conflict' });
  stage.clock.advance(1_000);
  await wake();
});

test('the dm it sends too fast waits as well, for whomever it is', async () => {
  const stage = await stageOf();
  await burst(stage, 20);
  await stage.settle();
  const entries = await stage.entries('w-ann', { type: 'SendDm', toWorkerId: 'w-bob', body: 'hello' });
  const seq = entries.find(({ event }) => event.type === 'EventPublished')!.seq;
  expect(stage.statusOf(seq, 'w-bob').state).toBe('held');
  await stage.pass(1_000);
  expect(stage.statusOf(seq, 'w-bob').state).toBe('handled');
});

test('a Stream to which nobody listens holds it too, since it may be on its way outside', async () => {
  const stage = await stageOf();
  await stream(stage, 's-out');
  await subscribe(stage, 'w-owner', 's-out');
  await burst(stage, 20);
  const seq = await stage.publish('w-ann', 's-out', 'out');
  expect(stage.journal.org.heldEvents.has(seq)).toBe(true);
  await stage.pass(1_000);
  expect(stage.journal.org.heldEvents.has(seq)).toBe(false);
});
