// What Claude Code and Codex have in common: a program that is examined before each run, is logged in, has models, and says in
// lines of JSON what it does and when its turn is over.
import type { Agent, AgentCheck, AgentReport, AgentResult, AgentRun } from '../domain/agent.ts';
import type { WorkerAgent } from '../domain/worker-agent.ts';
import { type ProgramEnd, runAgentProgram } from './agent-process.ts';
import type { StartProgram } from './start-program.ts';

export type CodingAgentDeps = {
  /** As set now. */
  settings(): { bin: string; model: string; effort: string };
  /** Variables that log it in, and that say where its service is. */
  login(): Record<string, string>;
  /** Absent: as a child of this process. */
  start?: StartProgram | undefined;
};

/** A run whose program was found fit. */
export type CodingRun = {
  run: AgentRun;
  /** Where its program is. */
  program: string;
  version: string | null;
  choice: { model: string; effort: string };
  login: Record<string, string>;
};

export type CodingAgent = {
  kind: string;
  examine(bin: string, login: Record<string, string>): Promise<AgentReport>;
  canResume: NonNullable<Agent['canResume']>;
  /** @throws Error when its directory in the Worker's folder cannot be made ready */
  prepare(run: CodingRun): Promise<() => Promise<AgentResult>>;
};

/** Characters; a line holds a whole message, such as a tool's result. */
const LINE_MAX = 16 * 2 ** 20;
/** A process that is still there so long after its turn was over is ended. */
const LINGER_MS = 5_000;

export function createCodingAgent(
  { settings, login }: CodingAgentDeps,
  { kind, examine, canResume, prepare }: CodingAgent,
): Agent {
  const chosen = (agent: WorkerAgent) => {
    const { bin, model, effort } = settings();
    return { bin, model: agent.model ?? model, effort: agent.effort ?? effort };
  };
  return {
    kind,
    check: async () => checkOf(await examine(settings().bin, login())),
    async describe(agent) {
      const { bin, model } = chosen(agent);
      const { version } = await examine(bin, {});
      return { ...(version === null ? {} : { version }), ...(model ? { model } : {}) };
    },
    canResume,
    async run(run) {
      const { bin, ...choice } = chosen(run.agent);
      const cannotStart = (why: string) => `cannot start ${JSON.stringify(bin)}: ${why}`;
      const given = login();
      const { found, version, problems } = await examine(bin, given);
      const [problem] = problems;
      if (problem || found === null)
        return { outcome: 'failed', exit: cannotStart(`${problem?.sentence} ${problem?.fix}`), agentFault: true };
      const play = await prepare({ run, program: found, version, choice, login: given }).catch((error: Error) => error);
      return play instanceof Error ? { outcome: 'failed', exit: cannotStart(play.message) } : play();
    },
  };
}

function checkOf({ problems, version, account }: AgentReport): AgentCheck {
  if (problems.length === 0)
    return { ok: true, ...(version === null ? {} : { version }), ...(account ? { account } : {}) };
  const all = (part: 'sentence' | 'fix') => problems.map((each) => each[part]).join(' ');
  return { ok: false, problem: all('sentence'), fix: all('fix') };
}

/** What takes a run's output. */
export type CodingOutput = {
  take(line: string, from: 'stdout' | 'stderr'): void;
  remark(text: string): void;
};

/** How a run ends before its process does. */
export type Turn = {
  over: Promise<ProgramEnd>;
  /** At once, as this. */
  end(end: ProgramEnd): void;
  /** It has said all: its process gets a moment to end by itself. */
  isOver(): void;
  /** There is more to come, or it has ended. */
  goesOn(): void;
};

export function createTurn(): Turn {
  const { promise: over, resolve: end } = Promise.withResolvers<ProgramEnd>();
  let lingering: NodeJS.Timeout | undefined;
  const goesOn = () => clearTimeout(lingering);
  return {
    over,
    end,
    isOver() {
      goesOn();
      lingering = setTimeout(() => end({ outcome: 'done', exit: 'ok' }), LINGER_MS);
    },
    goesOn,
  };
}

export type CodingProgram = {
  command: string[];
  environment: Record<string, string>;
  start: StartProgram | undefined;
  output: CodingOutput;
  turn: Turn;
};

/** Runs the program, to its end or to that of its turn. */
export async function runCodingProgram(
  run: AgentRun,
  { output, turn, ...program }: CodingProgram,
): Promise<ProgramEnd> {
  try {
    return await runAgentProgram(run, {
      ...program,
      lineMax: LINE_MAX,
      onLine(line, from) {
        output.take(line, from);
        return true; // Also when the transcript is full: how it ends is still to come.
      },
      onRemark(text) {
        output.remark(text);
        return true;
      },
      over: turn.over,
    });
  } finally {
    turn.goesOn();
  }
}

/** Whether the run ended as this whatever the program said: our intent comes first, and then that it was lost before it had said all. */
export const isCut = ({ outcome }: ProgramEnd, hasSaidAll: boolean): boolean =>
  outcome === 'timed_out' || outcome === 'interrupted' || (outcome === 'lost' && !hasSaidAll);
