// The agents there are, made from the settings.
import { createClaudeAgent } from '../agents/claude.ts';
import { examineClaude } from '../agents/claude-check.ts';
import { createCommandAgent } from '../agents/command.ts';
import type { Agent, AgentReport } from '../domain/agent.ts';
import type { SettingValue } from '../store/daemon-settings.ts';
import type { Settings } from '../store/settings.ts';

export type AgentKind = SettingValue<'agent.kind'>;

/** Which agent plays Workers: as set; where only a command is set, that command. */
export function agentKind(settings: Settings): AgentKind {
  const isDefault = settings.list().some(({ key, from }) => key === 'agent.kind' && from === 'default');
  return isDefault && settings.get('agent.command').length > 0 ? 'command' : settings.get('agent.kind');
}

/** The agent that plays Workers. */
export function agentOf(settings: Settings, environment: NodeJS.ProcessEnv = process.env): Agent {
  switch (agentKind(settings)) {
    case 'claude':
      return createClaudeAgent({
        settings: () => ({
          bin: settings.get('claude.bin'),
          model: settings.get('agent.model'),
          effort: settings.get('agent.effort'),
        }),
        login: () => claudeLogin(settings, environment),
      });
    case 'command':
      return createCommandAgent({ command: () => settings.get('agent.command') });
  }
}

/** What can be said of an agent without running it. */
export async function checkAgent(
  kind: AgentKind,
  settings: Settings,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<AgentReport> {
  switch (kind) {
    case 'claude':
      return examineClaude(settings.get('claude.bin'), claudeLogin(settings, environment));
    case 'command': {
      const [program = null] = settings.get('agent.command');
      const check = await createCommandAgent({ command: () => settings.get('agent.command') }).check();
      const problems = check.ok ? [] : [{ sentence: check.problem, fix: check.fix }];
      return { kind, found: check.ok ? program : null, version: null, loggedIn: null, problems };
    }
  }
}

/** What says who pays and where the service is. A stored login comes before the daemon's environment. */
const CLAUDE_VARIABLES = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'CLAUDE_CODE_OAUTH_TOKEN',
];

function claudeLogin(settings: Settings, environment: NodeJS.ProcessEnv): Record<string, string> {
  const given = CLAUDE_VARIABLES.flatMap((name) => (environment[name] ? [[name, environment[name]]] : []));
  const stored = settings.secret('login.claude');
  return { ...Object.fromEntries(given), ...(stored ? (JSON.parse(stored) as Record<string, string>) : {}) };
}
