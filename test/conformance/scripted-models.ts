// Stand-ins for the models behind real agents: each answers with the tool calls of a script, one for each turn.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export type Step = { tool: string; input: object };
/** Called before the step of its number; what happened in the world meanwhile. */
export type Script = { steps: Step[]; before?: (turn: number) => Promise<void> };

export type ScriptedModel = {
  url: string;
  /** What the model was shown of each tool call, in order. */
  results: string[];
  /** The tools that the model was offered in its first turn. */
  offered: string[];
  close(): Promise<void>;
};

type Body = Record<string, unknown>;

type Protocol = {
  isTurn(url: string): boolean;
  offered(body: Body): string[];
  results(body: Body): string[];
  answer(response: ServerResponse, turn: number, step: Step | undefined): void;
};

export async function openModel(protocol: Protocol, { steps, before }: Script): Promise<ScriptedModel> {
  const model: ScriptedModel = { url: '', results: [], offered: [], close: async () => void server.close() };
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'POST' || !protocol.isTurn(request.url ?? '')) return response.writeHead(404).end('{}');
    const body = (await json(request)) as Body;
    const offered = protocol.offered(body);
    // A request without tools asks for a title or the like.
    if (offered.length === 0) return protocol.answer(response, 99, undefined);
    if (model.offered.length === 0) model.offered = offered;
    model.results = protocol.results(body);
    const turn = model.results.length;
    await before?.(turn);
    protocol.answer(response, turn, steps[turn]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  model.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return model;
}

function stream(response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  return (type: string, data: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

type Block = { type: string; name?: string; content?: unknown };
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** The Messages API of Anthropic, as Claude Code uses it. */
export const anthropic: Protocol = {
  isTurn: (url) => url.startsWith('/v1/messages?') || url === '/v1/messages',
  offered: ({ tools = [] }) => (tools as { name: string }[]).map(({ name }) => name),
  results: ({ messages = [] }) =>
    (messages as { content: Block[] | string }[])
      .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
      .flatMap(({ type, content }) => (type === 'tool_result' ? [asText(content)] : [])),
  answer(response, turn, step) {
    const say = stream(response);
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: `msg_${turn}`, type: 'message', role: 'assistant', model: 'scripted', content: [], usage };
    say('message_start', { message: { ...message, stop_reason: null, stop_sequence: null } });
    if (step) {
      const block = { type: 'tool_use', id: `toolu_${turn}`, name: step.tool, input: {} };
      say('content_block_start', { index: 0, content_block: block });
      say('content_block_delta', {
        index: 0,
        delta: { type: 'input_json_delta', partial_json: JSON.stringify(step.input) },
      });
    } else {
      say('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
      say('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Done.' } });
    }
    say('content_block_stop', { index: 0 });
    say('message_delta', { delta: { stop_reason: step ? 'tool_use' : 'end_turn', stop_sequence: null }, usage });
    say('message_stop', {});
    response.end();
  },
};

type Item = { type: string; output?: unknown };
type Offered = { name?: string; type: string; tools?: { name: string }[] };

/** The Responses API of OpenAI, as Codex uses it: tools of a server come as a namespace. */
export const openai: Protocol = {
  isTurn: (url) => url.endsWith('/responses'),
  offered: ({ tools = [] }) =>
    (tools as Offered[]).flatMap(({ name, type, tools: inside }) =>
      inside ? inside.map((tool) => `${name}/${tool.name}`) : [name ?? type],
    ),
  results: ({ input = [] }) =>
    (input as Item[]).flatMap(({ type, output }) => (type === 'function_call_output' ? [asText(output)] : [])),
  answer(response, turn, step) {
    const say = stream(response);
    const id = `resp_${turn}`;
    say('response.created', { response: { id } });
    const [namespace, name] = step?.tool.includes('/') ? step.tool.split('/') : [undefined, step?.tool];
    const item = step
      ? {
          type: 'function_call',
          id: `fc_${turn}`,
          call_id: `call_${turn}`,
          name,
          ...(namespace ? { namespace } : {}),
          arguments: JSON.stringify(step.input),
        }
      : { type: 'message', role: 'assistant', id: `msg_${turn}`, content: [{ type: 'output_text', text: 'Done.' }] };
    say('response.output_item.added', { output_index: 0, item });
    say('response.output_item.done', { output_index: 0, item });
    const usage = {
      input_tokens: 1,
      input_tokens_details: null,
      output_tokens: 1,
      output_tokens_details: null,
      total_tokens: 2,
    };
    say('response.completed', { response: { id, usage } });
    response.end();
  },
};
