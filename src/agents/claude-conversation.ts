// Claude Code as somebody to talk with: a process that stays, takes messages on stdin and answers as stream-json.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ChatLaunch, ChatProcess, ChatTalk } from '../domain/chat-agent.ts';
import { ACTIVATION_VARIABLE } from './agent-environment.ts';
import { type ClaudeBlock, type ClaudeMessage, parseClaudeLine } from './claude-message.ts';
import { problemOf } from './claude-problem.ts';
import { createLineCutter } from './lines.ts';
import { readProcess } from './process-table.ts';
import { stopActivationProcesses } from './process-tree.ts';
import { clip } from './transcript-text.ts';

/** Characters; a line holds a whole message, such as a tool's result. */
const LINE_MAX = 16 * 2 ** 20;

/** @throws Error when the program cannot be started */
export async function startClaudeConversation(
  { command, environment, cwd, user, release }: ChatLaunch,
  mark: string,
  onTalk: (talk: ChatTalk) => void,
): Promise<ChatProcess> {
  const [program = '', ...args] = command;
  const env = { ...environment, [ACTIVATION_VARIABLE]: mark };
  const child = spawn(program, args, { cwd, env, detached: true, stdio: 'pipe', ...user });
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    release();
    throw error;
  }
  const found = await readProcess(child.pid).catch(() => undefined);
  const root = { pid: child.pid, startedAt: found?.startedAt ?? '' };
  const talk = createTalk(onTalk);
  let complaint = '';
  let stopping: Promise<void> | undefined;
  const exited = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`)),
  );
  const stop = () => {
    stopping ??= stopActivationProcesses({ activationId: mark, root, isOurs: true });
    return stopping;
  };
  child.stdin.on('error', () => {}); // It ended; `gone` tells.
  const reading = Promise.all([
    eachLine(child.stdout, talk),
    eachLine(child.stderr, (line) => {
      if (line.trim() !== '') complaint = clip(line.trim());
    }),
  ]);
  const gone = exited.then(async (exit) => {
    await stop().catch(() => {});
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    await reading.catch(() => {});
    release();
    return { exit, complaint };
  });
  const write = (message: object) => void child.stdin.write(`${JSON.stringify(message)}\n`);
  return {
    say: (text) =>
      write({ type: 'user', message: { role: 'user', content: [{ type: 'text', text }] }, parent_tool_use_id: null }),
    interrupt: () => write({ type: 'control_request', request_id: randomUUID(), request: { subtype: 'interrupt' } }),
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    gone,
    async stop() {
      await stop();
      await gone;
    },
  };
}

async function eachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  const cutter = createLineCutter(LINE_MAX);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) for (const line of cutter.push(chunk)) take(line);
    for (const line of cutter.end()) take(line);
  } catch {
    // Closed under us, since it is gone.
  }
}

/** Lines of stream-json as talk. What sub-agents say is not part of the conversation; what they do, the caller sees in its call. */
function createTalk(onTalk: (talk: ChatTalk) => void): (line: string) => void {
  let model: string | undefined;
  let apiError: string | undefined;
  let told = 0;

  function takeBlock({ type }: ClaudeMessage, block: ClaudeBlock): void {
    const {
      id = '',
      name = '',
      input,
      tool_use_id: callId = '',
      content,
      is_error: isError = false,
      text = '',
    } = block;
    if (type === 'assistant' && block.type === 'text' && text !== '') onTalk({ kind: 'said', text });
    else if (block.type === 'tool_use') onTalk({ kind: 'call', id, name, input });
    else if (block.type === 'tool_result') onTalk({ kind: 'result', id: callId, isError, content });
  }

  function takeEnd(message: ClaudeMessage): void {
    const total = message.total_cost_usd;
    const costUsd = total === undefined ? undefined : Math.max(0, total - told);
    if (total !== undefined) told = total;
    const problem = problemOf(message, apiError);
    apiError = undefined;
    onTalk({
      kind: 'ended',
      ...(model ? { model } : {}),
      ...(message.session_id ? { session: message.session_id } : {}),
      ...(costUsd === undefined ? {} : { costUsd }),
      ...(problem ? { problem } : {}),
    });
  }

  return (line) => {
    const message = parseClaudeLine(line);
    if (!message || message.parent_tool_use_id) return;
    switch (message.type) {
      case 'system':
        if (message.subtype === 'init')
          onTalk({ kind: 'began', session: message.session_id ?? '', model: message.model ?? '' });
        else if (message.subtype === 'api_retry')
          onTalk({ kind: 'remark', text: `No answer from the model (${retryReason(message)}); trying again` });
        else if (message.subtype === 'compact_boundary')
          onTalk({ kind: 'remark', text: 'The conversation had become too long, so its beginning was summarised' });
        return;
      case 'stream_event': {
        const delta = message.event?.delta;
        if (message.event?.type === 'content_block_delta' && delta?.type === 'text_delta')
          onTalk({ kind: 'piece', text: delta.text ?? '' });
        return;
      }
      case 'assistant':
        if (message.error) apiError = message.error;
        model = modelOf(message) ?? model;
        // What stands in the place of an answer after an error is told at the end, with what to do.
        if (!message.error) for (const block of blocksOf(message)) takeBlock(message, block);
        return;
      case 'user':
        for (const block of blocksOf(message)) takeBlock(message, block);
        return;
      case 'result':
        return takeEnd(message);
      default:
        return;
    }
  };
}

const retryReason = ({ error_status: status, error }: ClaudeMessage) =>
  [status, error].filter(Boolean).join(' ') || 'no connection';

/** The model that answered; `<synthetic>` is what Claude Code calls its own words. */
function modelOf({ message }: ClaudeMessage): string | undefined {
  const model = message?.model;
  return model === undefined || model.startsWith('<') ? undefined : model;
}

function blocksOf({ message }: ClaudeMessage): ClaudeBlock[] {
  const content = message?.content ?? [];
  return Array.isArray(content) ? content.filter((block) => typeof block === 'object' && block !== null) : [];
}
