// The agent `claude`: Claude Code, headless, once per activation. How it is started, read and judged is in claude-*.ts.
import type { Agent, AgentCheck, AgentResult, AgentRun } from '../domain/agent.ts';
import type { WorkerAgent } from '../domain/worker-agent.ts';
import { agentEnvironment } from './agent-environment.ts';
import { type ProgramEnd, runAgentProgram } from './agent-process.ts';
import { claudeArguments, claudeEnvironment } from './claude-arguments.ts';
import { examineClaude } from './claude-check.ts';
import { hasSession, prepareConfig } from './claude-config.ts';
import { claudeEnding } from './claude-ending.ts';
import { createClaudeOutput } from './claude-output.ts';

export type ClaudeAgentDeps = {
  /** As set now. */
  settings(): { bin: string; model: string; effort: string };
  /** Variables that log it in, and that say where its service is. */
  login(): Record<string, string>;
};

/** Characters; a line holds a whole message, such as a tool's result. */
const LINE_MAX = 16 * 2 ** 20;
/** A process that is still there so long after its result was read is ended. */
const LINGER_MS = 5_000;

export function createClaudeAgent(deps: ClaudeAgentDeps): Agent {
  return {
    kind: 'claude',
    check: () => checkClaude(deps),
    describe: (agent) => describeClaude(deps, agent),
    canResume: hasSession,
    run: (run) => playClaude(deps, run),
  };
}

const chosen = ({ settings }: ClaudeAgentDeps, agent: WorkerAgent) => {
  const { bin, model, effort } = settings();
  return { bin, model: agent.model ?? model, effort: agent.effort ?? effort };
};

async function checkClaude({ settings, login }: ClaudeAgentDeps): Promise<AgentCheck> {
  const { problems, version, account } = await examineClaude(settings().bin, login());
  if (problems.length === 0)
    return { ok: true, ...(version === null ? {} : { version }), ...(account ? { account } : {}) };
  const all = (part: 'sentence' | 'fix') => problems.map((each) => each[part]).join(' ');
  return { ok: false, problem: all('sentence'), fix: all('fix') };
}

async function describeClaude(deps: ClaudeAgentDeps, agent: WorkerAgent) {
  const { bin, model } = chosen(deps, agent);
  const { version } = await examineClaude(bin, {});
  return { ...(version === null ? {} : { version }), ...(model ? { model } : {}) };
}

async function playClaude(deps: ClaudeAgentDeps, run: AgentRun): Promise<AgentResult> {
  const { bin, ...choice } = chosen(deps, run.agent);
  const login = deps.login();
  const { found, problems } = await examineClaude(bin, login);
  const [problem] = problems;
  if (problem || found === null) {
    const exit = `cannot start ${JSON.stringify(bin)}: ${problem?.sentence} ${problem?.fix}`;
    return { outcome: 'failed', exit, agentFault: true };
  }
  const broken = await prepareConfig(run.folder, run.instructions, run.keptSessions).catch((error: Error) => error);
  if (broken) return { outcome: 'failed', exit: `cannot start ${JSON.stringify(bin)}: ${broken.message}` };

  const { promise: over, resolve: end } = Promise.withResolvers<ProgramEnd>();
  let lingering: NodeJS.Timeout | undefined;
  const output = createClaudeOutput({
    onSegment: run.onSegment,
    onFault: (exit) => end({ outcome: 'failed', exit, agentFault: true }),
    onProgress(isOver) {
      clearTimeout(lingering);
      if (isOver) lingering = setTimeout(() => end({ outcome: 'done', exit: 'ok' }), LINGER_MS);
    },
    now: () => performance.now(),
  });
  try {
    const ended = await runAgentProgram(
      { ...run, prompt: run.briefPrompt },
      {
        command: [found, ...claudeArguments(run, choice)],
        environment: { ...agentEnvironment(run, process.env), ...claudeEnvironment(run.folder, login) },
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
    return claudeEnding(ended, output.state, run.resume !== undefined);
  } finally {
    clearTimeout(lingering);
  }
}
