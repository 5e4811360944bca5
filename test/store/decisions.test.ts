// Commands that speak of triggers and activations are checked against what there is.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../src/domain/org.ts';
import { refusal, staff, stream, subscribe, type TestOrg, testOrg } from '../support/org.ts';

let org: TestOrg;

beforeEach(async () => {
  org = await staff(await testOrg());
  await stream(org, 's-in');
  await subscribe(org, 'w-ada', 's-in');
});

const system = (command: Command) => org.commit('system', command);
const hireOf = (workerId: string) => org.queries.worker(workerId)!.hiredSeq;

async function start(activationId: string, workerId: string): Promise<void> {
  const ranWith = { roles: [], identity: 0, grants: 0 };
  const triggers = [hireOf(workerId)];
  const fields = { activationId, workerId, triggers, attempt: 1, agent: { kind: 'command' }, ranWith, content: [] };
  await system({ type: 'StartActivation', ...fields });
}

const end = (activationId: string, workerId: string) =>
  system({
    type: 'EndActivation',
    activationId,
    workerId,
    outcome: 'done',
    exit: 'ok',
    throughSeq: 0,
    settled: [],
    parked: [],
    open: null,
    published: 0,
    changed: 0,
    usage: {},
  });

describe('EndActivation', () => {
  test('is refused for an activation that never was, is another Worker’s, or has ended', async () => {
    await start('a-1', 'w-ada');
    expect((await refusal(end('a-2', 'w-ada'))).message).toBe('a-2 is no activation of w-ada that runs.');
    expect((await refusal(end('a-1', 'w-bob'))).code).toBe('conflict');
    await end('a-1', 'w-ada');
    expect((await refusal(end('a-1', 'w-ada'))).code).toBe('conflict');
  });
});

describe('triggers', () => {
  const set = (type: 'HoldTriggers' | 'DropTriggers' | 'ExpireTriggers' | 'RequeueTriggers', ...triggers: number[]) =>
    system({ type, workerId: 'w-ada', triggers, reason: 'r' } as Command);

  test('are set aside only for a Worker whom they concern', async () => {
    const seq = await org.publish('w-owner', 's-in', 'x');
    await stream(org, 's-other');
    const elsewhere = await org.publish('w-owner', 's-other', 'x');
    for (const type of ['HoldTriggers', 'DropTriggers', 'ExpireTriggers'] as const) {
      for (const odd of [0, 1, elsewhere, hireOf('w-bob'), 1e9]) {
        expect(await refusal(set(type, seq, odd))).toEqual({
          code: 'invalid',
          message: `Journal ${odd} is no trigger of w-ada.`,
        });
      }
    }
    await set('HoldTriggers', seq, hireOf('w-ada'));
    expect(org.queries.setAsideOf('w-ada').map((row) => row.seq)).toEqual([hireOf('w-ada'), seq]);
  });

  test('are let go only when they are set aside', async () => {
    const seq = await org.publish('w-owner', 's-in', 'x');
    expect((await refusal(set('RequeueTriggers', seq))).message).toContain('is not set aside for w-ada');
    await set('ExpireTriggers', seq);
    await set('RequeueTriggers', seq);
    expect((await refusal(set('RequeueTriggers', seq))).code).toBe('invalid');
  });
});
