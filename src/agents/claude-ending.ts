// How a run of Claude Code ended: done, failed by itself, or failed because the agent as such cannot work now.
import type { Usage } from '../domain/activation.ts';
import type { AgentResult } from '../domain/agent.ts';
import type { ProgramEnd } from './agent-process.ts';
import type { ClaudeMessage, ClaudeUsage } from './claude-message.ts';
import type { ClaudeState } from './claude-output.ts';
import { isCut } from './coding-agent.ts';
import { clip } from './transcript-text.ts';

/** Its own words for errors of the API that no Worker can help. */
const FAULTS = new Set([
  'authentication_failed',
  'oauth_org_not_allowed',
  'billing_error',
  'rate_limit',
  'overloaded',
  'server_error',
]);
const FAULT_STATUS = new Set([401, 402, 403, 408, 429]);

/** @param end how its process ended; `done` also when we ended it after its result was in */
export function claudeEnding(end: ProgramEnd, state: ClaudeState, isResumed: boolean): AgentResult {
  const usage = usageOf(state, isResumed);
  const rest = {
    ...(usage ? { usage } : {}),
    ...(state.session ? { session: state.session } : {}),
    ...(state.droppedBytes > 0 ? { droppedBytes: state.droppedBytes } : {}),
  };
  if (isCut(end, state.result !== undefined)) return { ...end, ...rest };
  if (state.fault) return { outcome: 'failed', exit: state.fault, agentFault: true, ...rest };
  if (end.agentFault) return { ...end, ...rest };
  return { ...outcomeOf(end, state, isResumed), ...rest };
}

function outcomeOf(end: ProgramEnd, state: ClaudeState, isResumed: boolean): Omit<AgentResult, 'usage'> {
  const { result } = state;
  if (!result) {
    if (end.outcome === 'done') return { outcome: 'failed', exit: 'ended without a result' };
    const exit = [end.exit, state.complaint].filter(Boolean).join(': ');
    // It did not even begin: its arguments or its installation are wrong, not what the Worker was to do.
    const neverBegan = state.model === undefined && !end.exit.startsWith('signal') && !isResumed;
    return { outcome: 'failed', exit: clip(exit), ...(neverBegan ? { agentFault: true } : {}) };
  }
  const { is_error: isError, subtype = 'success' } = result;
  if (isError || subtype !== 'success') {
    const said = clip((result.result ?? result.errors?.join('; ') ?? subtype).replace(/\s+/g, ' ').trim());
    return isFault(result, state.apiError)
      ? { outcome: 'failed', exit: `the agent cannot work: ${said}`, agentFault: true }
      : { outcome: 'failed', exit: `error: ${said}` };
  }
  return end.outcome === 'lost' ? { outcome: 'done', exit: 'ok' } : end;
}

/** Login, limits, an overloaded or unreachable service. A request that is itself wrong is the Worker's own failure. */
function isFault({ api_error_status: status, terminal_reason: reason }: ClaudeMessage, apiError = ''): boolean {
  if (FAULTS.has(apiError)) return true;
  if (typeof status === 'number') return FAULT_STATUS.has(status) || status >= 500;
  return reason === 'api_error' && apiError !== 'invalid_request' && apiError !== 'model_not_found';
}

/**
 * What this run used, sub-agents included; undefined when it used nothing. Where only totals are told, they stand for a run
 * that began anew.
 */
function usageOf({ result, used }: ClaudeState, isResumed: boolean): Usage | undefined {
  const models = used.length > 0 || isResumed ? used : Object.values(result?.modelUsage ?? {});
  if (models.length === 0) return undefined;
  const sum = (pick: (model: ClaudeUsage) => number | undefined) =>
    models.reduce((all, model) => all + (pick(model) ?? 0), 0);
  const total = used.length > 0 ? sum(({ costUSD }) => costUSD) : result?.total_cost_usd;
  const read = (m: ClaudeUsage) =>
    (m.inputTokens ?? 0) + (m.cacheReadInputTokens ?? 0) + (m.cacheCreationInputTokens ?? 0);
  return {
    ...(total === undefined ? {} : { costUsd: total }),
    inputTokens: sum(read),
    outputTokens: sum(({ outputTokens }) => outputTokens),
  };
}
