import { createCommandAgent } from '../agents/command.ts';
import type { Agent } from '../domain/agent.ts';
import type { Settings } from '../store/settings.ts';

/** The agent that `agent.kind` names. */
export function agentOf(settings: Settings): Agent {
  const kinds = { command: () => createCommandAgent({ command: () => settings.get('agent.command') }) };
  return kinds[settings.get('agent.kind')]();
}
