import { expect, it } from 'vitest';
import type { AgentResult } from '../../src/domain/agent.ts';
import { dispatchStage, until } from '../support/dispatch.ts';

const crash: Partial<AgentResult> = { outcome: 'failed', exit: 'exit code 1' };
const timeout: Partial<AgentResult> = { outcome: 'timed_out', exit: 'time limit of 30 min' };
const broken: Partial<AgentResult> = {
  outcome: 'failed',
  exit: 'cannot start "agent": no such program',
  agentFault: true,
};

it('A110: a failed run is tried again after 10 s and 2 min; the last attempt runs its triggers one by one and parks only the poison', async () => {
  const stage = await dispatchStage({ play: ({ prompt }) => (prompt.includes('poison') ? crash : {}) });
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.idle();
  await stage.call('pause_worker', { workerId: 'w-ann' });
  for (const body of ['one', 'poison', 'three']) await stage.publish('s-talk', body);
  await stage.call('resume_worker', { workerId: 'w-ann' });
  await stage.idle();
  expect(stage.runs).toHaveLength(2);
  stage.clock.advance(9_999);
  await stage.idle();
  expect(stage.runs).toHaveLength(2);
  stage.clock.advance(1);
  await until(() => stage.runs.length === 3);
  await stage.idle();
  expect(stage.runs[2]?.prompt).toContain('attempt 2: a previous run ended with: exit code 1');
  stage.clock.advance(120_000);
  await until(() => stage.runs.length === 6);
  await stage.idle();
  expect(stage.runs.slice(3).map(({ prompt }) => /^body:\n {4}(.*)$/m.exec(prompt)?.[1])).toEqual([
    'one',
    'poison',
    'three',
  ]);
  expect(stage.activations('w-ann').map(({ state, attempt }) => `${state} ${attempt}`)).toEqual([
    'done 1',
    'failed 1',
    'failed 2',
    'done 3',
    'failed 3',
    'done 3',
  ]);
  const parked = stage.daemon.queries.setAside('parked', 10);
  expect(parked.map(({ worker, reason }) => [worker, reason])).toEqual([['w-ann', 'exit code 1']]);
  expect(stage.notices()).toEqual(['w-ann could not deal with a trigger']);
  expect((await stage.transcript('w-ann')).filter((line) => line.startsWith('=== exit'))).toHaveLength(6);
});

it('retry shows parked work again from a first attempt; discard gives it up', async () => {
  let poisonous = true;
  const stage = await dispatchStage({ settings: { 'dispatch.attempts': 1 }, play: () => (poisonous ? crash : {}) });
  await stage.stream('s-talk');
  poisonous = false;
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.idle();
  poisonous = true;
  const first = await stage.publish('s-talk', 'first');
  await stage.idle();
  const second = await stage.publish('s-talk', 'second');
  await stage.idle();
  const stateOf = async (id: unknown) =>
    ((await stage.call('event_status', { id })).workers as { state: string }[])[0]?.state;
  expect([await stateOf(first.id), await stateOf(second.id)]).toEqual(['parked', 'parked']);
  poisonous = false;
  await stage.call('retry', { id: first.id });
  await stage.idle();
  await stage.call('discard', { id: second.id });
  await stage.idle();
  expect([await stateOf(first.id), await stateOf(second.id)]).toEqual(['handled', 'dropped']);
  await expect(stage.call('retry', { id: first.id })).rejects.toThrow('Nothing of');
});

it('a run that took all its time is tried once more, not twice', async () => {
  const stage = await dispatchStage({ play: ({ prompt }) => (prompt.includes('slow') ? timeout : {}) });
  await stage.stream('s-talk');
  await stage.hire('w-ann', { streams: ['s-talk'] });
  await stage.idle();
  await stage.publish('s-talk', 'slow');
  await stage.idle();
  stage.clock.advance(10_000);
  await until(() => stage.runs.length === 3);
  await stage.idle();
  stage.clock.advance(600_000);
  await stage.idle();
  expect(stage.activations('w-ann').map(({ state }) => state)).toEqual(['done', 'timed_out', 'timed_out']);
  expect(stage.daemon.queries.setAside('parked', 10)).toHaveLength(1);
});

it('a broken agent holds everything, is probed ever more seldom, and costs no attempt', async () => {
  let fit = false;
  const stage = await dispatchStage({ play: () => (fit ? {} : broken) });
  await stage.hire('w-ann');
  await until(() => stage.activations('w-ann').length === 1);
  await stage.idle();
  for (const [pause, expected] of [
    [4_999, 1],
    [1, 2],
    [9_999, 2],
    [1, 3],
  ] as const) {
    stage.clock.advance(pause);
    await until(() => stage.runs.length === expected);
    await stage.idle();
    expect(stage.runs).toHaveLength(expected);
  }
  fit = true;
  stage.clock.advance(20_000);
  await until(() => stage.runs.length === 4);
  await stage.idle();
  expect(stage.activations('w-ann').map(({ state, attempt }) => [state, attempt])).toEqual([
    ['failed', 1],
    ['failed', 1],
    ['failed', 1],
    ['done', 1],
  ]);
  await until(() => stage.notices().length === 2);
  expect(stage.notices().reverse()).toEqual(['The agent played does not work', 'The agent played works again']);
});

it('an agent that is tried again and again keeps no prompt for each try', async () => {
  const stage = await dispatchStage({ play: () => broken });
  await stage.hire('w-ann');
  await until(() => stage.activations('w-ann').length === 1);
  await stage.idle();
  for (let tries = 2; tries <= 6; tries++) {
    stage.clock.advance(300_000);
    await until(() => stage.activations('w-ann').length === tries);
    await stage.idle();
  }
  const { db, queries } = stage.daemon;
  const stored = db.sqlite.prepare("SELECT seq FROM content WHERE name = 'prompt'").pluck().all();
  const [first, second, ...others] = stage.activations('w-ann');
  // The second says that there was a first; from then on nothing new is to be said.
  expect(stored).toEqual([first!.seq, second!.seq]);
  for (const { seq } of others) expect(queries.prompt(seq)).toEqual(queries.prompt(second!.seq));
  expect(Buffer.from(queries.prompt(first!.seq)!.bytes).toString()).toBe(stage.runs[0]!.prompt);
});

it('a Worker may have limits of its own', async () => {
  const stage = await dispatchStage({
    settings: { 'dispatch.workers': { 'w-slow': { run_seconds: 7_200, first_output_seconds: 600 } } },
    play: () => {},
  });
  for (const id of ['w-slow', 'w-usual']) await stage.hire(id);
  await stage.idle();
  const limitsOf = (id: string) => stage.runs.find(({ workerId }) => workerId === id)?.limits;
  expect(limitsOf('w-slow')).toEqual({ firstOutputMs: 600_000, runMs: 7_200_000 });
  expect(limitsOf('w-usual')).toEqual({ firstOutputMs: 60_000, runMs: 1_800_000 });
});

it('A111: limits on time are given to the agent, and the number of runs at once is limited', async () => {
  const stage = await dispatchStage({
    settings: { 'dispatch.max_inflight': 2, 'dispatch.run_seconds': 7, 'dispatch.first_output_seconds': 3 },
  });
  await stage.stream('s-talk');
  for (const id of ['w-a', 'w-b', 'w-c', 'w-d']) await stage.hire(id);
  await until(() => stage.runs.length >= 2);
  stage.clock.advance(1_000);
  await until(() => stage.runs.length >= 2);
  expect(stage.runs[0]?.limits).toEqual({ firstOutputMs: 3_000, runMs: 7_000 });
  const most: number[] = [];
  for (let n = 0; n < 4; n++) {
    const run = await stage.run(n);
    most.push(stage.daemon.dispatcher.running);
    run.finish();
  }
  await stage.idle();
  expect(Math.max(...most)).toBeLessThanOrEqual(3);
  expect(stage.runs).toHaveLength(4);
});

it('A112: two AI Workers that answer each other stop at the hop limit, with one Event held and one notice', async () => {
  const answer = (from: string, to: string) => ({ from, to });
  const pairs = [answer('w-ping', 's-pong'), answer('w-pong', 's-ping')];
  const stage = await dispatchStage({
    settings: { 'dispatch.max_hops': 5 },
    play: async (run) => {
      const target = pairs.find(({ from }) => from === run.workerId)?.to;
      if (!run.prompt.includes('kind: hire') && target) await run.use('publish', { streamId: target, body: 'ball' });
    },
  });
  await stage.stream('s-ping');
  await stage.stream('s-pong');
  await stage.hire('w-ping', { streams: ['s-ping'], grants: ['publish'] });
  await stage.hire('w-pong', { streams: ['s-pong'], grants: ['publish'] });
  await stage.idle();
  await stage.publish('s-ping', 'ball');
  await until(() => stage.notices().length > 0);
  await stage.idle();
  expect(stage.notices()).toEqual(['Loop stopped on s-ping']);
  const events = stage.daemon.queries.events(['s-ping', 's-pong'], { limit: 50 });
  expect(events).toHaveLength(7);
  const held = events[0]?.id;
  expect(await stage.call('event_status', { id: held })).toMatchObject({
    workers: [{ workerId: 'w-ping', state: 'held' }],
  });
  await stage.call('release', { id: held });
  await until(() => stage.daemon.queries.events(['s-ping', 's-pong'], { limit: 50 }).length === 8);
  await stage.idle();
  // A person let it go on, and is told that it was stopped once more.
  expect(stage.notices()).toHaveLength(2);
});

it('A112: Workers that wake each other by asking or hiring stop at the hop limit too', async () => {
  const stage = await dispatchStage({
    settings: { 'dispatch.max_hops': 3 },
    play: async (run) => {
      if (run.prompt.includes('kind: hire')) return;
      await run.use('activate_worker', { workerId: run.workerId === 'w-a' ? 'w-b' : 'w-a' });
    },
  });
  await stage.hire('w-a', { grants: ['activate_worker'] });
  await stage.hire('w-b', { grants: ['activate_worker'] });
  await stage.idle();
  stage.runs.length = 0;
  await stage.call('activate_worker', { workerId: 'w-a' });
  await until(() => stage.runs.length === 4);
  await stage.idle();
  expect(stage.runs.map(({ workerId }) => workerId)).toEqual(['w-a', 'w-b', 'w-a', 'w-b']);
  expect(stage.activations('w-b').at(-1)?.exit).toContain('4 Workers away from its cause, the limit is 3');
});
