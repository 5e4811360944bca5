// The tools, prompts and resources that the official conformance suite calls by name, in front of the real answers of a
// Worker's endpoint. No organisation has them: they exist in this composition only.
import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { conflict } from '../../src/domain/errors.ts';
import type { Asker, McpAnswers } from '../../src/http/mcp/answers.ts';
import type { ToolDoor } from '../../src/tools/call-tool.ts';
import type { Tool, ToolContext } from '../../src/tools/define-tool.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

export const WORKER = 'w-conformance';

export type Conformance = { daemon: TestDaemon; url: string; close(): Promise<void> };

/** A daemon with a Worker whose endpoint has the suite's fixtures. Requests come without a token, so they are given its one. */
export async function openConformance(): Promise<Conformance> {
  const daemon = await openTestDaemon({ door: withTools, mcpAnswers: (real) => withFixtures(real, change) });
  await daemon.hire(WORKER, { grants: ['publish', 'read_events'] });
  const authorization = `Bearer ${daemon.token(WORKER)}`;
  daemon.app.server.prependListener('request', ({ headers }) => {
    headers.authorization ??= authorization;
  });
  /** A real change of the Worker's grants, there and back. */
  async function change(tool: string): Promise<void> {
    await daemon.call('grant_tool', { workerId: WORKER, toolName: tool });
    await daemon.call('revoke_tool', { workerId: WORKER, toolName: tool });
  }
  return { daemon, url: `${daemon.url}/workers/${WORKER}/mcp`, close: () => daemon.close() };
}

/** What an ordinary tool can do goes through the door, and so all the ways an ordinary tool goes. */
const doorTools: readonly Tool[] = [
  ordinary('test_simple_text', async () => ({ said: 'This is a simple text response for testing.' })),
  ordinary('test_error_handling', async () => {
    throw conflict('This tool intentionally returns an error for testing');
  }),
  ordinary('test_tool_with_progress', async (_args, { caller }) => {
    for (const progress of [0, 50, 100]) caller.onProgress?.({ progress, total: 100, message: 'Working.' });
    return { done: true };
  }),
  ordinary('test_logging_tool', async () => ({ logged: 0 })),
];

function ordinary(name: string, handler: Tool['handler']): Tool {
  return { name, title: name, description: `The suite's ${name}.`, input: z.object({}), effect: 'reads', handler };
}

function withTools(real: ToolDoor): ToolDoor {
  return {
    ...real,
    granted: (workerId) => [...real.granted(workerId), ...doorTools],
    async call(caller, name, args) {
      const tool = doorTools.find((each) => each.name === name);
      if (!tool) return real.call(caller, name, args);
      try {
        return { kind: 'ok', result: await tool.handler({}, { caller } as ToolContext) };
      } catch (error) {
        return { kind: 'refused', message: (error as Error).message };
      }
    },
  };
}

type Call = (asker: Asker, args: Record<string, unknown>) => object | Promise<object>;
type Change = (tool: string) => Promise<void>;

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const text = (said: string) => ({ type: 'text', text: said });
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
const embedded = (uri: string, mimeType: string, content: string) => ({
  type: 'resource',
  resource: { uri, mimeType, text: content },
});
const said = (...content: object[]) => ({ content });

const ask = (method: string, params: object) => ({ method, params });
const elicit = (message: string, field: string, type = 'string') =>
  ask('elicitation/create', {
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type } }, required: [field] },
  });
const sample = (question: string, maxTokens: number) =>
  ask('sampling/createMessage', { messages: [{ role: 'user', content: text(question) }], maxTokens });
const roots = ask('roots/list', {});
const required = (inputRequests: Record<string, object>, requestState?: string) => ({
  resultType: 'input_required',
  inputRequests,
  ...(requestState === undefined ? {} : { requestState }),
});

const KEY = 'conformance';
const seal = (state: string) => `${state}.${createHmac('sha256', KEY).update(state).digest('hex')}`;

/** The state we gave out, or undefined while none came back. @throws ProtocolError when somebody changed it */
function unsealed({ context }: Asker): string | undefined {
  const sealed = context.mcpReq.requestState<string>();
  if (sealed === undefined) return undefined;
  const [state = ''] = sealed.split('.');
  const [given, wanted] = [Buffer.from(sealed), Buffer.from(seal(state))];
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return state;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'This state is not one we gave out.');
}

type Response = { content?: Record<string, unknown> | { text?: string }; roots?: { uri: string }[] };
const responses = ({ context }: Asker) => (context.mcpReq.inputResponses ?? {}) as Record<string, Response | undefined>;

const capabilities = ({ context }: Asker): Record<string, unknown> =>
  ((context.mcpReq.envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<
    string,
    unknown
  >;

const name = elicit('What is your name?', 'name');

/** Asks for a name until it is given as a text. */
const greet: Call = (asker) => {
  const given = responses(asker).user_name?.content as { name?: unknown } | undefined;
  return typeof given?.name === 'string' ? said(text(`Hello, ${given.name}!`)) : required({ user_name: name });
};

const calls = (change: Change): Record<string, Call> => ({
  test_image_content: () => said(image),
  test_audio_content: () => said({ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }),
  test_embedded_resource: () =>
    said(embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')),
  test_multiple_content_types: () =>
    said(
      text('Multiple content types test:'),
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ),
  test_missing_capability(asker) {
    if (capabilities(asker).sampling) return said(text('may sample'));
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  },
  test_streaming_elicitation: greet,
  async test_trigger_tool_change() {
    await change('dm');
    return said(text('changed'));
  },
  async test_trigger_prompt_change() {
    await change('create_role');
    return said(text('changed'));
  },
  test_input_required_result_elicitation: greet,
  test_input_required_result_sampling(asker) {
    const answer = responses(asker).capital_question?.content as { text?: string } | undefined;
    return answer
      ? said(text(answer.text ?? ''))
      : required({ capital_question: sample('What is the capital of France?', 100) });
  },
  test_input_required_result_list_roots(asker) {
    const answer = responses(asker).client_roots?.roots;
    return answer ? said(text(answer.map(({ uri }) => uri).join(' '))) : required({ client_roots: roots });
  },
  test_input_required_result_request_state(asker) {
    const state = unsealed(asker);
    return state && responses(asker).confirm
      ? said(text('state-ok'))
      : required({ confirm: elicit('Please confirm', 'ok', 'boolean') }, seal('asked'));
  },
  test_input_required_result_tampered_state(asker) {
    const state = unsealed(asker);
    return state && responses(asker).confirm
      ? said(text('state-ok'))
      : required({ confirm: elicit('Please confirm', 'ok', 'boolean') }, seal('asked'));
  },
  test_input_required_result_multiple_inputs(asker) {
    const { user_name, greeting, client_roots } = responses(asker);
    if (unsealed(asker) && user_name && greeting && client_roots) return said(text('all there'));
    return required(
      { user_name: name, greeting: sample('Generate a greeting', 50), client_roots: roots },
      seal('asked'),
    );
  },
  test_input_required_result_multi_round(asker) {
    const state = unsealed(asker);
    if (state === 'second' && responses(asker).step2) return said(text('done'));
    if (state === 'first' && responses(asker).step1)
      return required({ step2: elicit('Step 2: What is your favorite color?', 'color') }, seal('second'));
    return required({ step1: elicit('Step 1: What is your name?', 'name') }, seal('first'));
  },
  test_input_required_result_capabilities(asker) {
    const can = capabilities(asker);
    const requests = {
      ...(can.elicitation ? { user_name: name } : {}),
      ...(can.sampling ? { greeting: sample('Generate a greeting', 50) } : {}),
      ...(can.roots ? { client_roots: roots } : {}),
    };
    return Object.keys(requests).length > 0 ? required(requests) : said(text('nothing can be asked'));
  },
});

const user = (content: object) => ({ role: 'user', content });
const prompts: Record<string, { arguments?: string[]; render: Call }> = {
  test_simple_prompt: { render: () => ({ messages: [user(text('This is a simple prompt for testing.'))] }) },
  test_prompt_with_arguments: {
    arguments: ['arg1', 'arg2'],
    render: (_asker, { arg1, arg2 }) => ({
      messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
    }),
  },
  test_prompt_with_embedded_resource: {
    arguments: ['resourceUri'],
    render: (_asker, { resourceUri }) => ({
      messages: [
        user(embedded(String(resourceUri), 'text/plain', 'Embedded resource content for testing.')),
        user(text('Please process the embedded resource above.')),
      ],
    }),
  },
  test_prompt_with_image: {
    render: () => ({ messages: [user(image), user(text('Please analyze the image above.'))] }),
  },
  test_input_required_result_prompt: {
    render(asker) {
      const given = responses(asker).user_context?.content as { context?: string } | undefined;
      return given
        ? { messages: [user(text(`Context: ${given.context}`))] }
        : required({ user_context: elicit('What context should the prompt use?', 'context') });
    },
  },
};

const resources: Record<string, object> = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PIXEL },
};
const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

function withFixtures(real: McpAnswers, change: Change): McpAnswers {
  const tools = calls(change);
  const own = {
    'tools/call': (params, asker) =>
      (tools[params.name]?.(asker, params.arguments ?? {}) ?? real['tools/call'](params, asker)) as never,
    'prompts/list': async (params, asker) => {
      const { prompts: listed, ...rest } = await real['prompts/list'](params, asker);
      const added = Object.entries(prompts).map(([each, { arguments: args }]) => ({
        name: each,
        description: `The suite's ${each}.`,
        ...(args ? { arguments: args.map((argument) => ({ name: argument, required: true })) } : {}),
      }));
      return { prompts: [...listed, ...added], ...rest };
    },
    'prompts/get': (params, asker) =>
      (prompts[params.name]?.render(asker, params.arguments ?? {}) ?? real['prompts/get'](params, asker)) as never,
    'resources/list': async (params, asker) => {
      const { resources: listed, ...rest } = await real['resources/list'](params, asker);
      return { resources: [...listed, ...Object.keys(resources).map((uri) => ({ uri, name: uri }))], ...rest };
    },
    'resources/read': (params, asker) => {
      const { uri } = params;
      const [, id] = TEMPLATE.exec(uri) ?? [];
      const templated = id && {
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      };
      const content = resources[uri] ?? templated;
      return (content ? { contents: [{ uri, ...content }] } : real['resources/read'](params, asker)) as never;
    },
  } satisfies Partial<McpAnswers>;
  return { ...real, ...own };
}
