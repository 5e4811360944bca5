import { agentEnvironment } from '../../src/agents/agent-environment.ts';
import { runAgentProgram } from '../../src/agents/agent-process.ts';
import { findProgram } from '../../src/agents/program.ts';
import { segmentOf, structuredSegment } from '../../src/agents/transcript-text.ts';
import type { Agent } from '../../src/domain/agent.ts';

/** What the program prints: a line of JSON for each thing it does, the last one with what it has used. */
type Line = { say?: string; tool?: string; input?: unknown; result?: string; tokens?: number; overLimit?: boolean };

export function createPuppetAgent({ bin }: { bin(): string }): Agent {
  return {
    kind: 'puppet',
    async check() {
      const found = await findProgram(bin(), process.env.PATH ?? '');
      if ('file' in found) return { ok: true };
      return { ok: false, problem: `puppet.bin names "${bin()}": ${found.problem}.`, fix: 'Install puppet.' };
    },
    async run(run) {
      let last: Line = {};
      const end = await runAgentProgram(run, {
        command: [bin(), '--mcp', run.mcp.url, ...run.grants.flatMap((tool) => ['--allow', tool])],
        environment: { ...agentEnvironment(run, process.env), PUPPET_MODEL: run.agent.model ?? '' },
        lineMax: 1_000_000,
        onLine(line, from) {
          if (from === 'stderr' || !line.startsWith('{')) {
            const segment = segmentOf(line, from === 'stderr' ? 'stderr: ' : '');
            return segment === undefined || run.onSegment(segment);
          }
          last = JSON.parse(line) as Line;
          const { say, tool, input, result = '' } = last;
          if (say) return run.onSegment(structuredSegment('assistant: ', say, { say }));
          if (!tool) return true;
          run.onSegment(structuredSegment(`tool_use ${tool}: `, JSON.stringify(input), { tool, input }));
          return run.onSegment(structuredSegment('tool_result: ', result, { tool, result }));
        },
        onRemark: (text) => run.onSegment({ body: text }),
      });
      // Not the Worker's failure: no attempt is spent, and the agent is held until it works again.
      if (last.overLimit) return { ...end, outcome: 'failed', exit: 'over its limit', agentFault: true };
      return last.tokens === undefined ? end : { ...end, usage: { outputTokens: last.tokens } };
    },
  };
}
