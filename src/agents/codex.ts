// The agent `codex`: OpenAI's Codex CLI, headless, once per activation. How it is started, read and judged is in codex-*.ts.
import type { Agent, AgentCheck, AgentResult, AgentRun } from '../domain/agent.ts';
import type { WorkerAgent } from '../domain/worker-agent.ts';
import { agentEnvironment } from './agent-environment.ts';
import { type ProgramEnd, runAgentProgram } from './agent-process.ts';
import { codexArguments, codexEnvironment } from './codex-arguments.ts';
import { examineCodex } from './codex-check.ts';
import { codexEnding } from './codex-ending.ts';
import { hasCodexSession, leftSession, prepareHome, restoreSession } from './codex-home.ts';
import { AUTH_VARIABLE, authFile, renewedAuth } from './codex-login.ts';
import { memoryBlock } from './codex-memory.ts';
import { modelCatalog } from './codex-models.ts';
import { createCodexOutput } from './codex-output.ts';
import { codexConfig, codexDirectory, codexTools } from './codex-settings.ts';

export type CodexAgentDeps = {
  /** As set now. */
  settings(): { bin: string; model: string; effort: string };
  /** Variables that log it in, and that say where its service is; CODEX_AUTH_JSON holds a whole auth.json. */
  login(): Record<string, string>;
  /** Keeps an auth.json that Codex has renewed, for the next runs. */
  keepLogin(auth: string): void;
  /** Directories besides the search path that programs of Workers need. */
  readable(): string[];
};

/** Characters; a line holds a whole message, such as a tool's result. */
const LINE_MAX = 16 * 2 ** 20;
/** A process that is still there so long after its turn has ended is ended. */
const LINGER_MS = 5_000;

export function createCodexAgent(deps: CodexAgentDeps): Agent {
  return {
    kind: 'codex',
    check: () => checkCodex(deps),
    describe: (agent) => describeCodex(deps, agent),
    canResume: hasCodexSession,
    run: (run) => playCodex(deps, run),
  };
}

const chosen = ({ settings }: CodexAgentDeps, agent: WorkerAgent) => {
  const { bin, model, effort } = settings();
  return { bin, model: agent.model ?? model, effort: agent.effort ?? effort };
};

async function checkCodex({ settings, login }: CodexAgentDeps): Promise<AgentCheck> {
  const { problems, version } = await examineCodex(settings().bin, login());
  if (problems.length === 0) return version === null ? { ok: true } : { ok: true, version };
  const all = (part: 'sentence' | 'fix') => problems.map((each) => each[part]).join(' ');
  return { ok: false, problem: all('sentence'), fix: all('fix') };
}

async function describeCodex(deps: CodexAgentDeps, agent: WorkerAgent) {
  const { bin, model } = chosen(deps, agent);
  const { version } = await examineCodex(bin, {});
  return { ...(version === null ? {} : { version }), ...(model ? { model } : {}) };
}

async function playCodex(deps: CodexAgentDeps, run: AgentRun): Promise<AgentResult> {
  const { bin, ...choice } = chosen(deps, run.agent);
  const login = deps.login();
  const { found, version, problems } = await examineCodex(bin, login);
  const [problem] = problems;
  if (problem || found === null) {
    const exit = `cannot start ${JSON.stringify(bin)}: ${problem?.sentence} ${problem?.fix}`;
    return { outcome: 'failed', exit, agentFault: true };
  }
  const { folder, resume } = run;
  const tools = codexTools(run.grants);
  const catalog = await modelCatalog(found);
  const auth = authFile(login, tools.hasShell);
  const program = { program: found, readable: deps.readable(), hasCatalog: catalog !== undefined };
  const config = codexConfig({ run, choice, login, ...program });
  const left = resume === undefined ? undefined : await leftSession(folder, resume);
  const broken = await prepareHome(folder, { config, auth, catalog, kept: run.keptSessions }).catch((e: Error) => e);
  if (broken) return { outcome: 'failed', exit: `cannot start ${JSON.stringify(bin)}: ${broken.message}` };
  const memory = tools.hasShell ? undefined : await memoryBlock(folder);

  const { promise: over, resolve: end } = Promise.withResolvers<ProgramEnd>();
  let lingering: NodeJS.Timeout | undefined;
  const output = createCodexOutput({
    onSegment: run.onSegment,
    onOver() {
      clearTimeout(lingering);
      lingering = setTimeout(() => end({ outcome: 'done', exit: 'ok' }), LINGER_MS);
    },
    notes: tools.unknown.map(notHonoured),
    about: { version, ...choice, shell: tools.hasShell, webSearch: tools.hasWebSearch, log: memory?.bytes },
  });
  try {
    const ended = await runAgentProgram(
      { ...run, prompt: memory ? `${memory.text}\n\n${run.briefPrompt}` : run.briefPrompt },
      {
        command: [found, ...codexArguments(run)],
        environment: { ...agentEnvironment(run, process.env), ...codexEnvironment(folder, login) },
        lineMax: LINE_MAX,
        onLine(line, from) {
          output.take(line, from);
          return true; // Also when the transcript is full: how it ends is still to come.
        },
        onRemark(text) {
          output.remark(text);
          return true;
        },
        over,
      },
    );
    const result = codexEnding(ended, output.state, left?.used);
    // A run that fails leaves the session that it went on in as it was.
    if (left && result.outcome !== 'done') await restoreSession(left);
    return result;
  } finally {
    clearTimeout(lingering);
    // What a run with a shell has left there is not to be trusted.
    const renewed = auth && !tools.hasShell ? await renewedAuth(codexDirectory(folder), auth) : undefined;
    if (renewed && login[AUTH_VARIABLE] === auth) deps.keepLogin(renewed);
  }
}

const notHonoured = (grant: string) =>
  grant.startsWith('Bash(')
    ? `agent:${grant} gives nothing: Codex cannot hold a shell to a pattern; agent:Bash would be a whole shell`
    : `agent:${grant} gives nothing: of Codex’s own tools there are agent:Bash and agent:WebSearch`;
