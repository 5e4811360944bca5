// A program in the place of Claude Code, for what the real one cannot be made to do on demand. It notes what it was given.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClaudeAgent } from '../../src/agents/claude.ts';
import type { AgentResult, AgentRun, Segment } from '../../src/domain/agent.ts';
import { createFolder, createRun } from './play.ts';

export type Seen = {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  stdin: string;
  instructions: string;
};

/** Makes the program. @param body JavaScript that runs when the prompt is read; `say(message)` prints a line of stream-json */
export function fakeClaude(body: string, version = '2.1.329'): string {
  const file = join(createFolder(), 'claude');
  writeFileSync(
    file,
    `#!${process.execPath}
const fs = require('node:fs');
if (process.argv[2] === '--version') { console.log(${JSON.stringify(version)} + ' (Claude Code)'); process.exit(0); }
const argv = process.argv.slice(2);
const stdin = fs.readFileSync(0, 'utf8');
const instructions = fs.readFileSync(argv[argv.indexOf('--append-system-prompt-file') + 1], 'utf8');
fs.writeFileSync('seen.json', JSON.stringify({ argv, env: process.env, cwd: process.cwd(), stdin, instructions }));
const say = (message) => console.log(JSON.stringify(message));
const init = { type: 'system', subtype: 'init', session_id: 'the-session', model: 'claude-sonnet', claude_code_version: ${JSON.stringify(version)},
  tools: ['Read'], mcp_servers: [{ name: 'helix', status: 'connected' }] };
const assistant = (...content) => ({ type: 'assistant', message: { id: 'm1', content }, parent_tool_use_id: null });
const result = { type: 'result', subtype: 'success', is_error: false, result: 'Done.', total_cost_usd: 0.5,
  modelUsage: { a: { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, cacheCreationInputTokens: 4 }, b: { inputTokens: 10, outputTokens: 20 } } };
${body}
`,
  );
  chmodSync(file, 0o755);
  return file;
}

export const seenIn = (folder: string): Seen => JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8')) as Seen;

export type ClaudeSettings = { bin: string; model?: string; effort?: string; login?: Record<string, string> };

/** Plays a run as the dispatcher does. */
export async function playClaude(
  { bin, model = 'sonnet', effort = 'low', login = { ANTHROPIC_API_KEY: 'dummy' } }: ClaudeSettings,
  change: Partial<AgentRun> = {},
): Promise<{ result: AgentResult; bodies: string[]; segments: Segment[]; run: AgentRun }> {
  const segments: Segment[] = [];
  const run = createRun(change);
  const agent = createClaudeAgent({ settings: () => ({ bin, model, effort }), login: () => login });
  const result = await agent.run({
    ...run,
    onSegment(segment) {
      segments.push(segment);
      return run.onSegment(segment);
    },
  });
  return { result, segments, bodies: segments.map(({ body }) => body), run };
}
