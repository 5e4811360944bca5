// One MCP server per request, as the protocol's stateless serving wants it.
import { type McpRequestContext, Server, type ServerContext } from '@modelcontextprotocol/server';
import type { ToolDoor } from '../../tools/call-tool.ts';
import type { McpAnswers, McpRequest } from './answers.ts';
import { type CompletionDeps, completionAnswers } from './completion.ts';
import { type InstructionsDeps, instructions } from './instructions.ts';
import { promptAnswers } from './prompts.ts';
import { resourceAnswers } from './resources.ts';
import { toolAnswers } from './tools.ts';

export type McpServerDeps = CompletionDeps &
  InstructionsDeps & {
    door: ToolDoor;
    version: string;
    /** Stands before the real ones, except for calls of tools that the door knows: for tests that need tools no org has. */
    mcpAnswers?(real: McpAnswers): McpAnswers;
  };

/** The methods that tell a client what the endpoint is for. */
const INTRODUCTIONS: ReadonlySet<string | undefined> = new Set(['initialize', 'server/discover']);

/** What every answer says of who gave it. */
export const identityOf = ({ version }: Pick<McpServerDeps, 'version'>) => ({
  name: 'helix-org',
  title: 'helix-org',
  version,
});

/** @returns what makes a server for each request */
export function createMcpServers(deps: McpServerDeps): (request: McpRequest, era: McpRequestContext['era']) => Server {
  const real: McpAnswers = {
    ...toolAnswers(deps.door),
    ...promptAnswers(deps.prompts),
    ...resourceAnswers(deps),
    ...completionAnswers(deps),
  };
  const answers = deps.mcpAnswers?.(real) ?? real;
  return (request, era) => {
    // Clients of the 2025 revisions would need a session to be told anything outside of a request.
    const changes = era === 'modern' ? { listChanged: true } : {};
    const server = new Server(identityOf(deps), {
      capabilities: { tools: changes, prompts: changes, resources: changes, completions: {} },
      ...(INTRODUCTIONS.has(request.method) ? { instructions: instructions(request.workerId, deps) } : {}),
    });
    const asker = (context: ServerContext) => ({ ...request, context });
    const paged = (params: { cursor?: string | undefined } | undefined) => params ?? {};
    server.setRequestHandler('tools/list', ({ params }, ctx) => answers['tools/list'](paged(params), asker(ctx)));
    server.setRequestHandler('tools/call', ({ params }, ctx) => answers['tools/call'](params, asker(ctx)));
    server.setRequestHandler('prompts/list', ({ params }, ctx) => answers['prompts/list'](paged(params), asker(ctx)));
    server.setRequestHandler('prompts/get', ({ params }, ctx) => answers['prompts/get'](params, asker(ctx)));
    server.setRequestHandler('resources/list', ({ params }, ctx) =>
      answers['resources/list'](paged(params), asker(ctx)),
    );
    server.setRequestHandler('resources/templates/list', ({ params }, ctx) =>
      answers['resources/templates/list'](paged(params), asker(ctx)),
    );
    server.setRequestHandler('resources/read', ({ params }, ctx) => answers['resources/read'](params, asker(ctx)));
    server.setRequestHandler('completion/complete', ({ params }, ctx) =>
      answers['completion/complete'](params, asker(ctx)),
    );
    return server;
  };
}
