// The protocol's handlers, one for each Worker, so that what changes for one reaches the clients of that one.
import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { DomainEvent } from '../../domain/org.ts';
import type { Journal } from '../../store/journal.ts';
import type { Log } from '../refusal.ts';
import type { McpRequest } from './answers.ts';
import { createMcpServers, type McpServerDeps } from './server.ts';

export type McpHandlersDeps = McpServerDeps & { journal: Journal; log: Log };

export function createHandlers(deps: McpHandlersDeps) {
  const { journal, prompts, log } = deps;
  const handlers = new Map<string, McpHttpHandler>();
  const serverFor = createMcpServers(deps);
  const onerror = (error: Error) => log.warn({ err: error }, 'an MCP request was refused');
  const close = (workerId: string): void => {
    void handlers.get(workerId)?.close();
    handlers.delete(workerId);
  };
  journal.onCommit((entries) => {
    const changes = createChanges();
    for (const { event } of entries) {
      noteChanges(changes, event, prompts.gates);
      if (event.type === 'WorkerFired') close(event.workerId);
    }
    for (const workerId of changes.tools) handlers.get(workerId)?.notify.toolsChanged();
    for (const workerId of changes.prompts) handlers.get(workerId)?.notify.promptsChanged();
    const readers = changes.everybody ? handlers.keys() : changes.resources;
    for (const workerId of readers) handlers.get(workerId)?.notify.resourcesChanged();
  });
  return {
    of(workerId: string): McpHttpHandler {
      const known = handlers.get(workerId);
      if (known) return known;
      const made = createMcpHandler(({ authInfo, era }) => serverFor(authInfo?.extra?.mcpRequest as McpRequest, era), {
        onerror,
      });
      handlers.set(workerId, made);
      return made;
    },
    closeAll(): void {
      for (const workerId of [...handlers.keys()]) close(workerId);
    },
  };
}

/** Workers whose lists are others than before; `everybody` when that holds for the resources of all. */
type Changes = { tools: Set<string>; prompts: Set<string>; resources: Set<string>; everybody: boolean };

const createChanges = (): Changes => ({
  tools: new Set(),
  prompts: new Set(),
  resources: new Set(),
  everybody: false,
});

/** Facts after which other Roles or Streams can be read, or have another title. */
const OF_ALL: ReadonlySet<DomainEvent['type']> = new Set([
  'RoleCreated',
  'RoleUpdated',
  'RoleDeleted',
  'StreamCreated',
  'StreamUpdated',
  'StreamDeleted',
] as const);

function noteChanges(changes: Changes, event: DomainEvent, promptGates: ReadonlySet<string>): void {
  if (OF_ALL.has(event.type)) changes.everybody = true;
  if (event.type === 'WorkerSubscribed' || event.type === 'WorkerUnsubscribed') changes.resources.add(event.workerId);
  if (event.type !== 'ToolGranted' && event.type !== 'ToolRevoked') return;
  changes.tools.add(event.workerId);
  changes.resources.add(event.workerId);
  if (promptGates.has(event.tool)) changes.prompts.add(event.workerId);
}
