// The agents there are, made from the settings.
import { dirname, join } from 'node:path';
import { createClaudeAgent } from '../agents/claude.ts';
import { examineClaude } from '../agents/claude-check.ts';
import { createCodexAgent } from '../agents/codex.ts';
import { examineCodex } from '../agents/codex-check.ts';
import { AUTH_VARIABLE } from '../agents/codex-login.ts';
import { checkCommand, createCommandAgent } from '../agents/command.ts';
import type { StartProgram } from '../agents/start-program.ts';
import type { Agent, AgentReport, Agents } from '../domain/agent.ts';
import type { Org } from '../domain/org.ts';
import { AGENT_KINDS, type WorkerAgent } from '../domain/worker-agent.ts';
import { type SettingValue, settingDefinitions } from '../store/daemon-settings.ts';
import type { Settings } from '../store/settings.ts';
import { agentLogin, loginSecret } from './agent-logins.ts';
import { packageRoot } from './package-root.ts';

export type AgentKind = SettingValue<'agent.kind'>;

/** Which agent plays Workers for which none was chosen: as set; where only a command is set, that command. */
export function agentKind(settings: Settings): AgentKind {
  const isCommand = settings.isDefault('agent.kind') && settings.get('agent.command').length > 0;
  return isCommand ? 'command' : settings.get('agent.kind');
}

/** The agents of this daemon; `all` is for those who ask how they are. */
export type AllAgents = Agents & { all: ReadonlyMap<string, Agent> };

/** All agents. Settings are read at use, so a change of them holds from the next activation on. */
export function createAgents(settings: Settings, start?: StartProgram): AllAgents {
  const all = new Map<string, Agent>(AGENT_KINDS.map((kind) => [kind, agentOf(kind, settings, start)]));
  return {
    all,
    defaultKind: () => agentKind(settings),
    of(own) {
      const kind = AGENT_KINDS.find((each) => each === own.kind) ?? agentKind(settings);
      const agent = all.get(kind);
      if (!agent) throw new Error(`There is no agent ${kind}.`);
      return { agent, choice: { context: settings.get('agent.context'), ...modelOf(kind, settings), ...own, kind } };
    },
  };
}

/** `agent.model` and `agent.effort` are about the kind that is set for all; their defaults are Claude's. */
export function modelOf(kind: AgentKind, settings: Settings): { model: string; effort: SettingValue<'agent.effort'> } {
  const isForAll = kind === agentKind(settings);
  const get = <K extends 'agent.model' | 'agent.effort'>(key: K) =>
    isForAll && !settings.isDefault(key) ? settings.get(key) : undefined;
  const { 'agent.model': model, 'agent.effort': effort } = settingDefinitions;
  return {
    model: get('agent.model') ?? (kind === 'claude' ? model.fallback : ''),
    effort: get('agent.effort') ?? (kind === 'claude' ? effort.fallback : ''),
  };
}

function agentOf(kind: AgentKind, settings: Settings, start: StartProgram | undefined): Agent {
  switch (kind) {
    case 'claude':
      return createClaudeAgent({
        settings: () => ({ bin: settings.get('claude.bin'), ...modelOf(kind, settings) }),
        login: () => agentLogin(kind, settings, process.env),
        start,
      });
    case 'codex':
      return createCodexAgent({
        settings: () => ({ bin: settings.get('codex.bin'), ...modelOf(kind, settings) }),
        login: () => agentLogin(kind, settings, process.env),
        start,
        keepLogin: (auth) => settings.setSecret(loginSecret(kind), JSON.stringify({ [AUTH_VARIABLE]: auth })),
        readable: () => [join(packageRoot, 'templates', 'wrappers'), dirname(process.execPath)],
      });
    case 'command':
      return createCommandAgent({ command: () => settings.get('agent.command'), start });
  }
}

/** What can be said of an agent without running it. @param command of the kind `command`: one that was chosen for a Worker */
export async function checkAgent(
  kind: AgentKind,
  settings: Settings,
  environment: NodeJS.ProcessEnv = process.env,
  command: string[] = settings.get('agent.command'),
): Promise<AgentReport> {
  switch (kind) {
    case 'claude':
      return examineClaude(settings.get('claude.bin'), agentLogin(kind, settings, environment));
    case 'codex':
      return examineCodex(settings.get('codex.bin'), agentLogin(kind, settings, environment));
    case 'command': {
      const [program = null] = command;
      const check = await checkCommand(command);
      const problems = check.ok ? [] : [{ sentence: check.problem, fix: check.fix }];
      return { kind, found: check.ok ? program : null, version: null, loggedIn: null, problems };
    }
  }
}

/** One agent in the place of all. */
export function onlyAgent(agent: Agent, settings: Settings): AllAgents {
  return {
    all: new Map([[agent.kind, agent]]),
    defaultKind: () => agent.kind,
    of: (own) => ({ agent, choice: { context: settings.get('agent.context'), ...own } }),
  };
}

/** The one that plays Workers for which none was chosen, at each moment. */
export function defaultAgent({ all, defaultKind }: AllAgents): Pick<Agent, 'kind' | 'check'> {
  return {
    get kind() {
      return defaultKind();
    },
    check: async () => (await all.get(defaultKind())?.check()) ?? { ok: false, problem: 'It is not known.', fix: '' },
  };
}

/** Ways to play that were chosen for Workers and are not the kind that is set for all, with one of them each. */
export function waysToPlay(
  workers: readonly { id: string; agent: WorkerAgent }[],
  usual: AgentKind,
): { kind: AgentKind; command?: string[]; workerId: string }[] {
  const chosen = workers.flatMap(({ id, agent: { kind: own, command } }) => {
    const kind = AGENT_KINDS.find((each) => each === own);
    if (kind === undefined || (kind === usual && command === undefined)) return [];
    return [{ kind, workerId: id, ...(command ? { command } : {}) }];
  });
  const first = new Map(chosen.map((way) => [JSON.stringify([way.kind, way.command]), way] as const).reverse());
  return [...first.values()].reverse();
}

/** Kinds that were chosen for Workers who are employed, with one of them each; without the kind that is set for all. */
export function chosenKinds(org: Pick<Org, 'workers'>, agents: Agents): Map<string, string> {
  const found = new Map<string, string>();
  for (const [workerId, { agent, firedAt }] of org.workers) {
    const kind = agent.kind;
    if (kind !== undefined && firedAt === null && kind !== agents.defaultKind()) found.set(kind, workerId);
  }
  return found;
}
