// The dispatcher of a daemon, made of the daemon's parts.

import { createDispatcher } from '../dispatch/dispatcher.ts';
import { createActivationTokens } from '../dispatch/memory-tokens.ts';
import { createAgentSessions } from '../store/agent-sessions.ts';
import { createExpired } from '../store/expired.ts';
import { createHeldTriggers } from '../store/held-triggers.ts';
import { createInbox } from '../store/inbox.ts';
import { createProcesses } from '../store/processes.ts';
import type { AllAgents } from './agents.ts';
import type { Core } from './core.ts';
import type { DaemonOverrides } from './daemon.ts';
import { createWorkerEnvironment } from './worker-environment.ts';

export type Edges = DaemonOverrides & Required<Pick<DaemonOverrides, 'log' | 'now' | 'after'>>;
export type Dispatch = ReturnType<typeof createDispatch>;

export function createDispatch(core: Core, agents: AllAgents, { log, now, after }: Edges) {
  const inbox = createInbox(core.db);
  const processes = createProcesses(core.db);
  const activationTokens = createActivationTokens();
  const onFailure = (error: unknown) => log.error({ err: error }, 'an activation could not be recorded');
  const environment = createWorkerEnvironment({ ...core, dataDir: core.paths.dataDir, path: process.env.PATH ?? '' });
  const dispatcher = createDispatcher({
    ...core,
    environment,
    inbox,
    expired: createExpired(core.db),
    heldTriggers: createHeldTriggers(core.db),
    processes,
    agents,
    sessions: createAgentSessions(core.db),
    tokens: activationTokens,
    now,
    after,
    onFailure,
  });
  return { inbox, processes, activationTokens, dispatcher };
}
