import { describe, test } from 'vitest';
import { founded, founding, given, hired } from '../support/given.ts';

describe('FoundOrg', () => {
  test('records the owner in the root Position, holding every tool and listening to the notices', () => {
    given()
      .when('system', { ...founding, grants: [{ grantId: 'g-1', tool: 'publish' }] })
      .then(
        { type: 'RoleCreated', roleId: 'r-owner', content: 'Own.' },
        { type: 'PositionCreated', positionId: 'p-root', roleId: 'r-owner', parentId: null },
        { type: 'WorkerHired', workerId: 'w-owner', positionId: 'p-root', kind: 'human', identity: 'The owner.' },
        { type: 'ToolGranted', workerId: 'w-owner', grantId: 'g-1', tool: 'publish' },
        {
          type: 'StreamCreated',
          streamId: 's-notices',
          name: 'Notices',
          description: 'What needs a person, once each, with what to do about it.',
          transport: { kind: 'local', config: {} },
          purpose: 'notices',
          members: [],
          private: true,
          hold: false,
          batch: 'stream',
        },
        { type: 'WorkerSubscribed', workerId: 'w-owner', streamId: 's-notices', filter: null },
      );
  });

  test('is refused a second time', () => {
    given(founded)
      .when('system', founding)
      .refused('conflict', /^org is already initialised/);
  });

  test('is refused for an owner without a role or an identity', () => {
    given()
      .when('system', { ...founding, ownerRole: ' ' })
      .refused('invalid', 'is empty');
    given()
      .when('system', { ...founding, ownerIdentity: '' })
      .refused('invalid', 'is empty');
  });
});

describe('PauseOrg and ResumeOrg', () => {
  test('record the change', () => {
    given(founded).when('w-owner', { type: 'PauseOrg' }).then({ type: 'OrgPaused' });
    given(founded, ['w-owner', { type: 'PauseOrg' }])
      .when('w-owner', { type: 'ResumeOrg' })
      .then({ type: 'OrgResumed' });
  });

  test('stay quiet when the org is paused, or runs, already', () => {
    given(founded).when('w-owner', { type: 'ResumeOrg' }).staysQuiet();
    given(founded, ['w-owner', { type: 'PauseOrg' }])
      .when('w-owner', { type: 'PauseOrg' })
      .staysQuiet();
  });

  test('let a paused org be changed all the same', () => {
    given(founded, ['w-owner', { type: 'PauseOrg' }])
      .when('w-owner', hired('w-ada')[1])
      .records('WorkerHired', 'StreamCreated', 'WorkerSubscribed');
  });
});
