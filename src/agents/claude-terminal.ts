// Claude Code with the person's own terminal, or once for a pipe. It has the chat's directory, so that it goes on where the page
// was and the other way round.
import { lstat, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseEnvironment } from './agent-environment.ts';
import { toolsOf } from './claude-arguments.ts';
import {
  type ClaudeChat,
  chatConfigDirectory,
  chatInstructionsFile,
  claudeChatEnvironment,
  prepareClaudeChat,
} from './claude-chat.ts';

/** From which seat it is talked with; the session is named apart. */
export type TerminalSeat = Omit<ClaudeChat, 'session'> & {
  effort: string;
  /** What it is told about the seat, for the system prompt. */
  instructions: string;
};

/** By a person; or once, with a prompt in the arguments or on stdin. */
export type TerminalTalk = { kind: 'person' } | { kind: 'once'; prompt?: string };

/** In which session: one that goes on, one the person chooses from a list, or a new one of this name, a UUID. */
export type TerminalSession = { resume: string } | 'choose' | { begin: string };

export function terminalArguments(seat: TerminalSeat, talk: TerminalTalk, session: TerminalSession): string[] {
  const { workerId, folder, mcp, model, effort, grants } = seat;
  const { tools, allowed } = toolsOf(grants);
  return [
    // The prompt comes first: others would take it for one of their values.
    ...(talk.kind === 'person' ? [] : ['-p', ...(talk.prompt === undefined ? [] : [talk.prompt])]),
    '--restricted',
    '--strict-mcp-config',
    ...['--permission-mode', 'dontAsk'],
    ...['--append-system-prompt-file', chatInstructionsFile(folder)],
    ...(model ? ['--model', model] : []),
    ...(effort ? ['--effort', effort] : []),
    ...(talk.kind === 'person' ? ['--name', `helix-org: ${workerId}`] : []),
    ...sessionArguments(session),
    ...['--mcp-config', mcpConfig(mcp.url)],
    ...['--tools', tools.join(',')],
    // The last one, since it takes every word that follows.
    ...['--allowedTools', 'mcp__helix', ...allowed],
  ];
}

function sessionArguments(session: TerminalSession): string[] {
  if (session === 'choose') return ['--resume'];
  return 'resume' in session ? ['--resume', session.resume] : ['--session-id', session.begin];
}

/** The token is named, not written: everybody on the machine can read arguments. */
function mcpConfig(url: string): string {
  const helix = { type: 'http', url, alwaysLoad: true, headers: { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' } };
  return JSON.stringify({ mcpServers: { helix } });
}

/** What a program asks about the terminal, and about the person in front of it. */
const OF_TERMINALS =
  /^(TERM|COLORTERM|TERM_PROGRAM(_VERSION)?|LC_TERMINAL(_VERSION)?|TMUX|TMUX_PANE|STY|SSH_(TTY|CONNECTION|CLIENT)|DISPLAY|WAYLAND_DISPLAY|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|BROWSER|EDITOR|VISUAL|USER|LOGNAME|SHELL|COLORFGBG|NO_COLOR|FORCE_COLOR|VTE_VERSION|KITTY_WINDOW_ID|WT_SESSION|ITERM_SESSION_ID)$/;

/** @param person the environment of who started it, of which little is passed on */
export function terminalEnvironment(seat: TerminalSeat, person: NodeJS.ProcessEnv): Record<string, string> {
  const { folder, mcp } = seat;
  const ofTerminal = Object.entries(person).filter(([name]) => OF_TERMINALS.test(name)) as [string, string][];
  const { CLAUDE_CODE_MAX_RETRIES: _, ...chat } = claudeChatEnvironment({ ...seat, session: undefined });
  return { ...baseEnvironment({ folder, mcp, environment: Object.fromEntries(ofTerminal) }, person), ...chat };
}

/** What could act on a later session by itself. `--restricted` reads none of it; it is not ours either. */
const FOREIGN = [
  'settings.json',
  'settings.local.json',
  'CLAUDE.md',
  'commands',
  'agents',
  'skills',
  'plugins',
  'hooks',
];

/** Makes its directory ready; sessions stay, and a login made by hand. */
export async function prepareTerminal({ folder, instructions, login }: TerminalSeat): Promise<void> {
  await prepareClaudeChat(folder, instructions);
  const directory = chatConfigDirectory(folder);
  for (const name of FOREIGN) await rm(join(directory, name), { recursive: true, force: true });
  await acceptStart(join(directory, '.claude.json'), folder, login);
}

type State = {
  projects?: Record<string, object>;
  customApiKeyResponses?: { approved?: string[]; rejected?: string[] };
};

/** What Claude Code asks at its first start is settled: the folder is ours, and so is the key. */
async function acceptStart(file: string, folder: string, { ANTHROPIC_API_KEY: key }: Record<string, string>) {
  const isPlain = (await lstat(file).catch(() => undefined))?.isFile() === true;
  const before = isPlain ? await readFile(file, 'utf8') : '';
  const state = parse(before);
  const { projects = {}, customApiKeyResponses: { approved = [], rejected = [] } = {} } = state;
  // It knows a key by its last 20 characters.
  const keyName = key?.slice(-20);
  const settled = { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true };
  const after = JSON.stringify(
    {
      ...state,
      hasCompletedOnboarding: true,
      projects: { ...projects, [folder]: { ...projects[folder], ...settled } },
      customApiKeyResponses: {
        approved: keyName === undefined ? approved : [...new Set([...approved, keyName])],
        rejected: rejected.filter((name) => name !== keyName),
      },
    },
    null,
    2,
  );
  if (after === before) return;
  const temporary = `${file}.${process.pid}.new`;
  await rm(temporary, { force: true });
  await writeFile(temporary, after, { mode: 0o600, flag: 'wx' });
  await rename(temporary, file);
}

function parse(text: string): State {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as State) : {};
  } catch {
    return {};
  }
}
