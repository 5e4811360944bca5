// How a run of Codex ended: done, failed by itself, or failed because the agent as such cannot work now.
import type { Usage } from '../domain/activation.ts';
import type { AgentResult } from '../domain/agent.ts';
import type { ProgramEnd } from './agent-process.ts';
import type { CodexUsage } from './codex-message.ts';
import type { CodexState } from './codex-output.ts';
import { isCut } from './coding-agent.ts';
import { clip } from './transcript-text.ts';

/** Its own words for login, limits and an overloaded or unreachable service; it tells no code. */
const FAULTS = [
  /\b(status:?|last status:) (401|402|403|408|429|5\d\d)\b/i,
  /usage limit|quota exceeded|rate limit|at capacity|high demand|overloaded/i,
  /connection failed|error sending request|stream disconnected|stream closed|timed out|timeout/i,
  /missing environment variable|not logged in|log ?in again|sign in|refresh token|access token|unauthorized/i,
];

/** @param before what the session had used that the run goes on from @param end how its process ended */
export function codexEnding(end: ProgramEnd, state: CodexState, before: CodexUsage | undefined): AgentResult {
  const usage = usageOf(state.usage, before);
  const rest = {
    ...(usage ? { usage } : {}),
    ...(state.session ? { session: state.session } : {}),
    ...(state.droppedBytes > 0 ? { droppedBytes: state.droppedBytes } : {}),
  };
  if (isCut(end, state.ended !== undefined) || end.agentFault) return { ...end, ...rest };
  return { ...outcomeOf(end, state), ...rest };
}

function outcomeOf(end: ProgramEnd, { ended, session, trouble, complaint }: CodexState): AgentResult {
  if (ended?.error !== undefined) return failure(ended.error);
  if (ended) return end.outcome === 'lost' ? { outcome: 'done', exit: 'ok' } : end;
  if (session === undefined) return neverBegan(end, complaint);
  if (end.outcome === 'done') return { outcome: 'failed', exit: 'ended without a result' };
  const why = end.exit.startsWith('signal') ? undefined : (trouble ?? complaint);
  return { outcome: 'failed', exit: clip([end.exit, why].filter(Boolean).join(': ')) };
}

function failure(error: string): AgentResult {
  const said = clip(error.replace(/\s+/g, ' ').trim());
  return FAULTS.some((fault) => fault.test(said))
    ? { outcome: 'failed', exit: `the agent cannot work: ${said}`, agentFault: true }
    : { outcome: 'failed', exit: `error: ${said}` };
}

/** Its configuration, its installation or the endpoint are wrong, not what the Worker was to do. */
function neverBegan({ exit }: ProgramEnd, complaint = ''): AgentResult {
  if (exit.startsWith('signal')) return { outcome: 'failed', exit };
  const isEndpoint = complaint.includes('required MCP servers failed');
  const why = isEndpoint
    ? "the Worker's MCP endpoint could not be reached"
    : [exit === 'ok' ? 'ended before it began' : exit, complaint].filter(Boolean).join(': ');
  return { outcome: 'failed', exit: clip(why), agentFault: true };
}

function usageOf(all: CodexUsage | undefined, before: CodexUsage = {}): Usage | undefined {
  if (!all) return undefined;
  const used = (name: 'input_tokens' | 'output_tokens') => Math.max(0, (all[name] ?? 0) - (before[name] ?? 0));
  return { inputTokens: used('input_tokens'), outputTokens: used('output_tokens') };
}
