import { describe, expect, test } from 'vitest';
import { founded, given, hired, type Step, stream, streamCommand, subscribed } from '../support/given.ts';

const dm: Step = ['w-owner', { type: 'SendDm', toWorkerId: 'w-ada', body: 'x' }];
const deleted = (streamId: string): Step => ['w-owner', { type: 'DeleteStream', streamId }];

describe('CreateStream', () => {
  test('records an open Stream as it was described', () => {
    const transport = { kind: 'webhook', config: { url: 'https://x.example' } };
    given(founded)
      .when('w-owner', streamCommand('s-in', { name: 'In', description: 'What comes in.', transport, private: true }))
      .then({
        type: 'StreamCreated',
        streamId: 's-in',
        name: 'In',
        description: 'What comes in.',
        transport,
        private: true,
        hold: false,
        batch: 'stream',
        purpose: 'open',
        members: [],
      });
  });

  test.each([
    ['the id is taken', streamCommand('s-in'), 'conflict', /^Stream s-in already exists; pick another id\.$/],
    [
      'the id was given before',
      streamCommand('s-old'),
      'conflict',
      /\(deleted on 2026-01-02; ids are never given twice\)/,
    ],
    ['the id is of another noun', streamCommand('w-in'), 'invalid', /^"w-in" is not a Stream id/],
    [
      'the name is taken',
      streamCommand('s-new', { name: 's-in' }),
      'conflict',
      /^A Stream named "s-in" already exists: s-in\.$/,
    ],
    ['the name is blank', streamCommand('s-new', { name: ' ' }), 'invalid', /^stream name is empty$/],
    ['the name is endless', streamCommand('s-new', { name: 'x'.repeat(201) }), 'invalid', /longer than 200 characters/],
    [
      'the description is endless',
      streamCommand('s-new', { description: 'x'.repeat(4_001) }),
      'invalid',
      /longer than 4000/,
    ],
    ['the id is one the daemon gives', streamCommand('s-dm-w-a-w-b'), 'invalid', /are given by the daemon/],
    ['the id is that of a transcript', streamCommand('s-activations-w-x'), 'invalid', /are given by the daemon/],
    ['the id is that of a chat', streamCommand('s-chat-w-x'), 'invalid', /are given by the daemon/],
  ] as const)('is refused when %s', (_when, command, code, sentence) => {
    given(founded, stream('s-in'), stream('s-old'), deleted('s-old')).when('w-owner', command).refused(code, sentence);
  });

  test('may take the name of a Stream that was deleted or renamed', () => {
    given(founded, stream('s-old', { name: 'In' }), deleted('s-old'))
      .when('w-owner', streamCommand('s-new', { name: 'In' }))
      .records('StreamCreated');
    given(founded, stream('s-old', { name: 'In' }), [
      'w-owner',
      { type: 'UpdateStream', streamId: 's-old', name: 'Other' },
    ])
      .when('w-owner', streamCommand('s-new', { name: 'In' }))
      .records('StreamCreated');
  });
});

describe('an address', () => {
  const at = (address: string, kind = 'email') => ({ transport: { kind, config: {}, address } });

  test('A157: belongs to one Stream of a kind at a time', () => {
    const org = given(founded, stream('s-a', at('alias a')), stream('s-b', at('alias b')));
    org.when('w-owner', streamCommand('s-c', at('alias a'))).refused('conflict', /^Stream s-a has alias a already/);
    org.when('w-owner', streamCommand('s-c', at('alias a', 'post'))).records('StreamCreated');
    org
      .when('w-owner', { type: 'UpdateStream', streamId: 's-b', ...at('alias a') })
      .refused('conflict', /^Stream s-a has/);
    org
      .when('w-owner', { type: 'UpdateStream', streamId: 's-a', name: 'A', ...at('alias a') })
      .records('StreamUpdated');
  });

  test('is free again when its Stream is deleted', () => {
    given(founded, stream('s-a', at('alias a')), ['w-owner', { type: 'DeleteStream', streamId: 's-a' }])
      .when('w-owner', streamCommand('s-c', at('alias a')))
      .records('StreamCreated');
  });
});

describe('UpdateStream', () => {
  test('records the Stream as it is afterwards', () => {
    given(founded, stream('s-in', { name: 'In', description: 'd' }))
      .when('w-owner', { type: 'UpdateStream', streamId: 's-in', description: 'new' })
      .then({
        type: 'StreamUpdated',
        streamId: 's-in',
        name: 'In',
        description: 'new',
        transport: { kind: 'local', config: {} },
        private: false,
        hold: false,
        batch: 'stream',
      });
  });

  test('stays quiet when nothing changes', () => {
    given(founded, stream('s-in', { name: 'In' }))
      .when('w-owner', { type: 'UpdateStream', streamId: 's-in', name: 'In', transport: { kind: 'local', config: {} } })
      .staysQuiet();
  });

  test('lets only people end the holding, or change where what is held would go', () => {
    const transport = { kind: 'webhook', config: { outbound_url: 'https://supplier.example' } };
    const elsewhere = { kind: 'webhook', config: { outbound_url: 'https://mallory.example' } };
    const org = given(
      founded,
      hired('w-ada'),
      hired('w-eve', { kind: 'human' }),
      stream('s-out', { transport, hold: true }),
    );
    const update = (more: object) => ({ type: 'UpdateStream', streamId: 's-out', ...more }) as const;
    for (const change of [{ hold: false }, { transport: elsewhere }])
      org.when('w-ada', update(change)).refused('forbidden', 'only a person');
    org.when('w-ada', update({ description: 'for the supplier', hold: true, transport })).records('StreamUpdated');
    for (const change of [{ hold: false }, { transport: elsewhere }])
      org.when('w-eve', update(change)).records('StreamUpdated');
    given(founded, hired('w-ada'), stream('s-out', { transport }))
      .when('w-ada', update({ hold: true }))
      .records('StreamUpdated');
  });

  test('gives the notices a way out', () => {
    given(founded)
      .when('w-owner', { type: 'UpdateStream', streamId: 's-notices', transport: { kind: 'webhook', config: {} } })
      .records('StreamUpdated');
  });

  test('is refused for what the daemon keeps, what is gone, and a name that is taken', () => {
    const org = given(founded, hired('w-ada'), dm, stream('s-in'), stream('s-old'), deleted('s-old'));
    const update = (streamId: string, fields: { name?: string; description?: string } = { description: 'x' }) =>
      org.when('w-owner', { type: 'UpdateStream', streamId, ...fields });
    update('s-dm-w-ada-w-owner').refused('conflict', /is kept by the daemon and cannot be changed\.$/);
    update('s-activations-w-ada').refused('conflict', /is kept by the daemon/);
    update('s-old').refused('conflict', /^Stream s-old was deleted on 2026-01-02\.$/);
    update('s-none').refused('not_found', /stream "s-none": record not found$/);
    update('s-in', { name: 'Notices' }).refused('conflict', /already exists: s-notices\.$/);
    update('s-in', { name: '' }).refused('invalid', /^stream name is empty$/);
  });
});

describe('DeleteStream', () => {
  test('ends all listening first', () => {
    given(founded, stream('s-in'), hired('w-ada', { streams: ['s-in'] }), subscribed('w-owner', 's-in'))
      .when('w-owner', { type: 'DeleteStream', streamId: 's-in' })
      .then(
        { type: 'WorkerUnsubscribed', workerId: 'w-ada', streamId: 's-in' },
        { type: 'WorkerUnsubscribed', workerId: 'w-owner', streamId: 's-in' },
        { type: 'StreamDeleted', streamId: 's-in' },
      );
  });

  test('leaves nobody listening', () => {
    const { org } = given(founded, stream('s-in'), hired('w-ada', { streams: ['s-in'] }), deleted('s-in'));
    expect(org.subscriptions.get('s-in')?.size).toBe(0);
    expect(org.subscribed.get('w-ada')).toEqual(new Set());
    expect(org.streamNames.has('s-in')).toBe(false);
  });

  test('is refused for what the daemon keeps and for what is not there any more', () => {
    const org = given(founded, hired('w-ada'), dm, stream('s-old'), deleted('s-old'));
    const remove = (streamId: string) => org.when('w-owner', { type: 'DeleteStream', streamId });
    for (const id of ['s-notices', 's-activations-w-ada', 's-dm-w-ada-w-owner']) {
      remove(id).refused('conflict', /is kept by the daemon and cannot be deleted\.$/);
    }
    remove('s-old').refused('conflict', 'was deleted on');
    remove('s-none').refused('not_found', 'record not found');
  });

  test('ends publishing and listening there', () => {
    const org = given(founded, stream('s-old'), deleted('s-old'));
    org
      .when('w-owner', { type: 'Publish', streamId: 's-old', content: [] })
      .refused('conflict', 'was deleted on 2026-01-02');
    org.when('w-owner', subscribed('w-owner', 's-old')[1]).refused('conflict', 'was deleted on');
  });
});
