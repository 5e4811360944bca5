import { describe, expect, test } from 'vitest';
import { decide } from '../../src/domain/decide.ts';
import type { Route } from '../../src/domain/delivery.ts';
import { evolve } from '../../src/domain/evolve.ts';
import { encodeMessage } from '../../src/domain/message.ts';
import type { Command, Context, DomainEvent } from '../../src/domain/org.ts';
import { HELD } from '../../src/domain/outbox.ts';
import { AT, founded, given, hired, idOf, MAX_HOPS, role, type Step, stream, TOOLS } from '../support/given.ts';

const content = [{ name: 'message', bytes: encodeMessage({ body: 'hello' }) }];
const name = { event: 9, streamId: 's-out' };
const delivery = { ...name, deliveryId: 'd-1' };
const here: Step[] = [founded, role(), hired('w-ada'), hired('w-eve', { kind: 'human' }), stream('s-out')];
const stopped: Step[] = [
  ...here,
  ['system', { type: 'RecordDead', ...delivery, attempts: 1, reason: 'answered 410', gone: true }],
];

/** What publishing leads to where there are ways out. */
function publish(steps: Step[], routes: Route[], { actor = 'w-owner', hops = 0 } = {}): DomainEvent[] {
  const { org, seq } = given(...steps);
  const context: Context = {
    actor,
    seq: seq + 1,
    at: AT,
    hops,
    root: seq + 1,
    limits: { maxHops: MAX_HOPS },
    tools: TOOLS,
    eventId: idOf,
    routes: () => routes,
  } as Context;
  return decide(org, { type: 'Publish', streamId: 's-out', content }, context);
}

const outboundOf = (events: DomainEvent[]) =>
  events.flatMap((event) => ('outbound' in event ? [event.outbound] : []))[0];

describe('an Event that leaves', () => {
  test('names its ways out, by ids that follow from its own', () => {
    const events = publish(here, [
      { kind: 'webhook', lane: 't' },
      { kind: 'email', lane: 'x', recipient: 'w-eve' },
    ]);
    const [event] = events;
    const id = event?.type === 'EventPublished' ? event.id.slice(2) : '';
    expect(outboundOf(events)).toEqual([
      { deliveryId: `d-${id}`, kind: 'webhook' },
      { deliveryId: `d-${id}-w-eve`, kind: 'email', recipient: 'w-eve' },
    ]);
  });

  test('is held on a Stream that holds', () => {
    const holding: Step[] = [...here, ['w-owner', { type: 'UpdateStream', streamId: 's-out', hold: true }]];
    expect(outboundOf(publish(holding, [{ kind: 'webhook', lane: '' }]))).toMatchObject([{ held: HELD }]);
  });

  test('is held as such when it is too far from its cause, even where nobody listens', () => {
    const far = publish(here, [{ kind: 'webhook', lane: '' }], { actor: 'w-ada', hops: MAX_HOPS + 1 });
    expect(far.map(({ type }) => type)).toEqual(['EventPublished', 'EventHeld', 'EventPublished']);
    expect(publish(here, [], { actor: 'w-ada', hops: MAX_HOPS + 1 }).map(({ type }) => type)).toEqual([
      'EventPublished',
    ]);
  });

  test('has no ways out where there are none', () => {
    expect(publish(here, [])[0]).not.toHaveProperty('outbound');
  });
});

describe('RecordDelivered', () => {
  test('records what it left under', () => {
    const receipt = { attempts: 2, messageId: '<1@x>', detail: 'HTTP 200' };
    given(...here)
      .when('system', { type: 'RecordDelivered', ...delivery, ...receipt })
      .then({ type: 'EventDelivered', ...delivery, ...receipt });
  });
});

describe('RecordDead', () => {
  const dead = { type: 'RecordDead', ...delivery, attempts: 10, reason: 'answered 503', gone: false } as const;
  const notice = { subject: 'S', body: 'B' };

  test('records why, and tells people once', () => {
    given(...here)
      .when('system', dead)
      .records('DeliveryDied');
    given(...here)
      .when('system', { ...dead, notice })
      .records('DeliveryDied', 'EventPublished');
  });

  test('of a target that is gone stops the Stream, once', () => {
    const gone = { ...dead, gone: true };
    given(...here)
      .when('system', { ...gone, notice })
      .records('DeliveryDied', 'SendingStopped', 'EventPublished');
    given(...stopped)
      .when('system', gone)
      .records('DeliveryDied');
  });

  test('of a notice tells nobody', () => {
    given(...here)
      .when('system', { ...dead, streamId: 's-notices', notice })
      .records('DeliveryDied');
  });

  test('after its Stream was deleted stops nothing', () => {
    given(...here, ['w-owner', { type: 'DeleteStream', streamId: 's-out' }])
      .when('system', { ...dead, gone: true })
      .records('DeliveryDied');
  });
});

describe('RequeueDeliveries', () => {
  const release: Command = { type: 'RequeueDeliveries', from: 'held', ...name, deliveryIds: ['d-1', 'd-2'] };
  const retry: Command = { ...release, from: 'failed' };

  test('puts each of them on its way, and lets the Stream send again', () => {
    given(...here)
      .when('w-owner', release)
      .then(
        { type: 'DeliveryRequeued', ...name, deliveryId: 'd-1' },
        { type: 'DeliveryRequeued', ...name, deliveryId: 'd-2' },
      );
    given(...stopped)
      .when('w-owner', retry)
      .records('SendingResumed', 'DeliveryRequeued', 'DeliveryRequeued');
  });

  test('is for people where something was held for people', () => {
    given(...here)
      .when('w-ada', release)
      .refused('forbidden', /^Only a person/);
    given(...here)
      .when('w-eve', release)
      .records('DeliveryRequeued', 'DeliveryRequeued');
    given(...here)
      .when('w-ada', retry)
      .records('DeliveryRequeued', 'DeliveryRequeued');
  });

  test('is refused when there is nothing left of that, or no Stream', () => {
    given(...here)
      .when('w-owner', { ...release, deliveryIds: [] })
      .refused('conflict', /neither held nor dead/);
    given(...here)
      .when('w-owner', { ...release, deliveryIds: ['d-1', 'd-1'] })
      .refused('invalid', /twice/);
    given(...here)
      .when('w-owner', { ...release, streamId: 's-none' })
      .refused('not_found', /record not found$/);
  });
});

describe('DiscardDeliveries', () => {
  test('gives each up, and stays quiet about none', () => {
    const discard: Command = { type: 'DiscardDeliveries', ...name, deliveryIds: ['d-1'] };
    given(...here)
      .when('w-ada', discard)
      .then({ type: 'DeliveryDiscarded', ...delivery });
    given(...here)
      .when('w-ada', { ...discard, deliveryIds: [] })
      .staysQuiet();
  });
});

describe('ResumeSending', () => {
  test('lets a stopped Stream send again, stays quiet about others, and needs one', () => {
    given(...stopped)
      .when('w-owner', { type: 'ResumeSending', streamId: 's-out' })
      .then({ type: 'SendingResumed', streamId: 's-out' });
    given(...here)
      .when('w-owner', { type: 'ResumeSending', streamId: 's-out' })
      .staysQuiet();
    given(...here)
      .when('w-owner', { type: 'ResumeSending', streamId: 's-none' })
      .refused('not_found', /record not found$/);
  });

  test('follows from naming the transport again, changed or not, but not from a new name', () => {
    const transport = { kind: 'webhook', config: { outbound_url: 'https://x.example/' } };
    const update = { type: 'UpdateStream', streamId: 's-out' } as const;
    given(...stopped)
      .when('w-owner', { ...update, transport })
      .records('StreamUpdated', 'SendingResumed');
    given(...stopped)
      .when('w-owner', { ...update, transport: { kind: 'local', config: {} } })
      .records('SendingResumed');
    given(...stopped)
      .when('w-owner', { ...update, name: 'Other' })
      .records('StreamUpdated');
  });

  test('is forgotten with nothing else of the Stream', () => {
    const { org } = given(...stopped);
    expect(org.streams.get('s-out')?.sendingStopped).toBe('answered 410');
    evolve(org, { type: 'SendingResumed', streamId: 's-out' }, {
      seq: 99,
      actor: 'w-owner',
      at: AT,
      root: 99,
    } as never);
    expect(org.streams.get('s-out')?.sendingStopped).toBeNull();
  });
});
