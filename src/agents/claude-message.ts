// The lines of Claude Code's stream-json as far as we use them. Everything is optional: another version may leave it out.

export type ClaudeBlock = {
  type?: string;
  text?: string;
  thinking?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: unknown;
  is_error?: boolean;
};

export type ClaudeDelta = { type?: string; text?: string; thinking?: string };

type Common = {
  type?: string;
  subtype?: string;
  session_id?: string;
  /** The tool call of the sub-agent that this is about. */
  parent_tool_use_id?: string | null;
};

/** One line, whichever type it is. */
export type ClaudeMessage = Common & {
  message?: { id?: string; model?: string; content?: string | ClaudeBlock[] };
  // system/init
  model?: string;
  claude_code_version?: string;
  tools?: string[];
  mcp_servers?: { name?: string; status?: string }[];
  // system/api_retry, and what stands in the place of an answer after an error of the API
  attempt?: number;
  max_retries?: number;
  retry_delay_ms?: number;
  error_status?: number | null;
  error?: string;
  // system/permission_denied
  tool_name?: string;
  decision_reason?: string;
  // system/background_tasks_changed
  tasks?: unknown[];
  // rate_limit_event
  rate_limit_info?: { status?: string; resetsAt?: number; rateLimitType?: string };
  // stream_event
  event?: {
    type?: string;
    message?: { id?: string };
    index?: number;
    content_block?: ClaudeBlock;
    delta?: ClaudeDelta;
  };
  // result
  is_error?: boolean;
  api_error_status?: number | null;
  terminal_reason?: string;
  result?: string;
  errors?: string[];
  /** Of the process, and of the sessions that it goes on in. */
  total_cost_usd?: number;
  modelUsage?: Record<string, ClaudeUsage>;
  model_usage_since_last_result?: Record<string, ClaudeUsage>;
  permission_denials?: { tool_name?: string; tool_input?: unknown }[];
};

export type ClaudeUsage = {
  inputTokens?: number;
  outputTokens?: number;
  cacheReadInputTokens?: number;
  cacheCreationInputTokens?: number;
  costUSD?: number;
};

/** The line as a message; undefined for what is none, such as a warning on stdout. */
export function parseClaudeLine(line: string): ClaudeMessage | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(line) as unknown;
    return typeof parsed === 'object' && parsed !== null && 'type' in parsed ? (parsed as ClaudeMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a tool's result, which is a text or blocks; what is no text is named by its type. */
export function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return content === undefined ? '' : JSON.stringify(content);
  return (content as (ClaudeBlock | null)[]).map((block) => block?.text ?? `[${block?.type}]`).join('\n');
}
