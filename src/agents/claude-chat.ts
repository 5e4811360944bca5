// Claude Code in a chat on a page: what it is started with. As for Workers, nothing of the user's own leaks in; unlike there, it
// stays, and its sessions are kept.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureHome } from './agent-environment.ts';
import { MCP_SERVER, toolsOf } from './claude-arguments.ts';

/** Apart from the one of activations, which is made anew for each of them. */
export const chatConfigDirectory = (folder: string): string => join(folder, '.home', '.claude-chat');
export const chatInstructionsFile = (folder: string): string => join(chatConfigDirectory(folder), 'instructions.md');

export type ClaudeChat = {
  folder: string;
  workerId: string;
  model: string;
  grants: string[];
  /** The session to go on in. */
  session: string | undefined;
  mcp: { url: string; token: string };
  /** Variables that log it in. */
  login: Record<string, string>;
};

/** Makes what it needs in the folder. */
export async function prepareClaudeChat(folder: string, instructions: string): Promise<void> {
  ensureHome(folder);
  await mkdir(join(chatConfigDirectory(folder), 'tmp'), { recursive: true, mode: 0o700 });
  const file = chatInstructionsFile(folder);
  await writeFile(`${file}.new`, instructions, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** The arguments after the program's name. What is said goes over stdin. */
export function claudeChatArguments({ folder, model, grants, session }: ClaudeChat): string[] {
  const { tools, allowed } = toolsOf(grants);
  return [
    '--print',
    ...['--input-format', 'stream-json'],
    ...['--output-format', 'stream-json'],
    '--verbose',
    '--include-partial-messages',
    '--restricted',
    ...['--permission-mode', 'dontAsk'],
    '--strict-mcp-config',
    ...['--mcp-config', join(folder, 'mcp.json')],
    '--disable-slash-commands',
    ...['--append-system-prompt-file', chatInstructionsFile(folder)],
    ...(model ? ['--model', model] : []),
    ...(session ? ['--resume', session] : []),
    ...['--tools', tools.join(',')],
    // The last one, since it takes every word that follows.
    ...['--allowedTools', `mcp__${MCP_SERVER}`, ...allowed],
  ];
}

/** What it gets beside what is passed on of the daemon's environment. */
export function claudeChatEnvironment({ folder, workerId, mcp, login }: ClaudeChat): Record<string, string> {
  return {
    CLAUDE_CONFIG_DIR: chatConfigDirectory(folder),
    CLAUDE_CODE_TMPDIR: join(chatConfigDirectory(folder), 'tmp'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_DISABLE_CLAUDE_MDS: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // Somebody waits: what does not work is said soon.
    CLAUDE_CODE_MAX_RETRIES: '2',
    ...login,
    HELIX_MCP_URL: mcp.url,
    HELIX_MCP_TOKEN: mcp.token,
    HELIX_WORKER_ID: workerId,
  };
}
