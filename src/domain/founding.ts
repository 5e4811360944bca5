import { conflict } from './errors.ts';
import { NOTICES, OWNER, OWNER_ROLE, ROOT_POSITION } from './ids.ts';
import type { DomainEvent, Org } from './org.ts';
import { checkText } from './role.ts';

export type FoundingCommand =
  | { type: 'FoundOrg'; ownerRole: string; ownerIdentity: string; grants: { grantId: string; tool: string }[] }
  | { type: 'PauseOrg' }
  | { type: 'ResumeOrg' };

export type FoundingEvent = { type: 'OrgPaused' } | { type: 'OrgResumed' };

/** An org begins with its owner, in the root Position, holding every tool and listening to `s-notices`. */
export function foundOrg(org: Org, command: Extract<FoundingCommand, { type: 'FoundOrg' }>): DomainEvent[] {
  if (org.workers.size > 0)
    throw conflict('org is already initialised (use a different data directory to start another)');
  const identity = command.ownerIdentity;
  checkText("the owner's role", command.ownerRole);
  checkText("the owner's identity", identity);
  return [
    { type: 'RoleCreated', roleId: OWNER_ROLE, content: command.ownerRole },
    { type: 'PositionCreated', positionId: ROOT_POSITION, roleId: OWNER_ROLE, parentId: null },
    { type: 'WorkerHired', workerId: OWNER, positionId: ROOT_POSITION, kind: 'human', identity },
    ...command.grants.map((grant): DomainEvent => ({ type: 'ToolGranted', workerId: OWNER, ...grant })),
    {
      type: 'StreamCreated',
      streamId: NOTICES,
      name: 'Notices',
      description: 'What needs a person, once each, with what to do about it.',
      transport: { kind: 'local', config: {} },
      purpose: 'notices',
      members: [],
      private: true,
      hold: false,
      batch: 'stream',
    },
    { type: 'WorkerSubscribed', workerId: OWNER, streamId: NOTICES, filter: null },
  ];
}
