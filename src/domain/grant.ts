import { conflict, forbidden, invalid, missing, nearest } from './errors.ts';
import { checkId, OWNER } from './ids.ts';
import type { Context, DomainEvent, Org } from './org.ts';
import { requireWorker } from './worker.ts';

export type GrantCommand =
  | { type: 'GrantTool'; grantId: string; workerId: string; tool: string }
  | { type: 'RevokeTool'; grantId: string };

export type GrantEvent =
  | { type: 'ToolGranted'; grantId: string; workerId: string; tool: string }
  | { type: 'ToolRevoked'; grantId: string; workerId: string; tool: string };

/** Nothing is recorded when the Worker holds the tool already. */
export function grantTool(
  org: Org,
  { grantId, workerId, tool }: { grantId: string; workerId: string; tool: string },
  context: Context,
): DomainEvent[] {
  requireWorker(org, workerId);
  checkGrantable(org, tool, context);
  if (org.grants.get(workerId)?.has(tool)) return [];
  checkNewGrantId(org, grantId);
  return [{ type: 'ToolGranted', grantId, workerId, tool }];
}

export function checkNewGrantId(org: Org, grantId: string): void {
  checkId('g', grantId);
  if (org.grantIds.has(grantId)) throw conflict(`Grant ${grantId} already exists; leave the id out to get a new one.`);
}

export function revokeTool(org: Org, grantId: string): DomainEvent[] {
  const grant = org.grantIds.get(grantId);
  if (!grant) throw missing('grant', grantId, org.grantIds.keys(), 'list_worker_grants');
  if (grant.workerId === OWNER) throw conflict('The owner holds every tool; its grants cannot be revoked.');
  return [{ type: 'ToolRevoked', grantId, ...grant }];
}

/**
 * Refuses a tool that does not exist, and one the actor does not hold (only the owner gives what it lacks).
 * `agent:` names are tools of the agent program itself, such as `agent:Bash(gh *)`.
 */
export function checkGrantable(org: Org, tool: string, { actor, tools }: Context): void {
  if (tool.trim() === '') throw invalid('toolName is required');
  if (tool.startsWith('mcp__')) {
    throw invalid(
      `Tool names are given without the client's prefix: ${tool.replace(/^mcp__[^_]+__/, '')}, not ${tool}.`,
    );
  }
  if (tool.startsWith('agent:') ? !/^agent:[A-Za-z][\w-]*(\([^()\n]{1,200}\))?$/.test(tool) : !tools.has(tool)) {
    const near = nearest(tool, tools);
    throw invalid(
      `unknown tool "${tool.slice(0, 80)}"${near ? `; did you mean ${near}?` : ''} ` +
        `Valid: ${[...tools].join(', ')}, or agent:NAME for a tool of the agent program.`,
    );
  }
  if (actor !== OWNER && org.workers.has(actor) && !org.grants.get(actor)?.has(tool)) {
    throw forbidden(`${actor} does not hold ${tool}, so it cannot grant it; ask the owner.`);
  }
}
