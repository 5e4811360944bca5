// Whether Codex can play Workers here: its program, its version, its login. Nothing is sent to anybody.
import type { AgentReport } from '../domain/agent.ts';
import { isLoggedIn } from './codex-login.ts';
import { findProgram } from './program.ts';
import { isOlder, versionOf } from './program-version.ts';

/** The oldest version that was tried; older ones lack parts of the configuration that confines a Worker. */
export const CODEX_VERSION_FLOOR = '0.169.0';

/** @param bin the setting codex.bin @param login the variables that a run would get */
export async function examineCodex(bin: string, login: Record<string, string>): Promise<AgentReport> {
  const program = await findProgram(bin, process.env.PATH ?? '');
  const loggedIn = isLoggedIn(login);
  const problems: AgentReport['problems'] = [];
  let version: string | null = null;
  if ('problem' in program) problems.push(missing(bin, program.problem));
  else {
    version = await versionOf(program.file);
    if (version === null || isOlder(version, CODEX_VERSION_FLOOR)) problems.push(unfit(program.file, version));
  }
  if (!loggedIn) {
    problems.push({
      sentence: 'Codex is not logged in for Workers.',
      fix: 'Run `helix-org login codex`, or start the daemon with OPENAI_API_KEY.',
    });
  }
  return { kind: 'codex', found: 'file' in program ? program.file : null, version, loggedIn, problems };
}

function missing(bin: string, problem: string) {
  return {
    sentence: `codex.bin names ${JSON.stringify(bin)}: ${problem}.`,
    fix: 'Install Codex (`npm install -g @openai/codex`), or set where it is: `helix-org config set codex.bin /path/to/codex`.',
  };
}

function unfit(file: string, version: string | null) {
  return {
    sentence:
      version === null
        ? `${file} does not say its version, so it is no Codex that works.`
        : `${file} is Codex ${version}; Workers need ${CODEX_VERSION_FLOOR} or newer.`,
    fix: 'Update it: `npm install -g @openai/codex`.',
  };
}
