// The agents that the contract holds for. Another kind is one more row: how it is made to follow a script.
import { fileURLToPath } from 'node:url';
import { type ModelReply, type ModelRequest, startScriptedAnthropic } from '../support/scripted-anthropic.ts';
import { type Script, serveScript } from './script.ts';

export type ContractAgent = {
  kind: string;
  /** Makes agents that are started with these settings follow the script. */
  follow(script: Script): Promise<Following>;
  /** How the agent names one of our tools in its transcript. */
  toolName(tool: string): string;
};

export type Following = {
  settings: Record<string, unknown>;
  /** Variables that a stored login would hold. */
  login?: Record<string, string>;
  close(): Promise<void>;
};

const real = (path: string) => fileURLToPath(new URL(`../real-agents/node_modules/${path}`, import.meta.url));

/** Where the real Claude Code is, once `npm run test:agents` has installed it. */
export const CLAUDE_BIN = real('@anthropic-ai/claude-code/bin/claude.exe');

export const commandAgent: ContractAgent = {
  kind: 'command',
  toolName: (tool) => tool,
  async follow(script) {
    const { url, close } = await serveScript(script);
    const program = fileURLToPath(new URL('scripted-agent.mjs', import.meta.url));
    return { settings: { 'agent.command': [process.execPath, program, url] }, close };
  },
};

const PREFIX = 'mcp__helix__';

export const claudeAgent: ContractAgent = {
  kind: 'claude',
  toolName: (tool) => PREFIX + tool,
  async follow(script) {
    const model = await startScriptedAnthropic((request) => claudeReply(script, request));
    return {
      settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN },
      login: { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: model.url },
      close: model.close,
    };
  },
};

/** Our tools by their own names, Claude's as Claude names them. */
export async function claudeReply(script: Script, { results, tools, said, system }: ModelRequest): Promise<ModelReply> {
  const ours = tools.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  const act = await script({ results, tools: ours, prompt: [system, ...said].join('\n') });
  if (act === 'hang') return 'hang';
  const use = act.use?.map(({ name, input }) => ({ name: /^[a-z_]+$/.test(name) ? PREFIX + name : name, input }));
  return { ...(act.say === undefined ? {} : { say: act.say }), ...(use ? { use } : {}) };
}
