// The agent `command`: any program. Its prompt comes on stdin, each line it prints becomes a line of the transcript, and
// its exit code decides. docs/agents.md is the contract with such programs.
import { isAbsolute } from 'node:path';
import type { Agent, AgentCheck } from '../domain/agent.ts';
import { agentEnvironment } from './agent-environment.ts';
import { runAgentProgram } from './agent-process.ts';
import { findProgram } from './program.ts';
import type { StartProgram } from './start-program.ts';
import { segmentOf } from './transcript-text.ts';

const LINE_MAX = 65_536;

export type CommandAgentDeps = {
  /** `agent.command` as it is set now: the program and its arguments. */
  command(): string[];
  /** Absent: as a child of this process. */
  start?: StartProgram | undefined;
};

export function createCommandAgent({ command, start }: CommandAgentDeps): Agent {
  return {
    kind: 'command',
    check: () => checkCommand(command()),
    run(run) {
      return runAgentProgram(run, {
        command: run.agent.command ?? command(),
        environment: agentEnvironment(run, process.env),
        start,
        lineMax: LINE_MAX,
        onLine(line, from) {
          const segment = segmentOf(line, from === 'stderr' ? 'stderr: ' : '');
          return segment === undefined || run.onSegment(segment);
        },
        onRemark: (text) => run.onSegment({ body: text }),
      });
    },
  };
}

/** Whether a program and its arguments could be run now. */
export async function checkCommand([program]: string[]): Promise<AgentCheck> {
  const set = `helix-org config set agent.command '["/path/to/program","argument"]'`;
  if (!program) return { ok: false, problem: 'agent.command is not set.', fix: `Name the program: ${set}` };
  if (program.includes('/') && !isAbsolute(program)) {
    const problem = `agent.command names "${program}", which would be looked for in each Worker's folder.`;
    return { ok: false, problem, fix: `Give its whole path: ${set}` };
  }
  const found = await findProgram(program, process.env.PATH ?? '');
  if ('file' in found) return { ok: true };
  const problem = `agent.command names "${program}": ${found.problem}.`;
  return { ok: false, problem, fix: `Install it or correct the setting: ${set}` };
}
