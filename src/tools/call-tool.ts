// The one door: grant, arguments, handler. MCP, pages, the command line and demos all come in here.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { OrgError } from '../domain/errors.ts';
import type { Org } from '../domain/org.ts';
import type { Caller, Tool, ToolContext, ToolDeps } from './define-tool.ts';
import { inputSchema, type ObjectSchema } from './tool-schema.ts';

/** How a call ended. A refusal's text is a sentence for the caller; an unknown tool is a protocol matter of its own. */
export type ToolOutcome =
  | { kind: 'ok'; result: Record<string, unknown> }
  | { kind: 'refused'; message: string }
  | { kind: 'unknown' };

export type CallTool = (caller: Caller, name: string, args: unknown) => Promise<ToolOutcome>;

export type ToolDoor = {
  call: CallTool;
  /** The tools a Worker holds, in catalog order. */
  granted(workerId: string): readonly Tool[];
  /** What a client is shown of a tool's arguments; computed once. */
  inputSchema(tool: Tool): ObjectSchema;
};

/** @param onBug told of every failure that is no refusal, with the reference the caller was given */
export function createToolDoor(
  catalog: readonly Tool[],
  deps: ToolDeps,
  onBug: (reference: string, error: unknown) => void,
): ToolDoor {
  const byName = new Map(catalog.map((tool) => [tool.name, tool]));
  const toolNames = new Set(byName.keys());
  const schemas = new Map<Tool, ObjectSchema>();
  const contextOf = (caller: Caller): ToolContext => {
    const { workerId, via, onBehalfOf, cause } = caller;
    const options = { via, ...(onBehalfOf ? { onBehalfOf } : {}), ...(cause ? { cause } : {}) };
    return { ...deps, caller, toolNames, change: (command) => deps.journal.commit(workerId, command, options) };
  };
  return {
    async call(caller, name, args) {
      const tool = byName.get(name);
      if (!tool) return { kind: 'unknown' };
      const { workerId } = caller;
      const message = `${workerId} does not hold ${name} (any more); ask the owner or your hirer for it.`;
      if (!holds(deps.journal.org, workerId, name)) return { kind: 'refused', message };
      const parsed = tool.input.safeParse(args ?? {});
      if (!parsed.success) return { kind: 'refused', message: readable(parsed.error) };
      try {
        const result = await tool.handler(parsed.data, contextOf(caller));
        // A read may have waited, and what it saw meanwhile is no longer the caller's to know.
        if (tool.effect === 'reads' && !holds(deps.journal.org, workerId, name)) return { kind: 'refused', message };
        return { kind: 'ok', result };
      } catch (error) {
        if (error instanceof OrgError) return { kind: 'refused', message: error.message };
        const reference = randomUUID().slice(0, 8);
        onBug(reference, error);
        return { kind: 'refused', message: `Internal error (ref ${reference}); the daemon's log says more.` };
      }
    },
    inputSchema(tool) {
      const schema = schemas.get(tool) ?? inputSchema(tool, [...deps.transports.keys()]);
      schemas.set(tool, schema);
      return schema;
    },
    granted: (workerId) => catalog.filter(({ name }) => holds(deps.journal.org, workerId, name)),
  };
}

function holds(org: Org, workerId: string, tool: string): boolean {
  const worker = org.workers.get(workerId);
  return worker !== undefined && worker.firedAt === null && org.grants.get(workerId)?.has(tool) === true;
}

/** The first problem as one sentence. Sentences of our own schemas name their field and stand alone. */
function readable(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return 'parse args: the arguments do not fit';
  const field = issue.path.join('.');
  if (field === '') return `parse args: ${issue.message}`;
  const ours = issue.message.includes(field) || issue.message.startsWith('unknown ');
  return ours ? issue.message : `parse args: ${field}: ${issue.message}`;
}
