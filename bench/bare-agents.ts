// The agents of bench/agents.ts: how each is set up for the daemon, and how it is started without one.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentEnvironment } from '../src/agents/agent-environment.ts';
import { claudeArguments, claudeEnvironment } from '../src/agents/claude-arguments.ts';
import { prepareConfig } from '../src/agents/claude-config.ts';
import { codexArguments, codexEnvironment } from '../src/agents/codex-arguments.ts';
import { prepareHome } from '../src/agents/codex-home.ts';
import { modelCatalog } from '../src/agents/codex-models.ts';
import { codexConfig } from '../src/agents/codex-settings.ts';
import type { AgentRun } from '../src/domain/agent.ts';
import { CLAUDE_BIN, CODEX_BIN } from '../test/agents/contract-agents.ts';
import { startScriptedAnthropic, stepByStep } from '../test/support/scripted-anthropic.ts';
import { startScriptedOpenai } from '../test/support/scripted-openai.ts';

export type BareAgent = {
  kind: 'claude' | 'codex';
  name: string;
  bin: string;
  settings: Record<string, unknown>;
  login: Record<string, string>;
  /** What the daemon does for each run before it starts the program. */
  prepare(run: AgentRun): Promise<void>;
  command(run: AgentRun): string[];
  environment(run: AgentRun): Record<string, string>;
  close(): Promise<void>;
};

const publish = [{ name: 'mcp__helix__publish', input: { streamId: 's-out', body: 'I heard it.' } }];

export async function claude(): Promise<BareAgent> {
  const model = await startScriptedAnthropic(stepByStep(publish));
  const login = { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: model.url };
  return {
    kind: 'claude',
    name: 'Claude Code',
    bin: CLAUDE_BIN,
    settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN },
    login,
    async prepare({ folder, mcp, instructions }) {
      mkdirSync(folder, { recursive: true });
      const headers = { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' };
      const helix = { type: 'http', url: mcp.url, alwaysLoad: true, headers };
      writeFileSync(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: { helix } }));
      await prepareConfig(folder, instructions, undefined);
    },
    command: (run) => [CLAUDE_BIN, ...claudeArguments(run, { model: 'sonnet', effort: 'low' })],
    environment: (run) => ({ ...agentEnvironment(run, process.env), ...claudeEnvironment(run.folder, login) }),
    close: model.close,
  };
}

export async function codex(): Promise<BareAgent> {
  const model = await startScriptedOpenai(stepByStep(publish));
  const login = { OPENAI_API_KEY: 'dummy', OPENAI_BASE_URL: model.url };
  const choice = { model: 'gpt-5.5', effort: 'low' };
  const catalog = await modelCatalog(CODEX_BIN);
  return {
    kind: 'codex',
    name: 'Codex',
    bin: CODEX_BIN,
    settings: {
      'agent.kind': 'codex',
      'codex.bin': CODEX_BIN,
      'agent.model': choice.model,
      'agent.effort': choice.effort,
    },
    login,
    async prepare(run) {
      mkdirSync(run.folder, { recursive: true });
      const program = { program: CODEX_BIN, readable: [], hasCatalog: catalog !== undefined };
      const config = codexConfig({ run, choice, login, ...program });
      await prepareHome(run.folder, { config, auth: undefined, catalog, kept: undefined });
    },
    command: (run) => [CODEX_BIN, ...codexArguments(run)],
    environment: (run) => ({ ...agentEnvironment(run, process.env), ...codexEnvironment(run.folder, login) }),
    close: model.close,
  };
}
