import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, stream, testDirectory } from '../support/org.ts';

/** Kills a daemon and starts another on what it left. */
async function reborn(stage: Dispatching, directory: string, n: number): Promise<Dispatching> {
  const file = join(directory, `${n}.db`);
  await stage.dieInto(file);
  const next = await openDispatching({ file });
  await next.recover();
  next.start();
  return next;
}

test('A109: what every Worker was doing comes again once, marked, before anything newer', async () => {
  const directory = testDirectory();
  const first = await openDispatching();
  await stream(first, 's-all');
  for (const id of ['w-ann', 'w-bob']) await hire(first, id, { streams: ['s-all'] });
  first.play = () => ({});
  first.start();
  await first.idle();
  first.play = undefined;
  await first.publish('w-owner', 's-all', 'cut off');
  await until(() => first.runs.length === 4);
  await first.publish('w-owner', 's-all', 'newer');
  const next = await reborn(first, directory, 1);
  await until(() => next.runs.length === 2);
  for (const run of next.runs) {
    expect(run.prompt).toContain('attempt 2: a previous run was cut off. Part of the work may be done already');
    expect(run.prompt).toMatch(/^ {4}cut off$/m);
    expect(run.prompt).not.toContain('newer');
    expect(run.attempt).toBe(2);
    run.finish();
  }
  await until(() => next.runs.length === 4);
  for (const run of next.runs.slice(2)) {
    expect(run.prompt).toMatch(/^ {4}newer$/m);
    expect(run.attempt).toBe(1);
    run.finish();
  }
  await next.idle();
  for (const id of ['w-ann', 'w-bob']) expect(next.story(id)).toEqual(['done 1', 'lost 1', 'done 2', 'done 1']);
  const exit = '=== exit: lost: the daemon was stopped while it ran ===';
  expect((await next.transcript('w-ann')).filter((line) => line === exit)).toHaveLength(1);
});

test('a second recovery finds nothing to do', async () => {
  const first = await openDispatching();
  await hire(first, 'w-ann');
  first.start();
  await until(() => first.runs.length === 1);
  const next = await reborn(first, testDirectory(), 1);
  await until(() => next.runs.length === 1);
  next.runs[0]!.finish();
  await next.idle();
  const before = next.journal.lastSeq;
  expect(await next.recover()).toEqual([]);
  expect(next.journal.lastSeq).toBe(before);
});

test('a trigger that brings the daemon down each time is parked in the end, with one notice, and what is newer goes on', async () => {
  const directory = testDirectory();
  let stage = await openDispatching();
  await stream(stage, 's-in');
  await hire(stage, 'w-ann', { streams: ['s-in'] });
  stage.play = () => ({});
  stage.start();
  await stage.idle();
  stage.play = undefined;
  await stage.publish('w-owner', 's-in', 'deadly');
  for (let n = 1; n <= 5; n++) {
    const { runs } = stage;
    await until(() => runs.some((run) => run.attempt === n && run.prompt.includes('deadly')));
    stage = await reborn(stage, directory, n);
  }
  await stage.publish('w-owner', 's-in', 'harmless');
  await until(() => stage.runs.length === 1);
  expect(stage.runs[0]!.prompt).toMatch(/^ {4}harmless$/m);
  expect(stage.story('w-ann')).toEqual(['done 1', 'lost 1', 'lost 2', 'lost 3', 'lost 4', 'lost 5', 'running 1']);
  expect(stage.notices()).toEqual(['w-ann could not deal with a trigger']);
});

test('a run of a Worker that was fired as the daemon died is closed, and nobody is woken for it', async () => {
  const first = await openDispatching();
  await hire(first, 'w-ann');
  first.start();
  await until(() => first.runs.length === 1);
  const file = join(testDirectory(), 'next.db');
  // The entry is on disk; the dispatcher never heard of it.
  first.dispatcher.interrupt = () => false;
  const fired = first.commit('w-owner', { type: 'FireWorker', workerId: 'w-ann' });
  await first.journal.flush();
  await first.dieInto(file);
  await fired;
  const next = await openDispatching({ file });
  expect(await next.recover()).toHaveLength(1);
  next.start();
  await next.idle();
  expect([next.runs.length, next.story('w-ann'), next.notices()]).toEqual([0, ['lost 1'], []]);
});

test('recovery waits until what a dead daemon left running is gone', async () => {
  const first = await openDispatching();
  await hire(first, 'w-ann');
  first.start();
  await until(() => first.runs.length === 1);
  const file = join(testDirectory(), 'next.db');
  await first.dieInto(file);
  const next = await openDispatching({ file });
  const gone = Promise.withResolvers<void>();
  const asked: unknown[] = [];
  const { recover } = await import('../../src/dispatch/recovery.ts');
  const recovered = recover({
    ...next,
    now: next.clock.now,
    stopProcesses: (id, process) => {
      asked.push([id, process?.pid]);
      return gone.promise;
    },
  });
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual([[first.runs[0]!.activationId, 1]]);
  expect(next.story('w-ann')).toEqual(['running 1']);
  gone.resolve();
  expect(await recovered).toEqual([first.runs[0]!.activationId]);
  expect(next.story('w-ann')).toEqual(['lost 1']);
  expect(next.processes.list()).toEqual([]);
});
