// The agent `codex`: OpenAI's Codex CLI, headless, once per activation. How it is started, read and judged is in codex-*.ts.
import type { Agent, AgentResult } from '../domain/agent.ts';
import { agentEnvironment } from './agent-environment.ts';
import { codexArguments, codexEnvironment } from './codex-arguments.ts';
import { examineCodex } from './codex-check.ts';
import { codexEnding } from './codex-ending.ts';
import { hasCodexSession, leftSession, prepareHome, restoreSession } from './codex-home.ts';
import { AUTH_VARIABLE, authFile, renewedAuth } from './codex-login.ts';
import { memoryBlock } from './codex-memory.ts';
import { modelCatalog } from './codex-models.ts';
import { createCodexOutput } from './codex-output.ts';
import { codexConfig, codexDirectory, codexTools } from './codex-settings.ts';
import {
  type CodingAgentDeps,
  type CodingRun,
  createCodingAgent,
  createTurn,
  runCodingProgram,
} from './coding-agent.ts';

/** Of its login, CODEX_AUTH_JSON holds a whole auth.json. */
export type CodexAgentDeps = CodingAgentDeps & {
  /** Keeps an auth.json that Codex has renewed, for the next runs. */
  keepLogin(auth: string): void;
  /** Directories besides the search path that programs of Workers need. */
  readable(): string[];
};

export const createCodexAgent = (deps: CodexAgentDeps): Agent =>
  createCodingAgent(deps, {
    kind: 'codex',
    examine: examineCodex,
    canResume: hasCodexSession,
    async prepare(fit) {
      const { run, program, choice, login } = fit;
      const { folder, resume } = run;
      const { hasShell } = codexTools(run.grants);
      const catalog = await modelCatalog(program);
      const auth = authFile(login, hasShell);
      const found = { program, readable: deps.readable(), hasCatalog: catalog !== undefined };
      const config = codexConfig({ run, choice, login, ...found });
      const left = resume === undefined ? undefined : await leftSession(folder, resume);
      await prepareHome(folder, { config, auth, catalog, kept: run.keptSessions });
      return () => playCodex(deps, fit, { auth, left });
    },
  });

type Prepared = { auth: string | undefined; left: Awaited<ReturnType<typeof leftSession>> };

async function playCodex(
  deps: CodexAgentDeps,
  { run, program, version, choice, login }: CodingRun,
  { auth, left }: Prepared,
): Promise<AgentResult> {
  const { folder } = run;
  const tools = codexTools(run.grants);
  const memory = tools.hasShell ? undefined : await memoryBlock(folder);
  const turn = createTurn();
  const output = createCodexOutput({
    onSegment: run.onSegment,
    onOver: turn.isOver,
    notes: tools.unknown.map(notHonoured),
    about: { version, ...choice, shell: tools.hasShell, webSearch: tools.hasWebSearch, log: memory?.bytes },
  });
  try {
    const ended = await runCodingProgram(
      { ...run, prompt: memory ? `${memory.text}\n\n${run.briefPrompt}` : run.briefPrompt },
      {
        command: [program, ...codexArguments(run)],
        environment: { ...agentEnvironment(run, process.env), ...codexEnvironment(folder, login) },
        start: deps.start,
        output,
        turn,
      },
    );
    const result = codexEnding(ended, output.state, left?.used);
    // A run that fails leaves the session that it went on in as it was.
    if (left && result.outcome !== 'done') await restoreSession(left);
    return result;
  } finally {
    // What a run with a shell has left there is not to be trusted.
    const renewed = auth && !tools.hasShell ? await renewedAuth(codexDirectory(folder), auth) : undefined;
    if (renewed && login[AUTH_VARIABLE] === auth) deps.keepLogin(renewed);
  }
}

const notHonoured = (grant: string) =>
  grant.startsWith('Bash(')
    ? `agent:${grant} gives nothing: Codex cannot hold a shell to a pattern; agent:Bash would be a whole shell`
    : `agent:${grant} gives nothing: of Codex’s own tools there are agent:Bash and agent:WebSearch`;
