// A program in the place of Codex, for what the real one cannot be made to do on demand. It notes what it was given.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCodexAgent } from '../../src/agents/codex.ts';
import type { AgentResult, AgentRun, Segment } from '../../src/domain/agent.ts';
import { createFolder, createRun } from './play.ts';

export type SeenByCodex = {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  stdin: string;
  config: string;
  auth: string;
};

/** Makes the program. @param body JavaScript that runs when the prompt is read; `say(message)` prints a line of JSON */
export function fakeCodex(body: string, version = '0.169.0'): string {
  const file = join(createFolder(), 'codex');
  writeFileSync(
    file,
    `#!${process.execPath}
const fs = require('node:fs');
const argv = process.argv.slice(2);
if (argv[0] === '--version') { console.log('codex-cli ' + ${JSON.stringify(version)}); process.exit(0); }
if (argv[0] === 'debug') { console.log(JSON.stringify({ models: [{ slug: 'a-model', supports_search_tool: true }] })); process.exit(0); }
const stdin = fs.readFileSync(0, 'utf8');
const home = process.env.CODEX_HOME;
const [config, auth] = ['config.toml', 'auth.json'].map((name) => fs.readFileSync(home + '/' + name, 'utf8'));
fs.writeFileSync('seen.json', JSON.stringify({ argv, env: process.env, cwd: process.cwd(), stdin, config, auth }));
const say = (message) => console.log(JSON.stringify(message));
const start = { type: 'thread.started', thread_id: 'the-session' };
const item = (type, rest, id = 'item_0') => ({ type: 'item.completed', item: { id, type, ...rest } });
const done = { type: 'turn.completed', usage: { input_tokens: 100, cached_input_tokens: 40, output_tokens: 20 } };
const failed = (message) => ({ type: 'turn.failed', error: { message } });
${body}
`,
  );
  chmodSync(file, 0o755);
  return file;
}

export const seenByCodex = (folder: string): SeenByCodex =>
  JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8')) as SeenByCodex;

export type CodexTestSettings = { bin: string; model?: string; effort?: string; login?: Record<string, string> };

/** Plays a run as the dispatcher does. */
export async function playCodex(
  { bin, model = '', effort = '', login = { OPENAI_API_KEY: 'dummy' } }: CodexTestSettings,
  change: Partial<AgentRun> = {},
): Promise<{ result: AgentResult; bodies: string[]; segments: Segment[]; run: AgentRun; kept: string[] }> {
  const segments: Segment[] = [];
  const kept: string[] = [];
  const run = createRun(change);
  const agent = createCodexAgent({
    settings: () => ({ bin, model, effort }),
    login: () => login,
    keepLogin: (auth) => kept.push(auth),
    readable: () => ['/opt/wrappers'],
  });
  const result = await agent.run({
    ...run,
    onSegment(segment) {
      segments.push(segment);
      return run.onSegment(segment);
    },
  });
  return { result, segments, bodies: segments.map(({ body }) => body), run, kept };
}
