// A model for tests that speaks OpenAI's Responses API on loopback and says what a function tells it to.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Asked, type ScriptedModel as Model, startScriptedServer } from './scripted-server.ts';

/** What the model is asked, as far as scripts want to know. */
export type ModelRequest = {
  /** What tools answered in this conversation so far, oldest first. */
  results: { text: string; isError: boolean }[];
  /** Names of the tools it is offered; those of an MCP server as `mcp__server__tool`. */
  tools: string[];
  instructions: string;
  /** Texts of the user's and the developer's turns, oldest first. */
  said: string[];
  body: Record<string, unknown>;
};

export type ModelReply =
  | { thinking?: string; say?: string | string[]; use?: { name: string; input: object | string }[] }
  | { status: number; type?: string; code?: string; message?: string; headers?: Record<string, string> }
  /** Ends the stream with this error instead of an answer. */
  | { fails: { code: string; message: string } }
  /** Begins to answer and never ends. */
  | 'hang';

export type ScriptedModel = Model<ModelRequest>;

type Item = { type: string; [name: string]: unknown };
const CHUNK = 64_000;
const NAMESPACE = /^(mcp__.+?)__(.+)$/;

export function startScriptedOpenai(
  answer: (request: ModelRequest) => ModelReply | Promise<ModelReply>,
): Promise<ScriptedModel> {
  async function handle({ method, path, response, note }: Asked<ModelRequest>): Promise<void> {
    if (!path.endsWith('/responses') || method !== 'POST')
      return fail(response, { status: 404, message: `no ${method} ${path} here` });
    const reply = await answer(note(toRequest));
    if (reply !== 'hang' && 'status' in reply) return fail(response, reply);
    const send = sender(response);
    const id = `resp_${randomUUID()}`;
    await send('response.created', { response: { id } });
    if (reply === 'hang') return;
    if ('fails' in reply) await send('response.failed', { response: { id, status: 'failed', error: reply.fails } });
    else {
      for (const [index, item] of itemsOf(reply).entries()) await sendItem(send, index, item);
      await send('response.completed', { response: { id, usage: USAGE } });
    }
    response.end();
  }
  return startScriptedServer('/v1', handle);
}

const USAGE = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 40 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 120,
};

type Failure = Extract<ModelReply, { status: number }>;

function fail(
  response: ServerResponse,
  { status, type, code, message = `scripted ${status}`, headers }: Failure,
): void {
  const error = { message, type: type ?? 'scripted_error', code: code ?? null, param: null };
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }));
}

function toRequest(body: Record<string, unknown>): ModelRequest {
  const input = (
    typeof body.input === 'string' ? [{ type: 'message', role: 'user', content: body.input }] : body.input
  ) as Item[];
  const outputs = input.filter(({ type }) => /_call_output$/.test(type));
  const messages = input.filter(({ type, role }) => type === 'message' && role !== 'assistant');
  return {
    results: outputs.map(({ output }) => toResult(textOf(output))),
    tools: toolNames((body.tools ?? []) as Item[]),
    instructions: textOf(body.instructions),
    said: messages.map(({ content }) => textOf(content)),
    body,
  };
}

/** Codex wraps what tools answer, and says in words when it is an error. */
function toResult(text: string): { text: string; isError: boolean } {
  const inner = text.replace(/^Wall time: [^\n]*\nOutput:\n/, '');
  return {
    text: inner,
    isError:
      /^(err:|execution error|tool call error|unsupported (custom tool )?call|request_user_input is unavailable|resources\/read failed|unknown MCP server|patch rejected|apply_patch verification failed|Exit code: [1-9]|Chunk ID: \S+\nWall time: [^\n]*\nProcess exited with code [1-9])/i.test(
        inner,
      ),
  };
}

function toolNames(tools: Item[]): string[] {
  return tools.flatMap(({ type, name, tools: inner }) =>
    type === 'namespace'
      ? ((inner ?? []) as Item[]).map((tool) => `${name}__${tool.name}`.replace(/____/, '__'))
      : [String(name ?? type)],
  );
}

const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : ((content ?? []) as Item[]).map(({ text }) => (typeof text === 'string' ? text : '')).join('\n');

function itemsOf({
  thinking,
  say,
  use = [],
}: {
  thinking?: string;
  say?: string | string[];
  use?: { name: string; input: object | string }[];
}): Item[] {
  return [
    ...(thinking === undefined
      ? []
      : [{ type: 'reasoning', id: `rs_${randomUUID()}`, summary: [{ type: 'summary_text', text: thinking }] }]),
    ...(say === undefined ? [] : [say].flat().map(message)),
    ...use.map(toolCall),
  ];
}

const message = (text: string): Item => ({
  type: 'message',
  id: `msg_${randomUUID()}`,
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});

/** A tool whose input is a text is one of those that take no JSON. */
function toolCall({ name, input }: { name: string; input: object | string }): Item {
  if (typeof input === 'string')
    return { type: 'custom_tool_call', id: `ctc_${randomUUID()}`, call_id: `call_${randomUUID()}`, name, input };
  const [, namespace, tool] = NAMESPACE.exec(name) ?? [];
  const id = randomUUID();
  return {
    type: 'function_call',
    id: `fc_${id}`,
    call_id: `call_${id}`,
    ...(namespace ? { namespace, name: tool } : { name }),
    arguments: JSON.stringify(input),
  };
}

type Send = (type: string, data: object) => Promise<void>;

function sender(response: ServerResponse): Send {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let wake = () => {};
  for (const event of ['drain', 'close']) response.on(event, () => wake());
  return async (type, data) => {
    if (response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`) || response.closed) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
}

async function sendItem(send: Send, index: number, item: Item): Promise<void> {
  await send('response.output_item.added', {
    output_index: index,
    item: item.type === 'message' ? { ...item, content: [] } : item,
  });
  if (item.type === 'message') {
    const [{ text }] = item.content as [{ text: string }];
    for (let at = 0; at < text.length; at += CHUNK)
      await send('response.output_text.delta', {
        item_id: item.id,
        output_index: index,
        content_index: 0,
        delta: text.slice(at, at + CHUNK),
      });
  }
  await send('response.output_item.done', { output_index: index, item });
}
