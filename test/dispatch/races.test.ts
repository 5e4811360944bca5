// People's commands that come at the worst moment of a run: while it is being started, while it ends.
import { describe, expect, test } from 'vitest';
import { until } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, stream } from '../support/org.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets so many turns of the event loop pass, and then so many microtasks. */
async function pass(turns: number, microtasks: number): Promise<void> {
  for (let n = 0; n < turns; n++) await turn();
  for (let n = 0; n < microtasks; n++) await Promise.resolve();
}

const moments = [0, 1, 2, 3].flatMap((turns) =>
  Array.from({ length: 13 }, (_, microtasks) => [turns, microtasks] as const),
);

const isOpen = (stage: Dispatching) => stage.queries.runningActivations().length;

describe('at each moment of a start,', () => {
  test('firing leaves nobody running and nothing recorded as running', async () => {
    const stage = await openDispatching();
    stage.start();
    for (const [n, [turns, microtasks]] of moments.entries()) {
      await hire(stage, `w-n${n}`);
      await pass(turns, microtasks);
      await stage.commit('w-owner', { type: 'FireWorker', workerId: `w-n${n}` });
      await stage.dispatcher.ended(`w-n${n}`);
      await stage.idle();
      expect([stage.dispatcher.running, isOpen(stage)]).toEqual([0, 0]);
      expect(stage.story(`w-n${n}`).join()).toMatch(/^(interrupted 1)?$/);
    }
    expect(stage.failures).toEqual([]);
    expect(stage.runs.every(({ signal }) => signal.aborted)).toBe(true);
  });

  test('pausing stops the run, and resuming shows the batch once more, uncounted', async () => {
    const stage = await openDispatching();
    stage.start();
    for (const [n, [turns, microtasks]] of moments.entries()) {
      const workerId = `w-n${n}`;
      await hire(stage, workerId);
      await pass(turns, microtasks);
      await stage.commit('w-owner', { type: 'PauseWorker', workerId });
      await stage.idle();
      expect([stage.dispatcher.running, isOpen(stage)]).toEqual([0, 0]);
      const before = stage.runs.length;
      await stage.commit('w-owner', { type: 'ResumeWorker', workerId });
      await until(() => stage.runs.length > before);
      stage.runs.at(-1)!.finish();
      await stage.idle();
      expect(stage.story(workerId).join()).toMatch(/^(interrupted 1,)?done 1$/);
    }
  });

  test('pausing the org and resuming it at once loses nothing', async () => {
    const stage = await openDispatching();
    stage.start();
    for (const [n, [turns, microtasks]] of moments.entries()) {
      await hire(stage, `w-n${n}`);
      await pass(turns, microtasks);
      void stage.commit('w-owner', { type: 'PauseOrg' });
      await pass(0, microtasks);
      await stage.commit('w-owner', { type: 'ResumeOrg' });
      await until(() => {
        for (const run of stage.runs) if (!run.signal.aborted) run.finish();
        return stage.story(`w-n${n}`).at(-1) === 'done 1';
      });
      await stage.idle();
      expect(stage.story(`w-n${n}`).join()).toMatch(/^(interrupted 1,)?done 1$/);
    }
  });

  test('stopping the daemon ends, and the next one shows the batch once more, uncounted', async () => {
    for (const [turns, microtasks] of moments) {
      const stage = await openDispatching();
      await hire(stage, 'w-ann');
      stage.start();
      await pass(turns, microtasks);
      await stage.dispatcher.stop();
      expect([stage.dispatcher.running, isOpen(stage)]).toEqual([0, 0]);
      expect(stage.story('w-ann').join()).toMatch(/^(interrupted 1)?$/);
      expect(stage.inbox.next('w-ann', { triggers: 20, bytes: 32_768 })).toMatchObject({ attempt: 1 });
    }
  });
});

test('a start that is refused because the Worker was fired in the same commit is no failure', async () => {
  const stage = await openDispatching();
  await hire(stage, 'w-ann');
  stage.start();
  // Decided before the start, which the look of this very turn asks for.
  const fired = stage.commit('w-owner', { type: 'FireWorker', workerId: 'w-ann' });
  await fired;
  await stage.idle();
  expect([stage.runs.length, stage.failures.length, stage.story('w-ann')]).toEqual([0, 0, []]);
});

test.each([
  ['paused', 'person', 'parked'],
  ['person', 'paused', 'parked'],
  ['person', 'shutdown', 'parked'],
  ['paused', 'shutdown', undefined],
] as const)('of two stops, %s and %s, a person’s counts', async (first, second, state) => {
  const stage = await openDispatching();
  await hire(stage, 'w-ann');
  stage.start();
  await until(() => stage.runs.length === 1);
  stage.dispatcher.interrupt('w-ann', first);
  stage.dispatcher.interrupt('w-ann', second);
  await stage.dispatcher.ended('w-ann');
  const [hiredSeq] = stage.queries.activationsOf('w-ann', 1)[0]!.triggers;
  expect(stage.queries.asideOf(hiredSeq!)[0]?.state).toBe(state);
});

test('an inbox that cannot be read holds up its Worker alone, and is read again', async () => {
  const stage = await openDispatching();
  const next = stage.inbox.next;
  let isBroken = true;
  stage.inbox.next = (workerId, limits) => {
    if (isBroken && workerId === 'w-ann') throw new Error('broken');
    return next.call(stage.inbox, workerId, limits);
  };
  stage.play = () => ({});
  stage.start();
  await hire(stage, 'w-ann');
  await hire(stage, 'w-bob');
  await stage.idle();
  expect(stage.runs.map(({ workerId }) => workerId)).toEqual(['w-bob']);
  expect(stage.failures).toEqual([new Error('broken')]);
  isBroken = false;
  stage.clock.advance(5_000);
  await until(() => stage.runs.length === 2);
});

test('an agent that throws where it must not still ends its run', async () => {
  const stage = await openDispatching();
  stage.play = () => {
    throw new Error('a bug');
  };
  stage.start();
  await hire(stage, 'w-ann');
  await stage.idle();
  expect(stage.story('w-ann')).toEqual(['failed 1']);
  expect((await stage.transcript('w-ann')).at(-1)).toBe('=== exit: the agent could not be run: a bug ===');
});

test('settings that cannot be read in the middle of a start still end the run', async () => {
  const stage = await openDispatching();
  const get = stage.settings.get;
  stage.settings.get = ((key: string) => {
    if (key === 'dispatch.run_seconds') throw new Error('unreadable');
    return get(key as never);
  }) as typeof get;
  stage.start();
  await hire(stage, 'w-ann');
  await stage.idle();
  expect(stage.story('w-ann')).toEqual(['failed 1']);
  expect(isOpen(stage)).toBe(0);
});

test('a clock that is set back by a month makes no timer that a timer cannot hold', async () => {
  const stage = await openDispatching();
  stage.play = () => ({ outcome: 'failed', exit: 'exit code 1' });
  stage.start();
  await hire(stage, 'w-ann');
  await stage.idle();
  const delays: number[] = [];
  const after = stage.clock.after;
  stage.clock.after = (delayMs, callback) => {
    delays.push(delayMs);
    return after(delayMs, callback);
  };
  stage.clock.advance(-30 * 86_400_000);
  await stream(stage, 's-in');
  await stage.commit('w-owner', { type: 'ActivateWorker', workerId: 'w-ann', reason: 'look' });
  await stage.idle();
  for (const delay of delays) expect(delay).toBeLessThan(2 ** 31);
});
