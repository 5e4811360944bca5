import { describe, expect, test } from 'vitest';
import type { ContentPart } from '../../src/domain/entry.ts';
import { seqOfEventId } from '../../src/domain/ids.ts';
import { decodeMessage, encodeMessage } from '../../src/domain/message.ts';
import type { Command, DomainEvent } from '../../src/domain/org.ts';
import { fired, founded, given, hired, idOf, MAX_HOPS, type Step, stream, subscribed } from '../support/given.ts';

const content: ContentPart[] = [{ name: 'message', bytes: encodeMessage({ body: 'hi' }) }];
const publish = (streamId: string): Extract<Command, { type: 'Publish' }> => ({ type: 'Publish', streamId, content });
const dm = (toWorkerId: string, body = 'hi'): Command => ({ type: 'SendDm', toWorkerId, body });
const team: Step[] = [
  founded,
  stream('s-in'),
  hired('w-ada', { streams: ['s-in'] }),
  hired('w-bob', { streams: ['s-in'] }),
];

const messageOf = (event: DomainEvent | undefined) =>
  event?.type === 'EventPublished' ? decodeMessage(event.content[0]!.bytes) : undefined;

describe('Publish', () => {
  test('records the Event under an id that carries its seq', () => {
    const org = given(...team);
    org
      .when('w-ada', publish('s-in'))
      .then({ type: 'EventPublished', id: idOf(org.seq + 1), streamId: 's-in', content });
  });

  test('may be quiet, and then is never held for its distance', () => {
    const org = given(...team);
    const quiet = { ...publish('s-in'), quiet: 'a bounce' };
    org
      .when('transport:email', quiet, { hops: MAX_HOPS + 1, root: 1 })
      .then({ type: 'EventPublished', id: idOf(org.seq + 1), streamId: 's-in', content, quiet: 'a bounce' });
  });

  test('is open to the outside and to Workers who do not listen', () => {
    const org = given(...team, hired('w-eve', { kind: 'human' }));
    org.when('transport:webhook', publish('s-in')).records('EventPublished');
    org.when('w-eve', publish('s-in')).records('EventPublished');
  });

  const closed: Step[] = [...team, stream('s-secret', { private: true }), ['w-ada', dm('w-bob')]];

  test.each([
    ['to a Stream that is not there', 'w-ada', 's-inn', 'not_found', /did you mean s-in\?/],
    ['to a transcript', 'w-owner', 's-activations-w-ada', 'conflict', /is written by the daemon alone/],
    ['to the notices by a Worker', 'w-owner', 's-notices', 'conflict', /is written by the daemon alone/],
    [
      'to a private Stream by a stranger',
      'w-ada',
      's-secret',
      'forbidden',
      /^Stream s-secret is private; only its members publish/,
    ],
  ] as const)('is refused %s', (_what, actor, streamId, code, sentence) => {
    given(...closed)
      .when(actor, publish(streamId))
      .refused(code, sentence);
  });

  test('to a conversation is refused to all but its members and the owner', () => {
    const org = given(...closed, hired('w-eve', { kind: 'human' }));
    org.when('w-eve', publish('s-dm-w-ada-w-bob')).refused('forbidden', /is a conversation of w-ada and w-bob\.$/);
    org.when('w-bob', publish('s-dm-w-ada-w-bob')).records('EventPublished');
    org.when('w-owner', publish('s-dm-w-ada-w-bob')).records('EventPublished');
  });

  test('to a private Stream is open to members and to what comes from outside', () => {
    const org = given(...closed, ['w-owner', { type: 'InviteWorkers', streamId: 's-secret', workerIds: ['w-ada'] }]);
    org.when('w-ada', publish('s-secret')).records('EventPublished');
    org.when('transport:email', publish('s-secret')).records('EventPublished');
  });
});

describe('the hop limit', () => {
  const tooFar = { hops: MAX_HOPS + 1, root: 7 };

  test('lets an Event through up to the limit', () => {
    given(...team)
      .when('w-ada', publish('s-in'), { hops: MAX_HOPS })
      .records('EventPublished');
  });

  test('keeps what is beyond it, held, with one notice that names the Event', () => {
    const org = given(...team);
    const reason = '4 hops from its cause, the limit is 3';
    const notice: DomainEvent = {
      type: 'EventPublished',
      id: idOf(org.seq + 3),
      streamId: 's-notices',
      content: [
        {
          name: 'message',
          bytes: encodeMessage({
            subject: 'Loop stopped on s-in',
            body:
              `An Event of w-ada on s-in is ${reason} (dispatch.max_hops), so it wakes nobody and is held: ${idOf(org.seq + 1)}. ` +
              'Workers are answering each other. Release or discard the Event, and change the Roles so that the conversation ends.',
          }),
        },
      ],
    };
    org
      .when('w-ada', publish('s-in'), tooFar)
      .then(
        { type: 'EventPublished', id: idOf(org.seq + 1), streamId: 's-in', content },
        { type: 'EventHeld', event: org.seq + 1, streamId: 's-in', reason },
        notice,
      );
  });

  test('posts one notice per chain, however many of its Events are held', () => {
    const org = given(...team, ['w-ada', publish('s-in'), tooFar]);
    org.when('w-bob', publish('s-in'), tooFar).records('EventPublished', 'EventHeld');
    org.when('w-bob', publish('s-in'), { ...tooFar, root: 8 }).records('EventPublished', 'EventHeld', 'EventPublished');
  });

  test('holds nothing that would wake nobody anyway', () => {
    const alone: Step[] = [
      founded,
      stream('s-in'),
      hired('w-ada', { streams: ['s-in'] }),
      subscribed('w-owner', 's-in'),
    ];
    given(...alone)
      .when('w-ada', publish('s-in'), tooFar)
      .records('EventPublished');
  });

  test('holds direct messages too, whose Stream is made in the same decision', () => {
    const org = given(...team);
    org
      .when('w-ada', dm('w-bob'), tooFar)
      .records(
        'StreamCreated',
        'WorkerSubscribed',
        'WorkerSubscribed',
        'EventPublished',
        'EventHeld',
        'EventPublished',
      );
  });
});

describe('SendDm', () => {
  test('makes the conversation with its first message', () => {
    const org = given(founded, hired('w-ada'), hired('w-bob'));
    org.when('w-bob', dm('w-ada', 'Hello')).then(
      {
        type: 'StreamCreated',
        streamId: 's-dm-w-ada-w-bob',
        name: 'dm: w-bob ↔ w-ada',
        description: 'Direct messages between w-ada and w-bob.',
        transport: { kind: 'local', config: {} },
        purpose: 'dm',
        members: ['w-ada', 'w-bob'],
        private: true,
        hold: false,
        batch: 'stream',
      },
      { type: 'WorkerSubscribed', workerId: 'w-ada', streamId: 's-dm-w-ada-w-bob', filter: null },
      { type: 'WorkerSubscribed', workerId: 'w-bob', streamId: 's-dm-w-ada-w-bob', filter: null },
      {
        type: 'EventPublished',
        id: idOf(org.seq + 4),
        streamId: 's-dm-w-ada-w-bob',
        content: [{ name: 'message', bytes: encodeMessage({ from: 'w-bob', to: ['w-ada'], body: 'Hello' }) }],
      },
    );
  });

  test('goes on in the same conversation, whoever writes', () => {
    const org = given(founded, hired('w-ada'), hired('w-bob'), ['w-bob', dm('w-ada')]);
    org.when('w-ada', dm('w-bob')).records('EventPublished');
  });

  test('brings back a member who had stopped listening', () => {
    given(
      founded,
      hired('w-ada'),
      hired('w-bob'),
      ['w-bob', dm('w-ada')],
      ['w-ada', { type: 'Unsubscribe', streamId: 's-dm-w-ada-w-bob' }],
    )
      .when('w-bob', dm('w-ada'))
      .records('WorkerSubscribed', 'EventPublished');
  });

  test('keeps pairs apart whose ids spell the same', () => {
    const { org } = given(
      founded,
      ...['w-a', 'w-b-w-c', 'w-a-w-b', 'w-c'].map((id) => hired(id)),
      ['w-a', dm('w-b-w-c')],
      ['w-a-w-b', dm('w-c')],
      ['w-c', dm('w-a-w-b')],
      ['w-b-w-c', dm('w-a')],
    );
    expect(Object.fromEntries(org.dms)).toEqual({
      'w-a w-b-w-c': 's-dm-w-a-w-b-w-c',
      'w-a-w-b w-c': 's-dm-w-a-w-b-w-c-2',
    });
    expect(org.streams.get('s-dm-w-a-w-b-w-c')?.members).toEqual(['w-a', 'w-b-w-c']);
    expect(org.streams.get('s-dm-w-a-w-b-w-c-2')?.members).toEqual(['w-a-w-b', 'w-c']);
  });

  test('gives no conversation the id of another, even one that a second pair was moved to', () => {
    const { org } = given(
      founded,
      ...['w-a', 'w-b-w-c', 'w-a-w-b', 'w-c', 'w-c-2'].map((id) => hired(id)),
      ['w-a', dm('w-b-w-c')],
      ['w-a-w-b', dm('w-c')],
      ['w-a-w-b', dm('w-c-2')],
    );
    expect(new Set(org.dms.values()).size).toBe(3);
  });

  test('is refused to oneself, to nobody, to one who was fired, and from whoever is no Worker', () => {
    const org = given(founded, hired('w-ada'), hired('w-gone'), fired('w-gone'));
    org.when('w-ada', dm('w-ada')).refused('invalid', /^cannot DM yourself$/);
    org.when('w-ada', dm('w-none')).refused('not_found', /worker "w-none": record not found$/);
    org.when('w-ada', dm('w-gone')).refused('conflict', 'was fired on');
    org.when('w-gone', dm('w-ada')).refused('conflict', 'was fired on');
    org.when('system', dm('w-ada')).refused('not_found', /worker "system"/);
  });
});

describe('PostNotice', () => {
  test('records an Event on the notices', () => {
    const org = given(founded);
    org.when('system', { type: 'PostNotice', subject: 'Disk', body: 'Nearly full.' }).then({
      type: 'EventPublished',
      id: idOf(org.seq + 1),
      streamId: 's-notices',
      content: [{ name: 'message', bytes: encodeMessage({ subject: 'Disk', body: 'Nearly full.' }) }],
    });
  });
});

describe('ReleaseEvent and DiscardEvent', () => {
  const loop: Step[] = [...team, hired('w-eve', { kind: 'human', streams: ['s-in'] })];
  const heldBy = (actor: string) => {
    const before = given(...loop);
    const steps: Step[] = [...loop, [actor, publish('s-in'), { hops: 9 }], hired('w-late', { streams: ['s-in'] })];
    return { org: given(...steps), steps, event: before.seq + 1 };
  };

  test('records whom the release wakes: AI Workers that listened then and listen still, but not its author', () => {
    const { org, event } = heldBy('w-ada');
    org
      .when('w-owner', { type: 'ReleaseEvent', event, streamId: 's-in' })
      .then({ type: 'EventReleased', event, streamId: 's-in', workers: ['w-bob'] });
  });

  test('records that it was given up', () => {
    const { org, event } = heldBy('w-ada');
    org
      .when('w-owner', { type: 'DiscardEvent', event, streamId: 's-in' })
      .then({ type: 'EventDiscarded', event, streamId: 's-in' });
  });

  test('are refused for an Event that is not held (any more), or not on that Stream', () => {
    const { org, steps, event } = heldBy('w-ada');
    const [release, discard] = [
      { type: 'ReleaseEvent', event, streamId: 's-in' },
      { type: 'DiscardEvent', event, streamId: 's-in' },
    ] as const;
    org.when('w-owner', { ...release, event: 1 }).refused('not_found', /^That Event is not held; .*record not found$/);
    org.when('w-owner', { ...release, streamId: 's-notices' }).refused('not_found', 'is not held');
    for (const settled of [release, discard]) {
      for (const again of [release, discard]) {
        given(...steps, ['w-owner', settled])
          .when('w-owner', again)
          .refused('not_found', 'is not held');
      }
    }
  });

  test('wake nobody on a Stream that was deleted meanwhile', () => {
    const { steps, event } = heldBy('w-ada');
    given(...steps, ['w-owner', { type: 'DeleteStream', streamId: 's-in' }])
      .when('w-owner', { type: 'ReleaseEvent', event, streamId: 's-in' })
      .then({ type: 'EventReleased', event, streamId: 's-in', workers: [] });
  });
});

describe('RedactEvent', () => {
  test('records who asked for what to be erased, and why', () => {
    given(...team)
      .when('w-owner', { type: 'RedactEvent', event: 3, streamId: 's-in', alsoErase: [4, 5], reason: 'Asked to.' })
      .then({ type: 'EventRedacted', event: 3, streamId: 's-in', alsoErased: [4, 5], reason: 'Asked to.' });
  });
});

test('every Event and notice of every decision carries the seq it will get', () => {
  const commands: Command[] = [
    publish('s-in'),
    dm('w-bob'),
    { type: 'PostNotice', subject: 's', body: 'b' },
    { type: 'HoldTriggers', workerId: 'w-bob', triggers: [1], reason: 'r', notice: { subject: 's', body: 'b' } },
  ];
  for (const hops of [0, 9]) {
    for (const command of commands) {
      const org = given(...team);
      const events = org.when('w-ada', command, { hops }).events;
      for (const [index, event] of events.entries()) {
        if (event.type !== 'EventPublished') continue;
        expect(seqOfEventId(event.id)).toBe(org.seq + 1 + index);
        expect(messageOf(event)).toBeDefined();
      }
    }
  }
});
