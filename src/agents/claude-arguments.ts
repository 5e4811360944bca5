// What Claude Code is started with: nothing of the user's, the Worker's own endpoint, and no tool that was not granted.
import { join } from 'node:path';
import type { AgentRun } from '../domain/agent.ts';

/** Claude's tools that need no Grant; `--restricted` confines them to the folder. */
const FILE_TOOLS = ['Read', 'Write', 'Edit', 'Glob', 'Grep'];
/** The name of our endpoint in mcp.json. */
export const MCP_SERVER = 'helix';

/** The Worker's own configuration directory. It lies in its HOME, where `--restricted` lets no tool write. */
export const configDirectory = (folder: string): string => join(folder, '.home', '.claude');
export const instructionsFile = (folder: string): string => join(configDirectory(folder), 'instructions.md');

export type ClaudeChoice = { model: string; effort: string };

/** The arguments after the program's name. The prompt is none of them: it goes over stdin. */
export function claudeArguments(run: AgentRun, { model, effort }: ClaudeChoice): string[] {
  const { tools, allowed } = toolsOf(run.grants);
  return [
    '--print',
    ...['--output-format', 'stream-json'],
    '--verbose',
    '--include-partial-messages',
    '--forward-subagent-text',
    '--restricted',
    ...['--permission-mode', 'dontAsk'],
    '--strict-mcp-config',
    ...['--mcp-config', join(run.folder, 'mcp.json')],
    '--disable-slash-commands',
    ...['--append-system-prompt-file', instructionsFile(run.folder)],
    ...(model ? ['--model', model] : []),
    ...(effort ? ['--effort', effort] : []),
    ...sessionArguments(run),
    ...['--tools', tools.join(',')],
    // The last one, since it takes every word that follows.
    ...['--allowedTools', `mcp__${MCP_SERVER}`, ...allowed],
  ];
}

/** Claude's own tools: those there are, and the rules under which they may be used. */
export function toolsOf(grants: string[]): { tools: string[]; allowed: string[] } {
  const granted = grants.filter(isToolRule);
  return { tools: [...new Set([...FILE_TOOLS, ...granted.map(toolOf)])], allowed: [...FILE_TOOLS, ...granted] };
}

/** A resumed session is copied: a run that fails leaves the one it began with as it was. */
function sessionArguments({ resume, keptSessions }: AgentRun): string[] {
  if (!keptSessions) return ['--no-session-persistence'];
  return resume === undefined ? [] : ['--resume', resume, '--fork-session'];
}

/** `Bash`, `Bash(gh *)`, `WebFetch(domain:example.org)`: no tool of an MCP server, which only our endpoint may give. */
const isToolRule = (rule: string) => /^[A-Za-z]\w*(\(.+\))?$/.test(rule) && !rule.startsWith('mcp__');

const toolOf = (rule: string) => rule.split('(', 1)[0] ?? rule;

/**
 * What Claude Code gets beside the environment of every agent. Of the daemon's own CLAUDE_CODE_ variables none is passed on.
 * @param login variables that log it in, such as CLAUDE_CODE_OAUTH_TOKEN
 */
export function claudeEnvironment(folder: string, login: Record<string, string>): Record<string, string> {
  return {
    CLAUDE_CONFIG_DIR: configDirectory(folder),
    CLAUDE_CODE_TMPDIR: join(configDirectory(folder), 'tmp'),
    // No telemetry, no update while Workers run.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // What a run knows comes from its Role, identity and prompt, not from files that an earlier one left.
    CLAUDE_CODE_DISABLE_CLAUDE_MDS: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // An activation is one turn: what it starts, it waits for.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // A limit or a failure of the service is ours to wait for, where people see it.
    CLAUDE_CODE_MAX_RETRIES: '4',
    ...login,
  };
}
