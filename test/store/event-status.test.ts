import { beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../src/domain/org.ts';
import { hire, staff, stream, subscribe, type TestOrg, testOrg } from '../support/org.ts';

let org: TestOrg;

beforeEach(async () => {
  org = await staff(await testOrg(undefined, { limits: () => ({ maxHops: 3 }) }));
  await stream(org, 's-in');
  for (const workerId of ['w-ada', 'w-bob', 'w-eve']) await subscribe(org, workerId, 's-in');
  for (const workerId of ['w-ada', 'w-bob']) await run(workerId, org.queries.worker(workerId)!.hiredSeq);
});

let runs = 0;

async function start(workerId: string, ...triggers: number[]): Promise<string> {
  const activationId = `a-${++runs}`;
  const ranWith = { roles: [], identity: 0, grants: 0 };
  const fields = { activationId, workerId, triggers, attempt: 1, agent: { kind: 'command' }, ranWith, content: [] };
  await org.commit('system', { type: 'StartActivation', ...fields });
  return activationId;
}

type End = Extract<Command, { type: 'EndActivation' }>;

async function end(activationId: string, workerId: string, fields: Partial<End>) {
  const base = {
    outcome: 'done',
    exit: 'ok',
    throughSeq: 0,
    settled: [],
    parked: [],
    open: null,
    published: 0,
    changed: 0,
    usage: {},
  } as const;
  await org.commit('system', {
    ...base,
    type: 'EndActivation',
    activationId,
    workerId,
    settled: [],
    parked: [],
    ...fields,
  });
}

async function run(workerId: string, ...triggers: number[]) {
  await end(await start(workerId, ...triggers), workerId, { throughSeq: Math.max(...triggers), settled: triggers });
}

const publish = (actor = 'w-owner') => org.publish(actor, 's-in', { from: 'eve', body: 'x' });
const page = (seq: number, after = '', limit = 100) =>
  org.queries.eventStatus.page({ seq, stream: 's-in', publisher: org.queries.entry(seq)!.actor }, after, limit);
const stateOf = (seq: number, workerId: string) => page(seq).find((status) => status.workerId === workerId);
const aside = (type: 'HoldTriggers' | 'RequeueTriggers' | 'DropTriggers', seq: number) =>
  org.commit('system', { type, workerId: 'w-ada', triggers: [seq], reason: 'limit' });

describe('what became of an Event', () => {
  test('is told of everybody who listened when it landed, once each, in pages', async () => {
    const before = await publish();
    await hire(org, 'w-late', { streams: ['s-in'] });
    const seq = await publish();
    await org.commit('w-bob', { type: 'Unsubscribe', streamId: 's-in' });
    await subscribe(org, 'w-bob', 's-in');
    expect(page(seq).map(({ workerId }) => workerId)).toEqual(['w-ada', 'w-bob', 'w-eve', 'w-late']);
    expect(page(before).map(({ workerId }) => workerId)).toEqual(['w-ada', 'w-bob', 'w-eve']);
    expect(page(seq, 'w-bob', 1).map(({ workerId }) => workerId)).toEqual(['w-eve']);
    expect(org.queries.eventStatus.total({ seq, stream: 's-in' })).toBe(4);
  });

  test('is told of people and of the author', async () => {
    const seq = await publish('w-ada');
    expect(page(seq).map(({ state }) => state)).toEqual(['skipped', 'queued', 'read_only']);
  });

  test('goes from queued through its activation to handled', async () => {
    const seq = await publish();
    expect(stateOf(seq, 'w-ada')).toMatchObject({ state: 'queued', reason: 'waits for its turn' });
    const activationId = await start('w-ada', seq);
    expect(stateOf(seq, 'w-ada')).toMatchObject({ state: 'in_activation', activationId });
    await end(activationId, 'w-ada', { throughSeq: seq, settled: [seq] });
    expect(stateOf(seq, 'w-ada')).toMatchObject({ state: 'handled', activationId });
    expect(stateOf(seq, 'w-bob')?.state).toBe('queued');
  });

  test('says why it waits', async () => {
    const seq = await publish();
    await org.commit('w-owner', { type: 'PauseWorker', workerId: 'w-ada' });
    expect(stateOf(seq, 'w-ada')?.reason).toBe('the Worker is paused');
    await org.commit('w-owner', { type: 'PauseOrg' });
    expect(stateOf(seq, 'w-bob')?.reason).toBe('the org is paused');
    await org.commit('w-owner', { type: 'ResumeOrg' });
    expect(stateOf(seq, 'w-bob')?.reason).toBe('waits for its turn');
  });

  test('is queued again when its run was cut off, and parked when it failed too often', async () => {
    const seq = await publish();
    const open = {
      triggers: [seq],
      attempt: 2,
      oneByOne: false,
      notBefore: '2026-01-01T00:00:00.000Z',
      reason: 'cut off',
    };
    await end(await start('w-ada', seq), 'w-ada', { outcome: 'lost', exit: 'lost', open });
    expect(stateOf(seq, 'w-ada')).toMatchObject({
      state: 'queued',
      reason: expect.stringContaining('the last run ended with: lost'),
    });
    const activationId = await start('w-ada', seq);
    await end(activationId, 'w-ada', { outcome: 'failed', exit: 'exit code 1', throughSeq: seq, parked: [seq] });
    expect(stateOf(seq, 'w-ada')).toMatchObject({ state: 'parked', reason: 'exit code 1', activationId });
    await aside('RequeueTriggers', seq);
    expect(stateOf(seq, 'w-ada')?.state).toBe('queued');
  });

  test('may be that it is held, for one Worker or for all, dropped or discarded', async () => {
    const [one, other] = [await publish(), await publish()];
    await aside('HoldTriggers', one);
    expect(stateOf(one, 'w-ada')).toMatchObject({ state: 'held', reason: 'limit' });
    expect(stateOf(one, 'w-bob')?.state).toBe('queued');
    await aside('DropTriggers', other);
    expect(stateOf(other, 'w-ada')?.state).toBe('dropped');
    const far = await org.publish('w-ada', 's-in', 'x', { cause: { causedBy: 1, root: 1, hops: 3 } });
    expect(stateOf(far, 'w-bob')).toMatchObject({ state: 'held', reason: '4 hops from its cause, the limit is 3' });
    await org.commit('w-owner', { type: 'DiscardEvent', event: far, streamId: 's-in' });
    expect(stateOf(far, 'w-bob')).toMatchObject({ state: 'dropped', reason: 'discarded' });
  });

  test('may be that a filter kept it out, or that it was redacted before anybody saw it', async () => {
    await org.commit('w-ada', { type: 'Subscribe', streamId: 's-in', filter: { from: ['bob'] } });
    const seq = await publish();
    expect(stateOf(seq, 'w-ada')?.state).toBe('filtered');
    await org.commit('w-owner', { type: 'RedactEvent', event: seq, streamId: 's-in', alsoErase: [], reason: '' });
    expect(stateOf(seq, 'w-bob')?.state).toBe('redacted');
  });

  test('may be that the Worker was fired with it', async () => {
    const seq = await publish();
    await org.commit('w-owner', { type: 'FireWorker', workerId: 'w-ada' });
    expect(stateOf(seq, 'w-ada')).toMatchObject({ state: 'dropped', reason: 'fired' });
  });

  test('may be that its Stream was deleted with it', async () => {
    const seq = await publish();
    await org.commit('w-owner', { type: 'DeleteStream', streamId: 's-in' });
    expect(stateOf(seq, 'w-ada')?.state).toBe('dropped');
  });
});
