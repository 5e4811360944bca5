// A model for tests that speaks Anthropic's Messages API on loopback and says what a function tells it to.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Asked, type ScriptedModel as Model, startScriptedServer } from './scripted-server.ts';

/** What the model is asked, as far as scripts want to know. */
export type ModelRequest = {
  /** Tool results in this conversation so far, oldest first: how far the script has come. */
  results: { text: string; isError: boolean }[];
  /** Names of the tools it is offered. */
  tools: string[];
  system: string;
  /** Text of the user's turns, oldest first; without tool results. */
  said: string[];
  body: Record<string, unknown>;
};

export type ModelReply =
  | {
      thinking?: string;
      say?: string | string[];
      use?: { name: string; input: object | string }[];
      /** All is said but the end, which comes after this. */
      hold?: Promise<unknown>;
    }
  | { status: number; type: string; message?: string; headers?: Record<string, string> }
  /** Begins to answer and never ends. */
  | 'hang';

export type ScriptedModel = Model<ModelRequest>;

type Block = { type: string; [name: string]: unknown };
const CHUNK = 64_000;

export function startScriptedAnthropic(
  answer: (request: ModelRequest) => ModelReply | Promise<ModelReply>,
): Promise<ScriptedModel> {
  async function handle({ method, path, response, note }: Asked<ModelRequest>): Promise<void> {
    if (method === 'HEAD') return void response.end();
    if (path === '/v1/messages/count_tokens') return json(response, 200, { input_tokens: 100 });
    if (path !== '/v1/messages') return json(response, 404, apiError('not_found_error', path));
    const asked = note(toRequest);
    const reply = await answer(asked);
    if (reply === 'hang') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.write('event: ping\ndata: {"type":"ping"}\n\n');
    }
    if ('status' in reply) {
      const { status, type, message = `scripted ${status}` } = reply;
      return json(response, status, apiError(type, message), reply.headers);
    }
    await send(response, String(asked.body.model), blocksOf(reply), reply.hold);
  }
  return startScriptedServer('', handle);
}

/** Uses one tool after the other, then says `Done.` and what the last one answered. */
export const stepByStep =
  (steps: { name: string; input: object }[]) =>
  ({ results }: Pick<ModelRequest, 'results'>) => {
    const step = steps[results.length];
    return step ? { say: `I use ${step.name}.`, use: [step] } : { say: `Done. ${results.at(-1)?.text ?? ''}`.trim() };
  };

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const apiError = (type: string, message: string) => ({ type: 'error', error: { type, message } });

function toRequest(body: Record<string, unknown>): ModelRequest {
  const messages = (body.messages ?? []) as { role: string; content: string | Block[] }[];
  const blocks = messages.flatMap(({ content, role }) =>
    (typeof content === 'string' ? [{ type: 'text', text: content }] : content).map((block) => ({ ...block, role })),
  ) as (Block & { role: string })[];
  return {
    results: blocks
      .filter(({ type }) => type === 'tool_result')
      .map(({ content, is_error: isError }) => ({ text: textOf(content), isError: isError === true })),
    tools: ((body.tools ?? []) as { name: string }[]).map(({ name }) => name),
    system: textOf(body.system),
    said: blocks.filter(({ role, type }) => role === 'user' && type === 'text').map(({ text }) => String(text)),
    body,
  };
}

const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : ((content ?? []) as Block[]).map(({ text }) => (typeof text === 'string' ? text : '')).join('\n');

function blocksOf({ thinking, say, use = [] }: Exclude<ModelReply, string | { status: number }>): Block[] {
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature: 'signed' }]),
    ...(say === undefined ? [] : [say].flat().map((text) => ({ type: 'text', text }))),
    ...use.map(({ name, input }) => ({ type: 'tool_use', id: `toolu_${randomUUID()}`, name, input })),
  ];
}

const USAGE = { input_tokens: 100, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 20 };

async function send(response: ServerResponse, model: string, blocks: Block[], hold?: Promise<unknown>): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_scripted' });
  let wake = () => {};
  for (const event of ['drain', 'close']) response.on(event, () => wake());
  const emit = async (type: string, data: object) => {
    if (response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`) || response.closed) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const message = { id: `msg_${randomUUID()}`, type: 'message', role: 'assistant', model, content: [] };
  const stop = { stop_reason: null, stop_sequence: null };
  await emit('message_start', { message: { ...message, ...stop, usage: { ...USAGE, output_tokens: 1 } } });
  for (const [index, block] of blocks.entries()) {
    const { empty, deltas } = streamed(block);
    await emit('content_block_start', { index, content_block: { ...block, ...empty } });
    for (const delta of deltas) await emit('content_block_delta', { index, delta });
    if (index === blocks.length - 1) await hold;
    await emit('content_block_stop', { index });
  }
  const reason = blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn';
  await emit('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: USAGE });
  await emit('message_stop', {});
  response.end();
}

/** A block as it begins, and what it grows by. */
function streamed(block: Block): { empty: object; deltas: object[] } {
  if (block.type === 'tool_use')
    return { empty: { input: {} }, deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input) }] };
  const kind = block.type;
  const text = String(block[kind]);
  const parts: string[] = [];
  // Not within a character.
  for (let at = 0; at < text.length; ) {
    const end = at + CHUNK + (/[\uD800-\uDBFF]/.test(text.charAt(at + CHUNK - 1)) ? 1 : 0);
    parts.push(text.slice(at, end));
    at = end;
  }
  const deltas: object[] = parts.map((part) => ({ type: `${kind}_delta`, [kind]: part }));
  if (kind === 'thinking') deltas.push({ type: 'signature_delta', signature: block.signature });
  return { empty: { [kind]: '' }, deltas };
}
