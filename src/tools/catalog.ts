import { activateWorker } from './activate-worker.ts';
import { createPosition } from './create-position.ts';
import { createRole } from './create-role.ts';
import { createStream } from './create-stream.ts';
import type { Tool } from './define-tool.ts';
import { deletePosition } from './delete-position.ts';
import { deleteRole } from './delete-role.ts';
import { deleteStream } from './delete-stream.ts';
import { discard } from './discard.ts';
import { dm } from './dm.ts';
import { eventStatus } from './event-status.ts';
import { fireWorker } from './fire-worker.ts';
import { getEvent } from './get-event.ts';
import { getGrant } from './get-grant.ts';
import { getPosition } from './get-position.ts';
import { getRole } from './get-role.ts';
import { getStream } from './get-stream.ts';
import { getWorker } from './get-worker.ts';
import { getWorkerEnvironment } from './get-worker-environment.ts';
import { grantTool } from './grant-tool.ts';
import { hireWorker } from './hire-worker.ts';
import { interruptWorker } from './interrupt-worker.ts';
import { inviteWorkers } from './invite-workers.ts';
import { listActivations } from './list-activations.ts';
import { listPositionChildren } from './list-position-children.ts';
import { listPositions } from './list-positions.ts';
import { listRoles } from './list-roles.ts';
import { listStreamEvents } from './list-stream-events.ts';
import { listStreams } from './list-streams.ts';
import { listWorkerGrants } from './list-worker-grants.ts';
import { listWorkers } from './list-workers.ts';
import { moveWorker } from './move-worker.ts';
import { pauseOrg } from './pause-org.ts';
import { pauseWorker } from './pause-worker.ts';
import { publish } from './publish.ts';
import { readEvents } from './read-events.ts';
import { redactEvent } from './redact-event.ts';
import { release } from './release.ts';
import { resumeOrg } from './resume-org.ts';
import { resumeWorker } from './resume-worker.ts';
import { retry } from './retry.ts';
import { revokeTool } from './revoke-tool.ts';
import { rotateSecret } from './rotate-secret.ts';
import { streamMembers } from './stream-members.ts';
import { subscribe } from './subscribe.ts';
import { unsubscribe } from './unsubscribe.ts';
import { updateAgent } from './update-agent.ts';
import { updateIdentity } from './update-identity.ts';
import { updatePosition } from './update-position.ts';
import { updateRole } from './update-role.ts';
import { updateStream } from './update-stream.ts';
import { workerLog } from './worker-log.ts';

/** Every tool there is, in the order they are listed to a client: by noun, what adds first. */
export const catalog: readonly Tool[] = [
  createRole,
  updateRole,
  deleteRole,
  listRoles,
  getRole,
  createPosition,
  updatePosition,
  deletePosition,
  listPositions,
  getPosition,
  listPositionChildren,
  hireWorker,
  updateIdentity,
  updateAgent,
  moveWorker,
  pauseWorker,
  resumeWorker,
  interruptWorker,
  activateWorker,
  fireWorker,
  listWorkers,
  getWorker,
  getWorkerEnvironment,
  grantTool,
  revokeTool,
  listWorkerGrants,
  getGrant,
  createStream,
  updateStream,
  rotateSecret,
  deleteStream,
  listStreams,
  getStream,
  streamMembers,
  subscribe,
  unsubscribe,
  inviteWorkers,
  publish,
  dm,
  readEvents,
  listStreamEvents,
  getEvent,
  eventStatus,
  redactEvent,
  workerLog,
  listActivations,
  retry,
  release,
  discard,
  pauseOrg,
  resumeOrg,
] as readonly Tool[];

export const toolNames: ReadonlySet<string> = new Set(catalog.map(({ name }) => name));
