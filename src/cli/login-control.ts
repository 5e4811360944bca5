// What `helix-org login` asks of whoever has the data: how the agents are logged in, and to keep or forget a login.
import { z } from 'zod';
import type { AgentReport } from '../domain/agent.ts';
import type { Settings } from '../store/settings.ts';
import { agentLogin, LOGIN_AGENTS, type LoginAgent, loginSecret, payerOf, storedLogin } from './agent-logins.ts';
import { checkAgent } from './agents.ts';

/** How one agent is logged in for Workers; no part of the login itself. */
export type LoginStatus = AgentReport & {
  kind: LoginAgent;
  /** Where the login comes from: `helix-org login` stored it, or the daemon's environment has it; null without one. */
  from: 'stored' | 'environment' | null;
  /** Who pays for the runs; null without a login. */
  pays: string | null;
};

const agent = z.enum(LOGIN_AGENTS);
const setting = { claude: 'claude.bin', codex: 'codex.bin' } as const;

/** @param onStored told of the agent whose login was stored */
export function loginControl(
  settings: Settings,
  environment: NodeJS.ProcessEnv = process.env,
  onStored: (kind: LoginAgent) => void = () => {},
) {
  async function statusOf(kind: LoginAgent): Promise<LoginStatus> {
    const report = await checkAgent(kind, settings, environment);
    const pays = payerOf(kind, agentLogin(kind, settings, environment)) ?? null;
    const from = storedLogin(kind, settings) ? 'stored' : pays === null ? null : 'environment';
    return { ...report, kind, from, pays };
  }
  return {
    'login.status': async (): Promise<{ agents: LoginStatus[] }> => ({
      agents: await Promise.all(LOGIN_AGENTS.map(statusOf)),
    }),
    /** Where the agent's program is. */
    async 'login.program'(args: unknown): Promise<{ program: string }> {
      return { program: settings.get(setting[z.object({ agent }).parse(args).agent]) };
    },
    async 'login.store'(args: unknown): Promise<LoginStatus> {
      const given = z.object({ agent, login: z.record(z.string(), z.string()) }).parse(args);
      settings.setSecret(loginSecret(given.agent), JSON.stringify(given.login));
      onStored(given.agent);
      return statusOf(given.agent);
    },
    async 'login.remove'(args: unknown): Promise<{ removed: boolean; status: LoginStatus }> {
      const given = z.object({ agent }).parse(args);
      const removed = storedLogin(given.agent, settings) !== undefined;
      settings.deleteSecret(loginSecret(given.agent));
      return { removed, status: await statusOf(given.agent) };
    },
  };
}
