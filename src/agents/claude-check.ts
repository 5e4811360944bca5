// Whether Claude Code can play Workers here: its program, its version, its login. Nothing is sent to anybody.
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { AgentReport } from '../domain/agent.ts';
import { findProgram } from './program.ts';

/** The oldest version that has all we start it with; `--restricted` is what the others lack. */
export const VERSION_FLOOR = '2.1.291';

const VERSION_PATIENCE_MS = 10_000;
/** What logs Claude Code in, each by itself. */
const LOGINS = ['CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'];

const run = promisify(execFile);
/** By file and its state, so that an update is noticed and a start costs nothing more. */
const versions = new Map<string, Promise<string | null>>();

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
      fix: 'Start the daemon with ANTHROPIC_API_KEY, or with the CLAUDE_CODE_OAUTH_TOKEN that `claude setup-token` prints.',
    });
  }
  return { kind: 'claude', found: 'file' in program ? program.file : null, version, loggedIn, problems };
}

function missing(bin: string, problem: string) {
  return {
    sentence: `claude.bin names ${JSON.stringify(bin)}: ${problem}.`,
    fix: 'Install Claude Code (`npm install -g @anthropic-ai/claude-code`), or set where it is: helix-org config set claude.bin /path/to/claude',
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

async function versionOf(file: string): Promise<string | null> {
  const { mtimeMs, size } = await stat(file);
  const key = `${file} ${mtimeMs} ${size}`;
  let known = versions.get(key);
  if (!known) {
    known = askVersion(file);
    versions.set(key, known);
    // A failure may pass, such as a machine without memory.
    void known.then((version) => version === null && versions.delete(key));
  }
  return known;
}

async function askVersion(file: string): Promise<string | null> {
  const environment = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', DISABLE_AUTOUPDATER: '1' };
  const options = { env: environment, timeout: VERSION_PATIENCE_MS, killSignal: 'SIGKILL' as const };
  const answer = await run(file, ['--version'], options).catch(() => undefined);
  return /^\d+\.\d+\.\d+/.exec(answer?.stdout ?? '')?.[0] ?? null;
}

function isOlder(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((text) => text.split('.').map(Number));
  for (let n = 0; n < 3; n++) if (a?.[n] !== b?.[n]) return (a?.[n] ?? 0) < (b?.[n] ?? 0);
  return false;
}
