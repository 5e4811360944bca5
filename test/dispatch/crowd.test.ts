// Many Workers at once: the event loop is never held up for all of them, and nobody waits for ever.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunAgent } from '../../src/domain/agent.ts';
import { waitFor } from '../support/daemon.ts';
import { dispatchStage, fakeClock, until } from '../support/dispatch.ts';
import { type Dispatching, type Held, heldAgent, openDispatching } from '../support/dispatcher.ts';
import { hire, openOrg, stream, testDirectory } from '../support/org.ts';

const names = (count: number, letter = 'x') => Array.from({ length: count }, (_, n) => `w-${letter}${n}`);

async function crowd(stage: Dispatching, workers: string[], streams: string[] = ['s-all']): Promise<void> {
  for (const id of streams) if (!stage.journal.org.streams.has(id)) await stream(stage, id);
  await Promise.all(workers.map((workerId) => hire(stage, workerId, { streams })));
}

/** How often a Worker is looked up while one turn of the event loop lasts: what marking costs. */
function countPerTurn(stage: Dispatching) {
  const { workers } = stage.journal.org;
  const get = workers.get.bind(workers);
  let inTurn = 0;
  let most = 0;
  workers.get = (id) => {
    inTurn += 1;
    most = Math.max(most, inTurn);
    return get(id);
  };
  let isOver = false;
  const next = () => {
    inTurn = 0;
    if (!isOver) setImmediate(next);
  };
  next();
  return {
    end() {
      isOver = true;
      workers.get = get;
      return most;
    },
  };
}

/** How many inboxes are looked into while one turn of the event loop lasts. */
function countLooks(stage: Dispatching) {
  const { inbox } = stage;
  const next = inbox.next;
  const counted = { total: 0, inTurn: 0, most: 0 };
  inbox.next = (...args) => {
    counted.total += 1;
    counted.inTurn += 1;
    counted.most = Math.max(counted.most, counted.inTurn);
    return next.apply(inbox, args);
  };
  let isOver = false;
  const turn = () => {
    counted.inTurn = 0;
    if (!isOver) setImmediate(turn);
  };
  turn();
  return Object.assign(counted, {
    /** The most in one turn. */
    end() {
      isOver = true;
      return counted.most;
    },
  });
}

test('an Event for ten thousand Workers is one commit, and they are marked in slices', {
  timeout: 120_000,
}, async () => {
  const stage = await openDispatching();
  await stream(stage, 's-one');
  await crowd(stage, names(10_000));
  await hire(stage, 'w-solo', { streams: ['s-one'] });
  const commits: string[] = [];
  const exec = stage.db.sqlite.exec.bind(stage.db.sqlite);
  stage.db.sqlite.exec = (statement) => {
    commits.push(statement);
    return exec(statement);
  };
  const rows = () => stage.db.sqlite.prepare('SELECT count(*) FROM journal').pluck().get() as number;
  const costOf = async (streamId: string) => {
    const before = rows();
    commits.length = 0;
    await stage.publish('w-owner', streamId, 'hello');
    return [rows() - before, ...commits];
  };
  const count = countPerTurn(stage);
  expect(await costOf('s-all')).toEqual(await costOf('s-one'));
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(count.end()).toBeLessThanOrEqual(2_200);
});

test('a burst on a Stream of ten thousand is marked once or twice, not once for each Event', {
  timeout: 120_000,
}, async () => {
  const stage = await openDispatching();
  await crowd(stage, names(10_000));
  const count = countPerTurn(stage);
  await Promise.all(Array.from({ length: 200 }, () => stage.publish('transport:x', 's-all', 'hello')));
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(count.end()).toBeLessThanOrEqual(2_200);
});

test('stopping while subscribers are being marked does not hang', async () => {
  const stage = await openDispatching();
  await crowd(stage, names(2_500));
  await stage.publish('w-owner', 's-all', 'hello');
  await stage.dispatcher.stop();
});

test('idle is reached although the last subscribers to be marked are people', async () => {
  const stage = await openDispatching();
  await stream(stage, 's-all');
  const people = names(1_500);
  await Promise.all(people.map((workerId) => hire(stage, workerId, { kind: 'human', streams: ['s-all'] })));
  stage.start();
  await stage.publish('w-owner', 's-all', 'hello');
  await stage.idle();
  expect(stage.runs).toEqual([]);
});

test('a look that finds nothing for thousands does not hold up the loop', async () => {
  const stage = await openDispatching();
  await stream(stage, 's-all');
  const workers = names(3_000);
  for (const { event, seq } of (await Promise.all(workers.map((workerId) => hire(stage, workerId)))).flat()) {
    if (event.type !== 'WorkerHired') continue;
    void stage.commit('w-owner', { type: 'DropTriggers', workerId: event.workerId, triggers: [seq], reason: 'test' });
  }
  stage.start();
  await stage.idle();
  const filter = { subject: ['never'] };
  await Promise.all(
    workers.map((workerId) => stage.commit(workerId, { type: 'Subscribe', streamId: 's-all', filter })),
  );
  const looks = countLooks(stage);
  await stage.publish('w-owner', 's-all', 'hello');
  await stage.idle();
  expect(looks.total).toBe(3_000);
  expect(looks.end()).toBeLessThanOrEqual(100);
});

test('what people and the outside keep sending does not starve the rest', async () => {
  const stage = await openDispatching({ settings: { 'dispatch.max_inflight': 1 } });
  const busy = names(6, 'busy');
  await crowd(stage, busy);
  await stream(stage, 's-quiet');
  await hire(stage, 'w-quiet', { streams: ['s-quiet'] });
  stage.play = () => ({});
  stage.start();
  await stage.idle();
  stage.runs.length = 0;
  stage.play = ({ workerId }) => {
    if (stage.runs.length < 200 && workerId !== 'w-quiet') void stage.publish('w-owner', 's-all', 'again');
    return {};
  };
  await stage.publish('w-owner', 's-all', 'begin');
  await stage.publish('w-busy0', 's-quiet', 'from an AI');
  await stage.idle();
  const at = stage.runs.findIndex(({ workerId }) => workerId === 'w-quiet');
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(30);
});

test('a Worker that is always busy does not keep the others out', async () => {
  const stage = await openDispatching({ settings: { 'dispatch.max_inflight': 1 } });
  await stream(stage, 's-busy');
  await hire(stage, 'w-busy', { streams: ['s-busy'] });
  await crowd(stage, names(3));
  stage.play = () => ({});
  stage.start();
  await stage.idle();
  stage.runs.length = 0;
  stage.play = ({ workerId }) => {
    if (workerId === 'w-busy' && stage.runs.length < 100) void stage.publish('w-owner', 's-busy', 'more');
    return {};
  };
  await stage.publish('w-owner', 's-busy', 'begin');
  await stage.publish('w-owner', 's-all', 'for the others');
  await stage.idle();
  const last = stage.runs.findLastIndex(({ workerId }) => workerId !== 'w-busy');
  expect(last).toBeLessThan(10);
});

test('A111: people get one slot more than the rest', async () => {
  const stage = await openDispatching({ settings: { 'dispatch.max_inflight': 2 } });
  await stream(stage, 's-ai');
  await stream(stage, 's-person');
  for (const id of ['w-a', 'w-b', 'w-c']) await hire(stage, id, { streams: ['s-ai'] });
  for (const id of ['w-p', 'w-q']) await hire(stage, id, { streams: ['s-person'] });
  stage.play = () => ({});
  stage.start();
  await stage.idle();
  stage.play = undefined;
  stage.runs.length = 0;
  await stage.publish('w-a', 's-ai', 'from an AI');
  await until(() => stage.runs.length === 2);
  await stage.publish('w-owner', 's-person', 'from a person');
  await until(() => stage.runs.length === 3);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(stage.runs).toHaveLength(3);
  expect(stage.dispatcher.running).toBe(3);
});

test('a start with thousands of Workers does not hold up the loop, and wakes only those who have work', async () => {
  const stage = await openDispatching();
  const workers = names(3_000);
  for (const { event, seq } of (await Promise.all(workers.map((workerId) => hire(stage, workerId)))).flat()) {
    if (event.type !== 'WorkerHired' || event.workerId === 'w-x2999') continue;
    void stage.commit('w-owner', { type: 'DropTriggers', workerId: event.workerId, triggers: [seq], reason: 'test' });
  }
  stage.play = () => ({});
  await stage.journal.flush();
  const looks = countLooks(stage);
  stage.start();
  expect(looks.inTurn).toBe(0);
  await stage.idle();
  expect(looks.end()).toBeLessThanOrEqual(100);
  expect(stage.runs.map(({ workerId }) => workerId)).toEqual(['w-x2999']);
});

test('after a restart people’s work comes first, also behind what others wait for', async () => {
  const directory = testDirectory();
  const clock = fakeClock();
  const stage = await openDispatching({ file: join(directory, 'one.db'), clock });
  stage.play = () => ({});
  stage.start();
  stage.db.sqlite.pragma('synchronous = OFF');
  await stream(stage, 's-person');
  await crowd(stage, names(120));
  await hire(stage, 'w-late', { streams: ['s-person'] });
  await stage.settle();
  await stage.commit('w-owner', { type: 'PauseOrg' });
  await stage.publish('w-late', 's-all', 'from an AI');
  // It is behind an AI's Event in its own inbox, too.
  await stage.publish('w-x0', 's-person', 'from an AI');
  await stage.publish('w-owner', 's-person', 'from a person');
  await stage.settle();
  await stage.dieInto(join(directory, 'two.db'));
  const next = await openDispatching({
    file: join(directory, 'two.db'),
    clock,
    settings: { 'dispatch.max_inflight': 1 },
  });
  await next.commit('w-owner', { type: 'ResumeOrg' });
  next.play = () => ({});
  await next.recover();
  next.start();
  await next.settle();
  const at = next.runs.findIndex(({ workerId }) => workerId === 'w-late');
  expect(next.runs).toHaveLength(121);
  expect(at).toBeLessThan(20);
});

test('what a person adds behind a long line of others’ work is still urgent after the run before it', async () => {
  const stage = await openDispatching({ settings: { 'dispatch.max_inflight': 1, 'dispatch.batch_triggers': 1 } });
  stage.play = () => ({});
  stage.start();
  await stream(stage, 's-late');
  await crowd(stage, names(6));
  await hire(stage, 'w-late', { streams: ['s-late'] });
  await stage.settle();
  stage.runs.length = 0;
  await stage.commit('w-owner', { type: 'PauseOrg' });
  await stage.publish('w-x0', 's-late', 'from an AI');
  await stage.publish('w-owner', 's-late', 'from a person');
  for (let n = 0; n < 5; n++) await stage.publish('w-late', 's-all', 'from an AI');
  await stage.commit('w-owner', { type: 'ResumeOrg' });
  await stage.settle();
  const late = stage.runs.flatMap(({ workerId }, at) => (workerId === 'w-late' ? [at] : []));
  expect(stage.runs).toHaveLength(32);
  // Whoever else waits has up to five batches; both of its own come among the first.
  expect(late[1]).toBeLessThan(12);
});

test('a daemon that finds 10,000 Workers and 100,000 pending triggers answers at once and never runs too many', {
  timeout: 240_000,
}, async () => {
  const dataDir = testDirectory();
  const org = openOrg(join(dataDir, 'org.db'));
  org.db.sqlite.pragma('synchronous = OFF');
  await org.found();
  await stream(org, 's-all');
  const workers = names(10_000);
  await Promise.all(workers.map((workerId) => hire(org, workerId, { streams: ['s-all'] })));
  for (let n = 0; n < 9; n++) await org.publish('w-owner', 's-all', `work ${n}`);
  org.close();
  let most = 0;
  const begun = new Set<string>();
  const stage = await dispatchStage({
    dataDir,
    settings: { 'dispatch.max_inflight': 4 },
    play: async ({ workerId }) => {
      begun.add(workerId);
      most = Math.max(most, stage.daemon.dispatcher.running);
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  const looks = begun.size;
  const answer = await fetch(`${stage.daemon.url}/healthz`);
  expect([answer.status, looks]).toEqual([200, 0]);
  // While everybody is sorted and started, it goes on answering, and nobody waits for the line to end.
  await until(() => begun.size >= 300);
  expect((await fetch(`${stage.daemon.url}/healthz`)).status).toBe(200);
  expect(begun.size).toBeLessThan(10_000);
  // People come first: one more than the limit at most.
  expect(most).toBeLessThanOrEqual(5);
  await stage.call('pause_org');
  await stage.idle();
  expect(stage.daemon.queries.runningActivations()).toEqual([]);
});

test('a run that asks for its tools has started, so another may, though it has said nothing yet', async () => {
  const silent: Held[] = [];
  const playSilent: RunAgent = (run) =>
    new Promise((resolve) => {
      const held: Held = { ...run, finish: () => resolve({ outcome: 'done', exit: 'ok' }) };
      run.signal.addEventListener('abort', () => held.finish());
      silent.push(held);
    });
  const agent = heldAgent('silent', playSilent);
  const atOnce = cpus().length;
  const stage = await openDispatching({
    settings: { 'dispatch.max_inflight': atOnce + 1 },
    agents: () => ({ defaultKind: () => 'silent', of: (own) => ({ agent, choice: own }) }),
  });
  await stream(stage, 's-all');
  for (let n = 0; n <= atOnce; n++) await hire(stage, `w-${n}`, { streams: ['s-all'] });
  stage.start();
  await waitFor('as many start as there are cores', () => silent.length === atOnce);
  expect(stage.dispatcher.running).toBe(atOnce);
  expect(stage.tokens.verify(silent[0]?.mcp.token ?? '')).toMatchObject({ workerId: silent[0]?.workerId });
  await waitFor('the last one starts', () => silent.length === atOnce + 1);
  for (const run of silent) run.finish();
  await stage.idle();
});
