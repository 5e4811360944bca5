// What Claude Code prints, line by line: what of it goes into the transcript, and what it says about how the run goes.
import type { Segment } from '../domain/agent.ts';
import { MCP_SERVER } from './claude-arguments.ts';
import {
  type ClaudeBlock,
  type ClaudeMessage,
  type ClaudeUsage,
  parseClaudeLine,
  resultText,
} from './claude-message.ts';
import { createPartialText } from './claude-partial.ts';
import { segmentOf, structuredSegment } from './transcript-text.ts';

/** What is known of the run so far. */
export type ClaudeState = {
  session?: string;
  version?: string;
  model?: string;
  /** The last one; more than one comes when a sub-agent in the background reports back. */
  result?: ClaudeMessage;
  /** What each result says was used since the one before; of models, sub-agents included. */
  used: ClaudeUsage[];
  /** What stood in the place of an answer: `authentication_failed`, `rate_limit`, `overloaded` … */
  apiError?: string;
  /** Why the run cannot lead to anything, whatever its process does from here on. */
  fault?: string;
  /** Sub-agents that work in the background. */
  background: number;
  /** The last line on stderr. */
  complaint?: string;
  /** Of output that the full transcript did not take. */
  droppedBytes: number;
};

export type ClaudeOutput = {
  state: ClaudeState;
  take(line: string, from: 'stdout' | 'stderr'): void;
  /** A remark of ours. */
  remark(text: string): void;
};

export type ClaudeOutputDeps = {
  onSegment(segment: Segment): boolean;
  /** The run cannot lead to anything: the reason, as the end of `=== exit: … ===`. */
  onFault(exit: string): void;
  /** Called after each line, with whether all is said: a result is in and nothing works in the background. */
  onProgress(isOver: boolean): void;
  /** Milliseconds, steadily growing. */
  now(): number;
};

/** So many refusals of the login are no accident; Claude Code itself would go on for minutes. */
const REFUSALS_MAX = 3;

export function createClaudeOutput({ onSegment, onFault, onProgress, now }: ClaudeOutputDeps): ClaudeOutput {
  const state: ClaudeState = { used: [], background: 0, droppedBytes: 0 };
  const partial = createPartialText(now);
  const toolNames = new Map<string, string>();
  let isFull = false;

  function giveUp(reason: string): void {
    state.fault ??= reason;
    onFault(reason);
  }

  function show(segment: Segment | undefined): void {
    if (segment === undefined) return;
    if (isFull) state.droppedBytes += Buffer.byteLength(segment.body);
    else isFull = !onSegment(segment);
  }

  function takeMessage(message: ClaudeMessage): void {
    if (message.session_id) state.session = message.session_id;
    switch (message.type) {
      case 'system':
        return takeSystem(message);
      case 'stream_event': {
        const grown = partial.grow(message);
        if (grown) show(spoken(message, grown.kind, grown.piece));
        return;
      }
      case 'assistant':
        if (message.error) state.apiError = message.error;
        return blocksOf(message).forEach((block) => void takeBlock(message, block));
      case 'user':
        return blocksOf(message).forEach((block) => void takeBlock(message, block));
      case 'rate_limit_event':
        return takeLimit(message);
      case 'result':
        state.result = message;
        state.used.push(...Object.values(message.model_usage_since_last_result ?? {}));
        return show(resultSegment(message));
      default:
        return; // Progress of the program's own, which says nothing about the Worker.
    }
  }

  function takeSystem(message: ClaudeMessage): void {
    switch (message.subtype) {
      case 'init':
        return begin(message);
      case 'api_retry': {
        const { attempt, max_retries: most, retry_delay_ms: delay = 0, error_status: status, error } = message;
        const what = [status, error].filter(Boolean).join(' ') || 'no answer';
        show(
          structuredSegment(
            '',
            `api_retry: ${what}; attempt ${attempt} of ${most} in ${(delay / 1_000).toFixed(1)} s`,
            { status, error },
          ),
        );
        if ((status === 401 || status === 403) && (attempt ?? 0) >= REFUSALS_MAX)
          giveUp(`the login is refused (${what})`);
        return;
      }
      case 'permission_denied': {
        const { tool_name: tool, decision_reason: reason = 'not granted' } = message;
        return show(structuredSegment('permission denied: ', `${tool}: ${reason}`, { tool, reason }));
      }
      case 'background_tasks_changed':
        state.background = message.tasks?.length ?? 0;
        return;
      case 'compact_boundary':
        return show({ body: 'the conversation was summarised, since it had become too long' });
      default:
        return;
    }
  }

  function begin({
    claude_code_version: version,
    model,
    tools,
    mcp_servers: servers = [],
    session_id: session,
  }: ClaudeMessage) {
    // It comes again when a sub-agent reports back.
    if (state.model !== undefined) return;
    if (version) state.version = version;
    state.model = model ?? '';
    show(structuredSegment('', '--- session start ---', { session, version, model, tools, mcp_servers: servers }));
    const status = servers?.find(({ name }) => name === MCP_SERVER)?.status ?? 'missing';
    if (status !== 'connected') giveUp(`the Worker's MCP endpoint could not be reached (${status})`);
  }

  function takeBlock(message: ClaudeMessage, block: ClaudeBlock): void {
    switch (block.type) {
      case 'text':
        return message.type === 'assistant'
          ? show(spoken(message, 'text', partial.rest(message, 'text', block.text ?? '')))
          : undefined;
      case 'thinking':
        return show(spoken(message, 'thinking', partial.rest(message, 'thinking', block.thinking ?? '')));
      case 'tool_use': {
        const { id = '', name = '', input } = block;
        toolNames.set(id, name);
        return show(
          structuredSegment(`${by(message)}tool_use ${name}: `, JSON.stringify(input ?? {}), {
            tool_use: { id, name, input },
          }),
        );
      }
      case 'tool_result': {
        const { tool_use_id: id = '', content, is_error: isError = false } = block;
        const name = toolNames.get(id);
        const kind = isError ? 'tool_result-error' : 'tool_result';
        return show(
          structuredSegment(`${by(message)}${kind}: `, resultText(content), {
            tool_result: { id, name, isError, content },
          }),
        );
      }
      default:
        return;
    }
  }

  /** Limits that are near or reached; that all is well is no news. */
  function takeLimit({ rate_limit_info: limit }: ClaudeMessage): void {
    if (!limit?.status || limit.status === 'allowed') return;
    const resets = limit.resetsAt ? `, resets at ${new Date(limit.resetsAt * 1_000).toISOString()}` : '';
    show(structuredSegment('', `rate limit: ${limit.status}${resets}`, { rate_limit: limit }));
  }

  return {
    state,
    take(line, from) {
      const message = from === 'stdout' ? parseClaudeLine(line) : undefined;
      if (message) takeMessage(message);
      else {
        if (from === 'stderr' && line.trim() !== '') state.complaint = line.trim();
        show(segmentOf(line, from === 'stderr' ? 'stderr: ' : ''));
      }
      onProgress(state.result !== undefined && state.background === 0);
    },
    remark: (text) => show({ body: text }),
  };
}

function blocksOf({ message }: ClaudeMessage): ClaudeBlock[] {
  const content = message?.content ?? [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter((block) => typeof block === 'object' && block !== null) : [];
}

/** Who a line is by, when that is a sub-agent. */
const by = ({ parent_tool_use_id: parent }: ClaudeMessage) => (parent ? 'sub-agent ' : '');

function spoken(message: ClaudeMessage, kind: 'text' | 'thinking', text: string): Segment | undefined {
  return segmentOf(text, `${by(message)}${kind === 'text' ? 'assistant' : 'thinking'}: `);
}

function resultSegment({ result, errors, is_error: isError, ...rest }: ClaudeMessage): Segment {
  const {
    subtype,
    terminal_reason: reason,
    api_error_status: status,
    total_cost_usd: costUsd,
    permission_denials: denials,
  } = rest;
  const text = result ?? errors?.join('; ') ?? subtype ?? '';
  const isFailure = isError === true || (subtype !== undefined && subtype !== 'success');
  return structuredSegment(isFailure ? 'result-error: ' : 'result: ', text, {
    result: { subtype, reason, status, costUsd, permissionDenials: denials?.length ? denials : undefined },
    text,
  });
}
