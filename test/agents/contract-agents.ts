// The agents that the contract holds for. Another kind is one more row: how it is made to follow a script.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelReply, type ModelRequest, startScriptedAnthropic } from '../support/scripted-anthropic.ts';
import * as openai from '../support/scripted-openai.ts';
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

/** Where the real Codex is, as npm installs it. */
export const CODEX_BIN = real('@openai/codex/bin/codex.js');

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

/** Codex's own tools, as far as tests ask for them. */
const CODEX_TOOLS = new Set([
  ...['exec_command', 'shell', 'shell_command', 'local_shell', 'write_stdin', 'exec', 'apply_patch', 'view_image'],
  ...['web_search', 'spawn_agent', 'request_user_input', 'image_generation', 'list_mcp_resources', 'read_mcp_resource'],
]);

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

/** Codex as far as we know it: a program that speaks as it does, for where the real one is not installed. */
export const codexStandIn: ContractAgent = {
  kind: 'codex',
  toolName: (tool) => PREFIX + tool,
  async follow(script) {
    const { url, close } = await serveScript(script);
    const program = fileURLToPath(new URL('scripted-codex.mjs', import.meta.url));
    const folder = mkdtempSync(join(tmpdir(), 'helix-codex-'));
    const bin = join(folder, 'codex');
    writeFileSync(bin, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
    return {
      settings: { 'agent.kind': 'codex', 'codex.bin': bin },
      login: { OPENAI_API_KEY: 'dummy', OPENAI_BASE_URL: url },
      async close() {
        await close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

export const codexAgent: ContractAgent = {
  kind: 'codex',
  toolName: (tool) => PREFIX + tool,
  async follow(script) {
    const model = await openai.startScriptedOpenai((request) => codexReply(script, request));
    return {
      settings: { 'agent.kind': 'codex', 'codex.bin': CODEX_BIN, 'agent.model': 'gpt-5.5' },
      login: { OPENAI_API_KEY: 'dummy', OPENAI_BASE_URL: model.url },
      close: model.close,
    };
  },
};

/** Our tools by their own names, Codex's as Codex names them. */
export async function codexReply(script: Script, request: openai.ModelRequest): Promise<openai.ModelReply> {
  const { results, tools, said, instructions } = request;
  const ours = tools.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  const act = await script({ results, tools: ours, prompt: [instructions, ...said].join('\n') });
  if (act === 'hang') return 'hang';
  const use = act.use?.map(({ name, input }) => ({ name: CODEX_TOOLS.has(name) ? name : PREFIX + name, input }));
  return { ...(act.say === undefined ? {} : { say: act.say }), ...(use ? { use } : {}) };
}

/** Our tools by their own names, Claude's as Claude names them. */
export async function claudeReply(script: Script, { results, tools, said, system }: ModelRequest): Promise<ModelReply> {
  const ours = tools.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  const act = await script({ results, tools: ours, prompt: [system, ...said].join('\n') });
  if (act === 'hang') return 'hang';
  const use = act.use?.map(({ name, input }) => ({ name: /^[a-z_]+$/.test(name) ? PREFIX + name : name, input }));
  return { ...(act.say === undefined ? {} : { say: act.say }), ...(use ? { use } : {}) };
}
