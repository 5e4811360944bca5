import { createPosition } from './create-position.ts';
import { createRole } from './create-role.ts';
import { createStream } from './create-stream.ts';
import type { Tool } from './define-tool.ts';
import { grantTool } from './grant-tool.ts';
import { hireWorker } from './hire-worker.ts';
import { inviteWorkers } from './invite-workers.ts';
import { listWorkers } from './list-workers.ts';
import { publish } from './publish.ts';
import { readEvents } from './read-events.ts';
import { subscribe } from './subscribe.ts';
import { updateRole } from './update-role.ts';
import { workerLog } from './worker-log.ts';

/** Every tool there is, in the order they are listed to a client. */
export const catalog: readonly Tool[] = [
  createRole,
  updateRole,
  createPosition,
  hireWorker,
  grantTool,
  createStream,
  subscribe,
  inviteWorkers,
  publish,
  readEvents,
  workerLog,
  listWorkers,
] as readonly Tool[];

export const toolNames: ReadonlySet<string> = new Set(catalog.map(({ name }) => name));
