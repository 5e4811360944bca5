// What Codex prints, line by line: what of it goes into the transcript, and what it says about how the run goes.
import type { Segment } from '../domain/agent.ts';
import { type CodexItem, type CodexMessage, type CodexUsage, contentText, parseCodexLine } from './codex-message.ts';
import { segmentOf, structuredSegment } from './transcript-text.ts';

/** What is known of the run so far. */
export type CodexState = {
  session?: string;
  /** Its last turn has ended, well or with the error. */
  ended?: { error?: string };
  usage?: CodexUsage;
  /** What it said last. */
  said: string;
  /** The last error it told, whether it went on or not. */
  trouble?: string;
  /** What it said on stderr when it gave up, else the last line there. */
  complaint?: string;
  /** Of output that the full transcript did not take. */
  droppedBytes: number;
};

export type CodexOutput = {
  state: CodexState;
  take(line: string, from: 'stdout' | 'stderr'): void;
  /** A remark of ours. */
  remark(text: string): void;
};

export type CodexOutputDeps = {
  onSegment(segment: Segment): boolean;
  /** Called when its turn has ended, and after each line that still comes. */
  onOver(): void;
  /** What the record of the session's start says besides. */
  about: object;
  /** Remarks of ours that follow it. */
  notes: string[];
};

/** How its log tells that a call of its model was not done, which is no event of its own. */
const REFUSED = /^\S+Z +ERROR codex_core::tools::router: error=(.*)$/;

export function createCodexOutput({ onSegment, onOver, about, notes }: CodexOutputDeps): CodexOutput {
  const state: CodexState = { said: '', droppedBytes: 0 };
  /** Tools that were shown as used, by item. */
  const shown = new Set<string>();
  let isFull = false;

  function show(segment: Segment | undefined): void {
    if (segment === undefined) return;
    if (isFull) state.droppedBytes += Buffer.byteLength(segment.body);
    else isFull = !onSegment(segment);
  }

  function takeMessage(message: CodexMessage): void {
    switch (message.type) {
      case 'thread.started': {
        if (message.thread_id) state.session = message.thread_id;
        show(structuredSegment('', '--- session start ---', { session: message.thread_id, ...about }));
        return notes.forEach((body) => void show({ body }));
      }
      case 'item.started':
      case 'item.completed':
        return message.item && takeItem(message.item, message.type === 'item.completed');
      case 'turn.completed':
        state.ended = {};
        if (message.usage) state.usage = message.usage;
        return show(structuredSegment('result: ', state.said, { result: { usage: message.usage }, text: state.said }));
      case 'turn.failed': {
        const error = message.error?.message ?? 'no reason was given';
        state.ended = { error };
        return show(structuredSegment('result-error: ', error, { result: { error } }));
      }
      case 'error':
        state.trouble = message.message ?? '';
        // The last one comes again as the end of the turn.
        return /^Reconnecting/.test(state.trouble)
          ? show(structuredSegment('api_retry: ', state.trouble, { error: state.trouble }))
          : undefined;
      default:
        return; // Progress of the program's own, which says nothing about the Worker.
    }
  }

  function takeItem(item: CodexItem, isCompleted: boolean): void {
    switch (item.type) {
      case 'agent_message':
        if (!isCompleted) return;
        state.said = item.text ?? '';
        return show(segmentOf(state.said, 'assistant: '));
      case 'reasoning':
        return isCompleted ? show(segmentOf(item.text ?? '', 'thinking: ')) : undefined;
      case 'error':
        return isCompleted ? show(segmentOf(item.message ?? '', 'warning: ')) : undefined;
      default:
        return takeTool(item, isCompleted);
    }
  }

  function takeTool(item: CodexItem, isCompleted: boolean): void {
    const tool = toolOf(item);
    if (!tool) return;
    const { id = '' } = item;
    const { name, input, answer, isError } = tool;
    if (!shown.has(id)) {
      shown.add(id);
      show(structuredSegment(`tool_use ${name}: `, JSON.stringify(input), { tool_use: { id, name, input } }));
    }
    if (!isCompleted) return;
    shown.delete(id);
    const kind = isError ? 'tool_result-error' : 'tool_result';
    show(structuredSegment(`${kind}: `, answer, { tool_result: { id, name, isError, content: answer } }));
  }

  function takeLog(line: string): void {
    if (line.trim() === '') return;
    const [, refused] = REFUSED.exec(line) ?? [];
    if (refused !== undefined) return show(structuredSegment('tool_result-error: ', refused, { refused }));
    // What it says last is how it gave up; lines below its error explain a place in a file.
    if (line.startsWith('Error') || !state.complaint?.startsWith('Error')) state.complaint = line.trim();
    show(segmentOf(line, 'stderr: '));
  }

  return {
    state,
    take(line, from) {
      const message = from === 'stdout' ? parseCodexLine(line) : undefined;
      if (message) takeMessage(message);
      else if (from === 'stderr') takeLog(line);
      else show(segmentOf(line));
      if (state.ended) onOver();
    },
    remark: (text) => show({ body: text }),
  };
}

type Tool = { name: string; input: unknown; answer: string; isError: boolean };

/** An item that is the use of a tool. */
function toolOf(item: CodexItem): Tool | undefined {
  const isError = item.status === 'failed' || item.status === 'declined';
  switch (item.type) {
    case 'mcp_tool_call': {
      const answer = item.error?.message ?? contentText(item.result?.content);
      return { name: `mcp__${item.server}__${item.tool}`, input: item.arguments ?? {}, answer, isError };
    }
    case 'command_execution': {
      const { command = '', aggregated_output: output = '', exit_code: code } = item;
      const answer = code ? `exit code ${code}\n${output}` : output;
      return { name: 'exec_command', input: { command }, answer, isError: isError || Boolean(code) };
    }
    case 'file_change': {
      const changes = item.changes ?? [];
      return { name: 'apply_patch', input: { changes }, answer: item.status ?? '', isError };
    }
    case 'web_search':
      return { name: 'web_search', input: { query: item.query ?? '' }, answer: '', isError };
    case 'todo_list':
      return { name: 'update_plan', input: { items: item.items ?? [] }, answer: '', isError };
    default:
      return undefined;
  }
}
