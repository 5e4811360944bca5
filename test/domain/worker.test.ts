import { describe, expect, test } from 'vitest';
import { TEXT_MAX } from '../../src/domain/role.ts';
import {
  AT,
  fired,
  founded,
  given,
  hireCommand,
  hired,
  MAX_HOPS,
  position,
  role,
  stream,
  subscribed,
} from '../support/given.ts';

describe('HireWorker', () => {
  test('records an AI with its grants, its Streams and a transcript that the hirer listens to', () => {
    given(founded, role(), position('p-a'), stream('s-in'))
      .when('w-owner', hireCommand('w-ada', { positionId: 'p-a', tools: ['publish'], streams: ['s-in'] }))
      .then(
        { type: 'WorkerHired', workerId: 'w-ada', positionId: 'p-a', kind: 'ai', identity: 'A clerk.' },
        { type: 'ToolGranted', workerId: 'w-ada', grantId: 'g-w-ada-publish', tool: 'publish' },
        { type: 'WorkerSubscribed', workerId: 'w-ada', streamId: 's-in', filter: null },
        {
          type: 'StreamCreated',
          streamId: 's-activations-w-ada',
          name: 'Activations: w-ada',
          description: 'What w-ada did, line by line, in each activation.',
          transport: { kind: 'local', config: {} },
          purpose: 'transcript',
          members: ['w-ada', 'w-owner'],
          private: false,
          hold: false,
          batch: 'stream',
        },
        { type: 'WorkerSubscribed', workerId: 'w-owner', streamId: 's-activations-w-ada', filter: null },
      );
  });

  test('records a person without a transcript', () => {
    given(founded)
      .when('w-owner', hireCommand('w-eve', { kind: 'human' }))
      .records('WorkerHired');
  });

  test('gives a tool or a Stream named twice once', () => {
    given(founded, stream('s-in'))
      .when(
        'w-owner',
        hireCommand('w-eve', { kind: 'human', tools: ['publish', 'publish'], streams: ['s-in', 's-in'] }),
      )
      .records('WorkerHired', 'ToolGranted', 'WorkerSubscribed');
  });

  test('finds another name for the transcript when its own is taken', () => {
    const { org } = given(founded, stream('s-in', { name: 'Activations: w-ada' }), hired('w-ada'));
    expect(org.streams.get('s-activations-w-ada')?.name).toBe('Activations: w-ada (s-activations-w-ada)');
  });

  const history = [
    founded,
    role(),
    position('p-a'),
    hired('w-bob', { tools: ['hire_worker'] }),
    hired('w-gone'),
    fired('w-gone'),
  ];
  const grant = (grantId: string, tool: string) => ({ grants: [{ grantId, tool }] });

  test.each([
    ['the id is taken', hireCommand('w-bob'), 'conflict', /^Worker w-bob already exists; pick another id\.$/],
    [
      'the id was given before',
      hireCommand('w-gone'),
      'conflict',
      /^Worker w-gone already exists \(fired on 2026-01-02; ids are never given twice\); pick another id\.$/,
    ],
    ['the id is of another noun', hireCommand('p-ada'), 'invalid', /^"p-ada" is not a Worker id/],
    ['the identity is blank', hireCommand('w-ada', { identity: '\n' }), 'invalid', /^identityContent is empty$/],
    [
      'the identity is endless',
      hireCommand('w-ada', { identity: 'x'.repeat(TEXT_MAX + 1) }),
      'invalid',
      /at most 262144/,
    ],
    [
      'the Position is missing',
      hireCommand('w-ada', { positionId: 'p-b' }),
      'not_found',
      /position "p-b": record not found$/,
    ],
    ['a Stream is missing', hireCommand('w-ada', { streams: ['s-none'] }), 'not_found', /stream "s-none"/],
    ['a tool does not exist', hireCommand('w-ada', grant('g-1', 'publihs')), 'invalid', /did you mean publish\?/],
    [
      'a grant id is taken',
      hireCommand('w-ada', grant('g-publish', 'publish')),
      'conflict',
      /^Grant g-publish already exists/,
    ],
  ] as const)('is refused when %s', (_when, command, code, sentence) => {
    given(...history)
      .when('w-owner', command)
      .refused(code, sentence);
  });

  test('of an AI too far from its cause is refused, of a person not', () => {
    const far = { hops: MAX_HOPS + 1, root: 7 };
    given(...history)
      .when('w-bob', hireCommand('w-ada'), far)
      .refused(
        'conflict',
        /^This is 4 Workers away from its cause, the limit is 3 \(dispatch\.max_hops\); a person has to do it\.$/,
      );
    given(...history)
      .when('w-bob', hireCommand('w-ada'), { hops: MAX_HOPS })
      .records('WorkerHired', 'StreamCreated', 'WorkerSubscribed');
    given(...history)
      .when('w-bob', hireCommand('w-eve', { kind: 'human' }), far)
      .records('WorkerHired');
  });

  test('is refused when two tools come under one Grant id', () => {
    const grants = [
      { grantId: 'g-1', tool: 'publish' },
      { grantId: 'g-1', tool: 'read_events' },
    ];
    given(...history)
      .when('w-owner', hireCommand('w-ada', { grants }))
      .refused('invalid', /^The same Grant id is given twice\.$/);
  });

  test('is refused when the hirer gives a tool it does not hold', () => {
    given(...history)
      .when('w-bob', hireCommand('w-ada', { tools: ['publish'] }))
      .refused('forbidden', /^w-bob does not hold publish, so it cannot grant it; ask the owner\.$/);
    given(...history)
      .when('w-bob', hireCommand('w-ada', { tools: ['hire_worker'] }))
      .records('WorkerHired', 'ToolGranted', 'StreamCreated', 'WorkerSubscribed');
  });

  test('is refused when it would let the newcomer hear a conversation or what the hirer may not read', () => {
    const org = given(...history, stream('s-secret', { private: true }), [
      'w-owner',
      { type: 'SendDm', toWorkerId: 'w-bob', body: 'x' },
    ]);
    org
      .when('w-bob', hireCommand('w-ada', { streams: ['s-dm-w-bob-w-owner'] }))
      .refused(
        'conflict',
        /^Stream s-dm-w-bob-w-owner is a conversation of w-bob and w-owner; nobody else can listen\.$/,
      );
    org.when('w-owner', hireCommand('w-ada', { streams: ['s-dm-w-bob-w-owner'] })).refused('conflict', 'conversation');
    org
      .when('w-bob', hireCommand('w-ada', { streams: ['s-secret'] }))
      .refused('forbidden', /^Stream s-secret is private; only its members bring others to it\.$/);
    org.when('w-bob', hireCommand('w-ada', { streams: ['s-notices'] })).refused('forbidden', 'private');
    org
      .when('w-owner', hireCommand('w-ada', { streams: ['s-secret'] }))
      .records('WorkerHired', 'WorkerSubscribed', 'StreamCreated', 'WorkerSubscribed');
  });
});

describe('UpdateIdentity', () => {
  test('records the new text', () => {
    given(founded, hired('w-ada'))
      .when('w-owner', { type: 'UpdateIdentity', workerId: 'w-ada', content: 'Ada.' })
      .then({ type: 'IdentityUpdated', workerId: 'w-ada', content: 'Ada.' });
  });

  test('is refused for a blank text, and for a Worker unknown or fired', () => {
    const org = given(founded, hired('w-ada'), hired('w-gone'), fired('w-gone'));
    const update = (workerId: string, content: string) =>
      org.when('w-owner', { type: 'UpdateIdentity', workerId, content });
    update('w-ada', ' ').refused('invalid', /^content is empty$/);
    update('w-none', 'x').refused('not_found', /worker "w-none": record not found$/);
    update('w-gone', 'x').refused('conflict', /^Worker w-gone was fired on 2026-01-02\.$/);
  });
});

describe('a mail address', () => {
  const email = 'eve@example.com';

  test('comes with the hiring of a person, and can be changed and taken away', () => {
    given(founded)
      .when('w-owner', hireCommand('w-eve', { kind: 'human', email }))
      .records('WorkerHired', 'WorkerEmailChanged');
    const org = given(founded, hired('w-eve', { kind: 'human', email }));
    expect(org.org.workers.get('w-eve')?.email).toBe(email);
    const update = (given: string | null) =>
      org.when('w-owner', { type: 'UpdateIdentity', workerId: 'w-eve', email: given });
    update('new@example.com').then({ type: 'WorkerEmailChanged', workerId: 'w-eve', email: 'new@example.com' });
    update(null).then({ type: 'WorkerEmailChanged', workerId: 'w-eve', email: null });
    update(email).staysQuiet();
  });

  test.each([
    'x',
    'a@b, c@d',
    'Eve <eve@example.com>',
    'a b@example.com',
    'a@b\r\nBcc: c@d',
    `${'x'.repeat(65)}@example.com`,
  ])('is refused as %j', (address) => {
    const hire = hireCommand('w-eve', { kind: 'human', email: address });
    given(founded)
      .when('w-owner', hire)
      .refused('invalid', /is not an email address$/);
  });

  test('is for people, and the owner’s for the owner to say', () => {
    const org = given(founded, hired('w-bot'), hired('w-eve', { kind: 'human' }));
    const update = (workerId: string, by: string) => org.when(by, { type: 'UpdateIdentity', workerId, email });
    update('w-bot', 'w-owner').refused('invalid', /is an AI/);
    update('w-owner', 'w-eve').refused('forbidden', /Only the owner/);
    update('w-owner', 'w-owner').records('WorkerEmailChanged');
  });

  test('is for that person and the owner to say: what is private goes there, and what comes from there is theirs', () => {
    const org = given(
      founded,
      hired('w-bot', { tools: ['update_identity'] }),
      hired('w-kim', { kind: 'human', tools: ['update_identity'] }),
      hired('w-eve', { kind: 'human', email }),
    );
    const update = (by: string, more: object) =>
      org.when(by, { type: 'UpdateIdentity', workerId: 'w-eve', email: 'mallory@example.com', ...more });
    for (const by of ['w-bot', 'w-kim']) {
      update(by, {}).refused('forbidden', 'Only the owner and w-eve say where w-eve gets mail.');
      update(by, { email: null }).refused('forbidden', /Only the owner/);
      update(by, { content: 'Eve.' }).refused('forbidden', /Only the owner/);
      update(by, { content: 'Eve.', email }).records('IdentityUpdated');
    }
    for (const by of ['w-eve', 'w-owner']) update(by, {}).records('WorkerEmailChanged');
  });
});

describe('MoveWorker', () => {
  const history = [founded, role(), position('p-a'), position('p-b'), hired('w-ada', { positionId: 'p-a' })];

  test('records all Positions the Worker holds afterwards', () => {
    given(...history)
      .when('w-owner', { type: 'MoveWorker', workerId: 'w-ada', positions: ['p-b', 'p-a'] })
      .then({ type: 'WorkerMoved', workerId: 'w-ada', positions: ['p-b', 'p-a'] });
  });

  test('stays quiet when it holds just those', () => {
    given(...history)
      .when('w-owner', { type: 'MoveWorker', workerId: 'w-ada', positions: ['p-a'] })
      .staysQuiet();
  });

  test('is refused for the owner, a Position twice or missing, and a Worker that is not there', () => {
    const org = given(...history);
    const move = (workerId: string, positions: string[]) =>
      org.when('w-owner', { type: 'MoveWorker', workerId, positions });
    move('w-owner', ['p-a']).refused('conflict', /^The owner cannot be moved\.$/);
    move('w-ada', ['p-a', 'p-a']).refused('invalid', /^The same Position is named twice\.$/);
    move('w-ada', ['p-c']).refused('not_found', /position "p-c"/);
    move('w-none', []).refused('not_found', /worker "w-none"/);
  });
});

describe('FireWorker', () => {
  test('ends subscriptions, grants and the post in one go', () => {
    given(founded, stream('s-in'), hired('w-ada', { tools: ['publish', 'read_events'], streams: ['s-in'] }))
      .when('w-owner', { type: 'FireWorker', workerId: 'w-ada' })
      .then(
        { type: 'WorkerUnsubscribed', workerId: 'w-ada', streamId: 's-in' },
        { type: 'ToolRevoked', grantId: 'g-w-ada-publish', workerId: 'w-ada', tool: 'publish' },
        { type: 'ToolRevoked', grantId: 'g-w-ada-read_events', workerId: 'w-ada', tool: 'read_events' },
        { type: 'WorkerFired', workerId: 'w-ada' },
      );
  });

  test('leaves nothing behind that could still act or hear', () => {
    const { org } = given(
      founded,
      stream('s-in'),
      hired('w-ada', { tools: ['hire_worker'], streams: ['s-in'] }),
      hired('w-bob', { by: 'w-ada' }),
      fired('w-ada'),
    );
    expect(org.workers.get('w-ada')).toMatchObject({ positions: [], firedAt: AT });
    expect(org.grants.get('w-ada')?.size).toBe(0);
    expect([...org.grantIds.values()].some(({ workerId }) => workerId === 'w-ada')).toBe(false);
    expect(org.subscribed.get('w-ada')?.size).toBe(0);
    for (const subscribers of org.subscriptions.values()) expect(subscribers.has('w-ada')).toBe(false);
  });

  test('is refused for the owner, and for one who is gone already', () => {
    const org = given(founded, hired('w-gone'), fired('w-gone'));
    org
      .when('w-owner', { type: 'FireWorker', workerId: 'w-owner' })
      .refused('conflict', /^The owner cannot be fired\.$/);
    org.when('w-owner', { type: 'FireWorker', workerId: 'w-gone' }).refused('conflict', 'was fired on');
  });

  test('takes the last word from a call that was under way', () => {
    const org = given(founded, stream('s-in'), hired('w-gone'), fired('w-gone'));
    org.when('w-gone', { type: 'Publish', streamId: 's-in', content: [] }).refused('conflict', 'w-gone was fired on');
    org.when('w-gone', { type: 'PauseOrg' }).refused('conflict', 'w-gone was fired on');
    org.when('w-gone', subscribed('w-gone', 's-in')[1]).refused('conflict', 'w-gone was fired on');
  });
});

describe('PauseWorker and ResumeWorker', () => {
  const paused = ['w-owner', { type: 'PauseWorker', workerId: 'w-ada' }] as const;
  const resume = { type: 'ResumeWorker', workerId: 'w-ada' } as const;

  test('record the change', () => {
    given(founded, hired('w-ada'))
      .when(...paused)
      .then({ type: 'WorkerPaused', workerId: 'w-ada' });
    given(founded, hired('w-ada'), [...paused])
      .when('w-owner', resume)
      .then({ type: 'WorkerResumed', workerId: 'w-ada' });
  });

  test('stay quiet when it is so already', () => {
    given(founded, hired('w-ada')).when('w-owner', resume).staysQuiet();
    given(founded, hired('w-ada'), [...paused])
      .when(...paused)
      .staysQuiet();
  });

  test('are refused for the owner, and for one who is not there', () => {
    given(founded)
      .when('w-owner', { type: 'PauseWorker', workerId: 'w-owner' })
      .refused('conflict', /^The owner cannot be paused; use pause_org to stop everything\.$/);
    given(founded).when('w-owner', resume).refused('not_found', 'record not found');
  });
});

describe('ActivateWorker', () => {
  test('records the request with its reason', () => {
    given(founded, hired('w-ada'))
      .when('w-owner', { type: 'ActivateWorker', workerId: 'w-ada', reason: 'Look.' })
      .then({ type: 'ActivationRequested', workerId: 'w-ada', reason: 'Look.' });
  });

  test('is refused too far from its cause', () => {
    given(founded, hired('w-ada'))
      .when('w-ada', { type: 'ActivateWorker', workerId: 'w-ada', reason: '' }, { hops: MAX_HOPS + 1, root: 7 })
      .refused('conflict', 'a person has to do it');
  });

  test('is refused for a person, and for one who is not there', () => {
    const activate = (workerId: string) =>
      given(founded).when('w-owner', { type: 'ActivateWorker', workerId, reason: '' });
    activate('w-owner').refused('conflict', /^Worker w-owner is human; only AI Workers are activated\.$/);
    activate('w-none').refused('not_found', 'record not found');
  });
});
