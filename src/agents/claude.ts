// The agent `claude`: Claude Code, headless, once per activation. How it is started, read and judged is in claude-*.ts.
import type { Agent } from '../domain/agent.ts';
import { agentEnvironment } from './agent-environment.ts';
import { claudeArguments, claudeEnvironment } from './claude-arguments.ts';
import { examineClaude } from './claude-check.ts';
import { hasSession, prepareConfig } from './claude-config.ts';
import { claudeEnding } from './claude-ending.ts';
import { createClaudeOutput } from './claude-output.ts';
import { type CodingAgentDeps, createCodingAgent, createTurn, runCodingProgram } from './coding-agent.ts';

export type ClaudeAgentDeps = CodingAgentDeps;

export const createClaudeAgent = (deps: ClaudeAgentDeps): Agent =>
  createCodingAgent(deps, {
    kind: 'claude',
    examine: examineClaude,
    canResume: hasSession,
    async prepare({ run, program, choice, login }) {
      await prepareConfig(run.folder, run.instructions, run.keptSessions);
      return async () => {
        const turn = createTurn();
        const output = createClaudeOutput({
          onSegment: run.onSegment,
          onFault: (exit) => turn.end({ outcome: 'failed', exit, agentFault: true }),
          onProgress: (isOver) => (isOver ? turn.isOver() : turn.goesOn()),
          now: () => performance.now(),
        });
        const ended = await runCodingProgram(
          { ...run, prompt: run.briefPrompt },
          {
            command: [program, ...claudeArguments(run, choice)],
            environment: { ...agentEnvironment(run, process.env), ...claudeEnvironment(run.folder, login) },
            start: deps.start,
            output,
            turn,
          },
        );
        return claudeEnding(ended, output.state, run.resume !== undefined);
      };
    },
  });
