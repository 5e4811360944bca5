// What a command leads to, by the org's rules: one line per command into the file of its noun. Pure; nothing is recorded here.
import { endActivation, holdTriggers, requeueTriggers, setTriggersAside, startActivation } from './activation.ts';
import { openChat } from './chat.ts';
import { discardEvent, postNotice, publish, releaseEvent, sendDm } from './event.ts';
import { foundOrg } from './founding.ts';
import { grantTool, revokeTool } from './grant.ts';
import { holdWork, resumeWork } from './hold.ts';
import type { Command, Context, DomainEvent, Org } from './org.ts';
import { decideOutbox } from './outbox.ts';
import { createPosition, deletePosition, updatePosition } from './position.ts';
import { createRole, deleteRole, updateRole } from './role.ts';
import { createStream, deleteStream, updateStream } from './stream.ts';
import { inviteWorkers, subscribe, unsubscribeWorker } from './subscription.ts';
import * as worker from './worker.ts';
import { updateAgent } from './worker-agent.ts';

/**
 * The facts a command leads to; none when there is nothing to do.
 * @throws OrgError when the org's rules forbid it
 */
export function decide(org: Org, command: Command, context: Context): DomainEvent[] {
  // Its credentials end with it, but a call may have been under way.
  if (org.workers.has(context.actor)) worker.requireWorker(org, context.actor);
  switch (command.type) {
    case 'FoundOrg':
      return foundOrg(org, command);
    case 'PauseOrg':
      return org.paused ? [] : [{ type: 'OrgPaused' }];
    case 'ResumeOrg':
      return org.paused ? [{ type: 'OrgResumed' }] : [];
    case 'CreateRole':
      return createRole(org, command);
    case 'UpdateRole':
      return updateRole(org, command, context);
    case 'DeleteRole':
      return deleteRole(org, command.roleId);
    case 'CreatePosition':
      return createPosition(org, command);
    case 'UpdatePosition':
      return updatePosition(org, command);
    case 'DeletePosition':
      return deletePosition(org, command.positionId);
    case 'HireWorker':
      return worker.hireWorker(org, command, context);
    case 'UpdateIdentity':
      return worker.updateIdentity(org, command, context);
    case 'UpdateAgent':
      return updateAgent(org, command, context);
    case 'MoveWorker':
      return worker.moveWorker(org, command.workerId, command.positions);
    case 'FireWorker':
      return worker.fireWorker(org, command.workerId);
    case 'PauseWorker':
      return worker.pauseWorker(org, command.workerId);
    case 'ResumeWorker':
      return worker.resumeWorker(org, command.workerId);
    case 'ActivateWorker':
      return worker.activateWorker(org, command.workerId, command.reason, context);
    case 'GrantTool':
      return grantTool(org, command, context);
    case 'RevokeTool':
      return revokeTool(org, command.grantId);
    case 'OpenChat':
      return openChat(org, command.workerId);
    case 'CreateStream':
      return createStream(org, command);
    case 'UpdateStream':
      return updateStream(org, command, context);
    case 'DeleteStream':
      return deleteStream(org, command.streamId, context);
    case 'Subscribe':
      return subscribe(org, command, context);
    case 'Unsubscribe':
      return unsubscribeWorker(org, context.actor, command.streamId);
    case 'InviteWorkers':
      return inviteWorkers(org, command, context);
    case 'Publish':
      return publish(org, command, context);
    case 'SendDm':
      return sendDm(org, command, context);
    case 'PostNotice':
      return [postNotice(org, context, 0, command)];
    case 'RecordDelivered':
    case 'RecordDead':
    case 'RequeueDeliveries':
    case 'DiscardDeliveries':
    case 'ResumeSending':
      return decideOutbox(org, command, context, (notice, offset) => postNotice(org, context, offset, notice));
    case 'ReleaseEvent':
      return releaseEvent(org, command, context);
    case 'DiscardEvent':
      return discardEvent(org, command);
    case 'RedactEvent': {
      const { type: _, alsoErase, ...redacted } = command;
      return [{ type: 'EventRedacted', alsoErased: alsoErase, ...redacted }];
    }
    case 'StartActivation':
      return startActivation(org, command);
    case 'EndActivation':
      return endActivation(org, command, context);
    case 'HoldTriggers':
      return holdTriggers(org, command, context);
    case 'RequeueTriggers':
      return requeueTriggers(org, command, context);
    case 'DropTriggers':
      return setTriggersAside(org, { ...command, type: 'TriggersDropped' });
    case 'ExpireTriggers':
      return setTriggersAside(org, { ...command, type: 'TriggersExpired' });
    case 'HoldWork':
      return holdWork(org, command, context);
    case 'ResumeWork':
      return resumeWork(org, command, context);
  }
}
