import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/domain/org.ts';
import { fired, founded, given, hired, type Step } from '../support/given.ts';

const history: Step[] = [founded, hired('w-ada')];
const gone: Step[] = [...history, fired('w-ada')];

const start = {
  type: 'StartActivation',
  activationId: 'a-1',
  workerId: 'w-ada',
  triggers: [7, 8],
  attempt: 2,
  agent: { kind: 'command' },
  ranWith: { roles: [1], identity: 2, grants: 3 },
  content: [{ name: 'prompt', bytes: Buffer.from('Act.') }],
} as const satisfies { type: 'StartActivation' } & Record<string, unknown>;

const end = {
  activationId: 'a-1',
  workerId: 'w-ada',
  outcome: 'done',
  exit: 'ok',
  throughSeq: 8,
  settled: [7, 8],
  parked: [],
  open: null,
  published: 1,
  changed: 0,
  usage: { costUsd: 0.01 },
} as const;

describe('StartActivation', () => {
  const command = {
    ...start,
    triggers: [...start.triggers],
    content: [...start.content],
    ranWith: { ...start.ranWith, roles: [1] },
  };

  test('records everything the run was given', () => {
    const { type: _, ...fields } = command;
    given(...history)
      .when('system', command)
      .then({ type: 'ActivationStarted', ...fields });
  });

  test('is refused without a trigger, and for a Worker who is not there', () => {
    given(...history)
      .when('system', { ...command, triggers: [] })
      .refused('invalid', /^An activation needs at least one trigger\.$/);
    given(...gone)
      .when('system', command)
      .refused('conflict', 'was fired on');
    given(founded).when('system', command).refused('not_found', 'record not found');
  });
});

describe('EndActivation', () => {
  const command = { type: 'EndActivation', ...end, settled: [7, 8], parked: [] } satisfies Command;

  test('records the outcome, also of one who was fired meanwhile', () => {
    const { type: _, ...fields } = command;
    for (const steps of [history, gone]) {
      given(...steps)
        .when('system', command)
        .then({ type: 'ActivationEnded', ...fields });
    }
  });

  test('posts a notice with it', () => {
    given(...history)
      .when('system', { ...command, notice: { subject: 'Parked', body: 'Look.' } })
      .records('ActivationEnded', 'EventPublished');
  });
});

describe('HoldTriggers, RequeueTriggers and DropTriggers', () => {
  const hold: Command = { type: 'HoldTriggers', workerId: 'w-ada', triggers: [7], reason: 'limit' };
  const requeue: Command = { type: 'RequeueTriggers', workerId: 'w-ada', triggers: [7] };
  const drop: Command = { type: 'DropTriggers', workerId: 'w-ada', triggers: [7], reason: 'expired' };

  test('record what became of which triggers', () => {
    const org = given(...history);
    org.when('system', hold).then({ type: 'TriggersHeld', workerId: 'w-ada', triggers: [7], reason: 'limit' });
    const requeued = { type: 'TriggersRequeued', workerId: 'w-ada', triggers: [7] } as const;
    org.when('w-owner', requeue).then({ ...requeued, triggers: [7] });
    org.when('system', requeue).then({ ...requeued, triggers: [7], stillLimited: true });
    org.when('w-ada', requeue).then({ ...requeued, triggers: [7], stillLimited: true });
    org.when('system', drop).then({ type: 'TriggersDropped', workerId: 'w-ada', triggers: [7], reason: 'expired' });
    org.when('system', { ...hold, notice: { subject: 's', body: 'b' } }).records('TriggersHeld', 'EventPublished');
  });

  test('stay quiet without triggers', () => {
    for (const command of [hold, requeue, drop]) {
      given(...history)
        .when('system', { ...command, triggers: [], notice: { subject: 's', body: 'b' } } as Command)
        .staysQuiet();
    }
  });

  test('are refused for a Worker who is not there', () => {
    for (const command of [hold, requeue, drop]) {
      given(founded)
        .when('system', command)
        .refused('not_found', /worker "w-ada": record not found$/);
      given(...gone)
        .when('system', command)
        .refused('conflict', 'was fired on');
    }
    expect(given(...gone).org.workers.get('w-ada')?.firedAt).not.toBeNull();
  });
});
