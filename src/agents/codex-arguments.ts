// What Codex is started with; the rest of it is in its configuration.
import type { AgentRun } from '../domain/agent.ts';
import { loginEnvironment } from './codex-login.ts';
import { codexDirectory, temporaryDirectory } from './codex-settings.ts';

/** The arguments after the program's name. The prompt is none of them: it goes over stdin. */
export function codexArguments({ resume, keptSessions }: Pick<AgentRun, 'resume' | 'keptSessions'>): string[] {
  const session = resume === undefined ? [] : ['resume', resume];
  const trace = keptSessions ? [] : ['--ephemeral'];
  return ['exec', ...session, '--json', '--skip-git-repo-check', '--strict-config', '--ignore-rules', ...trace, '-'];
}

/** Of the daemon's own CODEX_ and OPENAI_ variables none is passed on but the login. */
export const codexEnvironment = (folder: string, login: Record<string, string>): Record<string, string> => ({
  CODEX_HOME: codexDirectory(folder),
  // Its sandbox cannot start its own program from below the directory for temporary files.
  TMPDIR: temporaryDirectory(folder),
  // Calls that it refuses are told in its log alone.
  RUST_LOG: 'error',
  ...loginEnvironment(login),
});
