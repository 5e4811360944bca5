import { beforeEach, describe, expect, test } from 'vitest';
import type { OpenBatch } from '../../src/domain/activation.ts';
import type { Command } from '../../src/domain/org.ts';
import { createInbox } from '../../src/store/inbox.ts';
import { hire, staff, stream, subscribe, type TestOrg, testOrg } from '../support/org.ts';

let org: TestOrg;

beforeEach(async () => {
  org = await staff(await testOrg(undefined, { limits: () => ({ maxHops: 3 }) }));
  await stream(org, 's-in');
  await stream(org, 's-other');
  await handled('w-ada');
  await handled('w-bob');
});

const LIMITS = { triggers: 20, bytes: 32_768 };
const next = (workerId = 'w-ada', limits = LIMITS) => org.inbox.next(workerId, limits);
const shown = (workerId = 'w-ada', limits = LIMITS) => next(workerId, limits)?.triggers.map(({ seq }) => seq) ?? [];
const publish = (streamId: string, body = 'x', actor = 'w-owner') => org.publish(actor, streamId, body);

let runs = 0;

/** A run of what is to be shown now, which ends as given. */
async function run(workerId: string, end: Partial<Extract<Command, { type: 'EndActivation' }>> = {}) {
  const batch = next(workerId)!;
  const triggers = batch.triggers.map(({ seq }) => seq);
  runs += 1;
  const run = { activationId: `a-${runs}`, workerId };
  const ranWith = { roles: [], identity: 0, grants: 0 };
  await org.commit('system', {
    type: 'StartActivation',
    ...run,
    triggers,
    attempt: batch.attempt,
    agent: { kind: 'command' },
    ranWith,
    content: [],
  });
  await org.commit('system', {
    type: 'EndActivation',
    ...run,
    outcome: 'done',
    exit: 'ok',
    throughSeq: Math.max(batch.checkpoint, ...triggers),
    settled: triggers,
    parked: [],
    open: null,
    published: 0,
    changed: 0,
    usage: {},
    ...end,
  });
  return triggers;
}

const handled = (workerId: string) => run(workerId);
const openBatch = (triggers: number[], fields: Partial<OpenBatch> = {}): OpenBatch => ({
  triggers,
  attempt: 2,
  oneByOne: false,
  notBefore: '2026-01-01T00:00:00.000Z',
  reason: 'cut off',
  ...fields,
});

describe('a new Worker', () => {
  test('is shown its hire first, then what has come since', async () => {
    await hire(org, 'w-new', { streams: ['s-in'] });
    const seq = await publish('s-in');
    const batch = next('w-new')!;
    expect(batch.triggers.map(({ event }) => event.type)).toEqual(['WorkerHired', 'EventPublished']);
    expect(batch).toMatchObject({ workerId: 'w-new', attempt: 1, rest: [], oneByOne: false });
    await handled('w-new');
    expect(next('w-new')).toBeUndefined();
    expect(org.queries.worker('w-new')?.checkpoint).toBe(seq);
  });

  test('is not shown what landed before it came', async () => {
    await publish('s-in');
    await hire(org, 'w-new', { streams: ['s-in'] });
    expect(next('w-new')!.triggers.map(({ event }) => event.type)).toEqual(['WorkerHired']);
  });

  test('who is a person is woken by nothing', async () => {
    await hire(org, 'w-person', { kind: 'human', streams: ['s-in'] });
    await publish('s-in');
    expect(org.inbox.workersWithWork()).toEqual([]);
  });
});

describe('listening', () => {
  test('shows just what landed while it lasted', async () => {
    await publish('s-in', 'before');
    await subscribe(org, 'w-ada', 's-in');
    const during = await publish('s-in', 'during');
    await org.commit('w-ada', { type: 'Unsubscribe', streamId: 's-in' });
    await publish('s-in', 'after');
    expect(shown()).toEqual([during]);
  });

  test('again does not bring what was missed', async () => {
    const seqs: number[] = [];
    for (let round = 0; round < 3; round++) {
      await subscribe(org, 'w-ada', 's-in');
      seqs.push(await publish('s-in', `heard ${round}`));
      await org.commit('w-ada', { type: 'Unsubscribe', streamId: 's-in' });
      await publish('s-in', `missed ${round}`);
    }
    expect(shown()).toEqual(seqs);
  });

  test('merges all Streams in the order things happened', async () => {
    await subscribe(org, 'w-ada', 's-in');
    await subscribe(org, 'w-ada', 's-other');
    const seqs: number[] = [];
    for (const streamId of ['s-other', 's-in', 's-in', 's-other']) seqs.push(await publish(streamId));
    const [dm] = await org
      .entries('w-bob', { type: 'SendDm', toWorkerId: 'w-ada', body: 'x' })
      .then((all) => all.slice(-1));
    const [request] = await org.entries('w-owner', { type: 'ActivateWorker', workerId: 'w-ada', reason: 'r' });
    expect(shown()).toEqual([...seqs, dm!.seq, request!.seq]);
  });

  test('does not show a Worker what it said itself', async () => {
    await subscribe(org, 'w-ada', 's-in');
    await publish('s-in', 'mine', 'w-ada');
    const theirs = await publish('s-in', 'theirs', 'w-bob');
    expect(shown()).toEqual([theirs]);
    expect(shown('w-bob')).toEqual([]);
  });

  test('to transcripts and notices wakes nobody', async () => {
    await org.commit('w-owner', { type: 'InviteWorkers', streamId: 's-notices', workerIds: ['w-ada'] });
    const [boss] = await org.entries('w-owner', {
      type: 'GrantTool',
      grantId: 'g-1',
      workerId: 'w-ada',
      tool: 'hire_worker',
    });
    expect(boss).toBeDefined();
    await org.commit('w-ada', {
      type: 'HireWorker',
      workerId: 'w-kid',
      positionId: 'p-ada',
      kind: 'ai',
      identity: 'x',
      grants: [],
      streams: [],
    });
    org.journal.transcribe([{ worker: 'w-kid', activationId: 'a-1', at: '2026-01-01T00:00:00.000Z', body: 'line' }]);
    await org.commit('system', { type: 'PostNotice', subject: 's', body: 'b' });
    expect(org.journal.org.subscribed.get('w-ada')).toEqual(new Set(['s-notices', 's-activations-w-kid']));
    expect(shown()).toEqual([]);
  });

  test('through a filter shows only what passes, however much does not', async () => {
    await org.commit('w-ada', { type: 'Subscribe', streamId: 's-in', filter: { from: ['eve'] } });
    const seqs: number[] = [];
    for (let n = 0; n < 350; n++) {
      const seq = await org.publish('transport:webhook', 's-in', {
        from: n % 120 === 119 ? 'eve' : 'bob',
        body: `${n}`,
      });
      if (n % 120 === 119) seqs.push(seq);
      if (n === 10) expect(shown()).toEqual([]);
    }
    expect(shown()).toEqual(seqs);
    expect(org.inbox.waiting('w-ada', 2)).toBe(2);
    expect(
      createInbox(org.db)
        .next('w-ada', LIMITS)
        ?.triggers.map(({ seq }) => seq),
    ).toEqual(seqs);
    await org.commit('w-ada', { type: 'Subscribe', streamId: 's-in', filter: null });
    const open = await publish('s-in', 'x', 'transport:webhook');
    expect(shown()).toEqual([...seqs, open]);
  });

  test('again through the same filter does not lose what was heard the time before', async () => {
    const listen = () => org.commit('w-ada', { type: 'Subscribe', streamId: 's-in', filter: { from: ['eve'] } });
    await listen();
    const heard = await org.publish('w-owner', 's-in', { from: 'eve', body: 'x' });
    await org.commit('w-ada', { type: 'Unsubscribe', streamId: 's-in' });
    await listen();
    await org.publish('w-owner', 's-in', { from: 'bob', body: 'x' });
    expect([shown(), shown(), shown()]).toEqual([[heard], [heard], [heard]]);
  });

  test('ends with the Worker: one who was fired has no inbox', async () => {
    await subscribe(org, 'w-ada', 's-in');
    await publish('s-in');
    await org.commit('w-owner', { type: 'FireWorker', workerId: 'w-ada' });
    expect([next(), org.inbox.hasWork('w-ada'), org.inbox.waiting('w-ada', 10)]).toEqual([undefined, false, 0]);
    expect(org.inbox.workersWithWork()).toEqual([]);
  });

  test('of nobody shows nothing', () => {
    expect([next('w-none'), org.inbox.waiting('w-none', 10), org.inbox.openBatch('w-none')]).toEqual([
      undefined,
      0,
      undefined,
    ]);
  });
});

describe('a Stream that is deleted', () => {
  const remove = () => org.commit('w-owner', { type: 'DeleteStream', streamId: 's-in' });

  test('takes with it what was pending', async () => {
    await subscribe(org, 'w-ada', 's-in');
    await subscribe(org, 'w-ada', 's-other');
    await publish('s-in');
    const other = await publish('s-other');
    await remove();
    expect(shown()).toEqual([other]);
  });

  test('takes with it what was to be shown again', async () => {
    await subscribe(org, 'w-ada', 's-in');
    const seq = await publish('s-in');
    await org.commit('system', { type: 'HoldTriggers', workerId: 'w-ada', triggers: [seq], reason: 'r' });
    await org.commit('system', { type: 'RequeueTriggers', workerId: 'w-ada', triggers: [seq] });
    expect(shown()).toEqual([seq]);
    await remove();
    expect(shown()).toEqual([]);
    expect(org.queries.asideOf(seq)).toMatchObject([{ state: 'dropped', reason: 'its Stream was deleted' }]);
  });

  test('takes with it its part of a batch that was cut off', async () => {
    await subscribe(org, 'w-ada', 's-in');
    await subscribe(org, 'w-ada', 's-other');
    const [first, second, third] = [await publish('s-in'), await publish('s-other'), await publish('s-in')];
    const open = openBatch([first, second, third]);
    await run('w-ada', { outcome: 'lost', throughSeq: 0, settled: [], open });
    await remove();
    expect(shown()).toEqual([second]);
    expect(next()).toMatchObject({ attempt: 2, reason: 'cut off', rest: [] });
    await org.commit('w-owner', { type: 'DeleteStream', streamId: 's-other' });
    expect([next(), org.inbox.hasWork('w-ada')]).toEqual([undefined, false]);
    await stream(org, 's-new');
    await subscribe(org, 'w-ada', 's-new');
    const fresh = await publish('s-new');
    expect(next()).toMatchObject({ attempt: 1 });
    expect(await handled('w-ada')).toEqual([fresh]);
    expect(org.inbox.openBatch('w-ada')).toBeUndefined();
  });
});

describe('a batch', () => {
  beforeEach(() => subscribe(org, 'w-ada', 's-in'));

  test('has no more triggers than allowed; the rest comes next', async () => {
    const seqs: number[] = [];
    for (let n = 0; n < 7; n++) seqs.push(await publish('s-in'));
    const few = { triggers: 3, bytes: 32_768 };
    expect(shown('w-ada', few)).toEqual(seqs.slice(0, 3));
    expect(org.inbox.waiting('w-ada', 5)).toBe(5);
    expect(org.inbox.waiting('w-ada', 50)).toBe(7);
  });

  test('has no more bytes than allowed, but at least one trigger', async () => {
    const seqs = [
      await publish('s-in', 'x'.repeat(400)),
      await publish('s-in', 'y'.repeat(400)),
      await publish('s-in', 'z'),
    ];
    expect(shown('w-ada', { triggers: 20, bytes: 10 })).toEqual(seqs.slice(0, 1));
    expect(shown('w-ada', { triggers: 20, bytes: 500 })).toEqual(seqs.slice(0, 1));
    expect(shown('w-ada', { triggers: 20, bytes: 1_000 })).toEqual(seqs);
  });

  test('does not mix what comes from outside with what comes from inside', async () => {
    const [a, b, c, d] = [
      await publish('s-in', 'in'),
      await publish('s-in', 'in', 'w-bob'),
      await publish('s-in', 'out', 'transport:webhook'),
      await publish('s-in', 'in'),
    ];
    expect(await handled('w-ada')).toEqual([a, b]);
    expect(await handled('w-ada')).toEqual([c]);
    expect(await handled('w-ada')).toEqual([d]);
    expect(shown()).toEqual([]);
  });

  test('holds one conversation on a Stream that says so, and what has no thread alone', async () => {
    await stream(org, 's-mail', { batch: 'conversation' });
    await subscribe(org, 'w-ada', 's-mail');
    await handled('w-ada').catch(() => {});
    const mail = (thread?: string) =>
      org.publish('transport:email', 's-mail', { body: 'x', ...(thread ? { thread_id: thread } : {}) });
    const seqs = [await mail('t1'), await mail('t1'), await mail('t2'), await mail(), await mail(), await mail('t1')];
    const [a, b, c, d, e, f] = seqs;
    const batches = [];
    while (org.inbox.hasWork('w-ada')) batches.push(await handled('w-ada'));
    expect(batches).toEqual([[a, b], [c], [d], [e], [f]]);
    await org.commit('w-owner', { type: 'UpdateStream', streamId: 's-mail', batch: 'stream' });
    const more = [await mail('t1'), await mail('t2'), await mail()];
    expect(await handled('w-ada')).toEqual(more);
  });

  test('never leaves a trigger out that came before another it has', async () => {
    await subscribe(org, 'w-ada', 's-other');
    const seqs: number[] = [];
    for (let n = 0; n < 30; n++) seqs.push(await publish(n % 5 === 0 ? 's-other' : 's-in', 'x'.repeat(n)));
    const seen: number[] = [];
    while (org.inbox.hasWork('w-ada')) seen.push(...(await handled('w-ada')));
    expect(seen).toEqual(seqs);
  });

  test('moves the checkpoint when its run has ended, and only forward', async () => {
    const seq = await publish('s-in');
    expect(next()!.checkpoint).toBeLessThan(seq);
    await handled('w-ada');
    expect(org.queries.worker('w-ada')?.checkpoint).toBe(seq);
    await publish('s-in');
    await run('w-ada', { throughSeq: 1 });
    expect(org.queries.worker('w-ada')?.checkpoint).toBe(seq);
  });
});

describe('a batch that is shown again', () => {
  beforeEach(() => subscribe(org, 'w-ada', 's-in'));

  test('is the same, says why, and waits as long as it must; what came since waits behind it', async () => {
    const [a, b] = [await publish('s-in'), await publish('s-in')];
    const open = openBatch([a, b], { notBefore: '2100-01-01T00:00:00.000Z' });
    await run('w-ada', { outcome: 'failed', throughSeq: 0, settled: [], open });
    const later = await publish('s-in');
    expect(next()).toMatchObject({
      attempt: 2,
      reason: 'cut off',
      notBefore: open.notBefore,
      oneByOne: false,
      rest: [],
    });
    expect(shown()).toEqual([a, b]);
    expect(org.inbox.openBatch('w-ada')).toEqual(open);
    expect(org.inbox.waiting('w-ada', 10)).toBe(3);
    await handled('w-ada');
    expect(shown()).toEqual([later]);
  });

  test('goes one by one when it must', async () => {
    const seqs = [await publish('s-in'), await publish('s-in'), await publish('s-in')];
    await run('w-ada', {
      outcome: 'failed',
      throughSeq: 0,
      settled: [],
      open: openBatch(seqs, { attempt: 3, oneByOne: true }),
    });
    expect(next()).toMatchObject({ attempt: 3, oneByOne: true, rest: seqs.slice(1) });
    expect(shown()).toEqual(seqs.slice(0, 1));
    const rest = openBatch(seqs.slice(1), { attempt: 3, oneByOne: true });
    await run('w-ada', { parked: [seqs[0]!], settled: [], outcome: 'failed', open: rest });
    expect(shown()).toEqual([seqs[1]]);
    expect(org.queries.asideOf(seqs[0]!)).toMatchObject([{ worker: 'w-ada', state: 'parked', reason: 'ok' }]);
  });

  test('survives a restart of the daemon as it is', async () => {
    const seq = await publish('s-in');
    await run('w-ada', { outcome: 'lost', throughSeq: 0, settled: [], open: openBatch([seq]) });
    expect(createInbox(org.db).next('w-ada', LIMITS)).toEqual(next());
  });

  test('shows a redacted Event without its text', async () => {
    const seq = await publish('s-in', 'secret');
    await run('w-ada', { outcome: 'lost', throughSeq: 0, settled: [], open: openBatch([seq]) });
    await org.commit('w-owner', { type: 'RedactEvent', event: seq, streamId: 's-in', alsoErase: [], reason: '' });
    expect(next()!.triggers.map(({ content }) => content)).toEqual([[]]);
  });
});

describe('what was set aside', () => {
  beforeEach(() => subscribe(org, 'w-ada', 's-in'));
  const aside = (type: 'HoldTriggers' | 'RequeueTriggers' | 'DropTriggers', ...triggers: number[]) =>
    org.commit('system', { type, workerId: 'w-ada', triggers, reason: 'r' });

  test('is not shown while it is held, and later things go on', async () => {
    const [held, other] = [await publish('s-in'), await publish('s-in')];
    await aside('HoldTriggers', held);
    expect(shown()).toEqual([other]);
    await handled('w-ada');
    await aside('RequeueTriggers', held);
    expect(shown()).toEqual([held]);
    await handled('w-ada');
    expect(shown()).toEqual([]);
    expect(org.queries.asideOf(held)).toEqual([]);
  });

  test('comes before newer things when it is put back, however late', async () => {
    const [parked, other] = [await publish('s-in'), await publish('s-in')];
    await run('w-ada', { settled: [other], parked: [parked], outcome: 'failed' });
    expect(shown()).toEqual([]);
    const later = await publish('s-in');
    await aside('RequeueTriggers', parked);
    expect(shown()).toEqual([parked, later]);
  });

  test('is gone once it is dropped', async () => {
    const seq = await publish('s-in');
    await aside('DropTriggers', seq);
    expect(shown()).toEqual([]);
  });

  test('while it was being worked on stays so when the run ends well', async () => {
    const [held, other] = [await publish('s-in'), await publish('s-in')];
    await aside('HoldTriggers', held);
    await run('w-ada', { settled: [held, other] });
    expect(org.queries.asideOf(held)).toMatchObject([{ state: 'held' }]);
  });

  test('holds for one Worker, not for the others', async () => {
    await subscribe(org, 'w-bob', 's-in');
    const seq = await publish('s-in');
    await aside('HoldTriggers', seq);
    expect([shown('w-ada'), shown('w-bob')]).toEqual([[], [seq]]);
  });

  test('may be a hire or a request', async () => {
    const [request] = await org.entries('w-owner', { type: 'ActivateWorker', workerId: 'w-ada', reason: 'r' });
    await aside('HoldTriggers', request!.seq);
    expect(shown()).toEqual([]);
    await aside('RequeueTriggers', request!.seq);
    expect(shown()).toEqual([request!.seq]);
  });
});

describe('an Event held for its distance', () => {
  const tooFar = () => org.publish('w-bob', 's-in', 'loop', { cause: { causedBy: 1, root: 1, hops: 3 } });

  beforeEach(async () => {
    await subscribe(org, 'w-ada', 's-in');
    await subscribe(org, 'w-bob', 's-in');
  });

  test('wakes nobody until it is released, and then not its author', async () => {
    const seq = await tooFar();
    expect(shown()).toEqual([]);
    await org.commit('w-owner', { type: 'ReleaseEvent', event: seq, streamId: 's-in' });
    expect([shown('w-ada'), shown('w-bob')]).toEqual([[seq], []]);
    await handled('w-ada');
    expect(shown()).toEqual([]);
  });

  test('wakes nobody ever once it is discarded', async () => {
    const seq = await tooFar();
    await org.commit('w-owner', { type: 'DiscardEvent', event: seq, streamId: 's-in' });
    expect(shown()).toEqual([]);
    expect(org.inbox.hasWork('w-ada')).toBe(false);
  });

  test('does not hold up what comes after it', async () => {
    const held = await tooFar();
    const later = await publish('s-in');
    expect(await handled('w-ada')).toEqual([later]);
    await org.commit('w-owner', { type: 'ReleaseEvent', event: held, streamId: 's-in' });
    expect(shown()).toEqual([held]);
  });
});

test('whoever has work is found, and nobody else', async () => {
  await subscribe(org, 'w-ada', 's-in');
  await subscribe(org, 'w-bob', 's-other');
  await publish('s-in');
  expect(org.inbox.workersWithWork()).toEqual(['w-ada']);
  await publish('s-other');
  expect(org.inbox.workersWithWork()).toEqual(['w-ada', 'w-bob']);
});
