// Whether Claude Code can play Workers here: its program, its version, its login. Nothing is sent to anybody.
import type { AgentReport } from '../domain/agent.ts';
import { findProgram } from './program.ts';
import { isOlder, versionOf } from './program-version.ts';

/** The oldest version that has all we start it with; `--restricted` is what the others lack. */
export const VERSION_FLOOR = '2.1.291';

/** What logs Claude Code in, each by itself. */
const LOGINS = ['CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'];

/** @param bin the setting claude.bin @param login the variables that a run would get */
export async function examineClaude(bin: string, login: Record<string, string>): Promise<AgentReport> {
  const program = await findProgram(bin, process.env.PATH ?? '');
  const loggedIn = LOGINS.some((name) => Boolean(login[name]));
  const problems: AgentReport['problems'] = [];
  let version: string | null = null;
  if ('problem' in program) problems.push(missing(bin, program.problem));
  else {
    version = await versionOf(program.file);
    if (version === null || isOlder(version, VERSION_FLOOR)) problems.push(unfit(program.file, version));
  }
  if (!loggedIn) {
    problems.push({
      sentence: 'Claude Code is not logged in for Workers.',
      fix: 'Run `helix-org login claude`, or start the daemon with ANTHROPIC_API_KEY.',
    });
  }
  return {
    kind: 'claude',
    found: 'file' in program ? program.file : null,
    version,
    loggedIn,
    ...accountOf(login),
    problems,
  };
}

/** In the order in which Claude Code itself prefers them. */
function accountOf(login: Record<string, string>): { account?: string } {
  const { ANTHROPIC_BASE_URL: base } = login;
  const at = base ? `, at ${URL.parse(base)?.host ?? 'another address'}` : '';
  if (login.ANTHROPIC_AUTH_TOKEN)
    return { account: `Whoever owns the token in ANTHROPIC_AUTH_TOKEN pays for runs${at}.` };
  if (login.ANTHROPIC_API_KEY) return { account: `The API account of ANTHROPIC_API_KEY pays for runs, by use${at}.` };
  if (!login.CLAUDE_CODE_OAUTH_TOKEN) return {};
  return { account: 'Runs count towards the Claude subscription of CLAUDE_CODE_OAUTH_TOKEN.' };
}

function missing(bin: string, problem: string) {
  return {
    sentence: `claude.bin names ${JSON.stringify(bin)}: ${problem}.`,
    fix: 'Install Claude Code (`npm install -g @anthropic-ai/claude-code`), or set where it is: `helix-org config set claude.bin /path/to/claude`.',
  };
}

function unfit(file: string, version: string | null) {
  return {
    sentence:
      version === null
        ? `${file} does not say its version, so it is no Claude Code that works.`
        : `${file} is Claude Code ${version}; Workers need ${VERSION_FLOOR} or newer.`,
    fix: 'Update it: `claude update`, or `npm install -g @anthropic-ai/claude-code`.',
  };
}
