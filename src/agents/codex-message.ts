// The lines of `codex exec --json` as far as we use them. Everything is optional: another version may leave it out.

/** Something Codex did: a message, a thought, a tool. It comes as started, and with the same id as completed. */
export type CodexItem = {
  id?: string;
  type?: string;
  status?: string;
  // agent_message, reasoning
  text?: string;
  // error
  message?: string;
  // mcp_tool_call
  server?: string;
  tool?: string;
  arguments?: unknown;
  result?: { content?: unknown } | null;
  error?: { message?: string } | null;
  // command_execution
  command?: string;
  aggregated_output?: string;
  exit_code?: number | null;
  // file_change
  changes?: { path?: string; kind?: string }[];
  // web_search
  query?: string;
  // todo_list
  items?: { text?: string; completed?: boolean }[];
};

export type CodexUsage = { input_tokens?: number; output_tokens?: number };

/** One line, whichever type it is. */
export type CodexMessage = {
  type?: string;
  // thread.started
  thread_id?: string;
  // item.started, item.updated, item.completed
  item?: CodexItem;
  // turn.completed; of the whole thread, also of what it went on from
  usage?: CodexUsage;
  // turn.failed
  error?: { message?: string };
  // error
  message?: string;
};

/** The line as a message; undefined for what is none. */
export function parseCodexLine(line: string): CodexMessage | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(line) as unknown;
    return typeof parsed === 'object' && parsed !== null && 'type' in parsed ? (parsed as CodexMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** The text of what an MCP tool answered; what is no text is named by its type. */
export function contentText(content: unknown): string {
  if (!Array.isArray(content)) return content === undefined || content === null ? '' : JSON.stringify(content);
  return (content as ({ type?: string; text?: string } | null)[])
    .map((block) => block?.text ?? `[${block?.type}]`)
    .join('\n');
}
