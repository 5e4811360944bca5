// The same few calls through each kind of MCP client that is out there.
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export type McpTool = {
  name: string;
  title?: string;
  description?: string;
  inputSchema: unknown;
  outputSchema?: unknown;
  annotations?: unknown;
};
export type McpResult = { content: { type: string; text: string }[]; structuredContent?: unknown; isError?: boolean };
export type McpProgress = { progress: number; total?: number | undefined; message?: string | undefined };
type Reference = { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };
export type McpResource = { uri: string; name: string; title?: string; mimeType?: string; size?: number };

export type McpClient = {
  server: { name: string; version: string } | undefined;
  instructions: string | undefined;
  capabilities: object | undefined;
  tools(): Promise<McpTool[]>;
  /** @param onprogress asks for progress */
  call(
    name: string,
    args?: unknown,
    signal?: AbortSignal,
    onprogress?: (progress: McpProgress) => void,
  ): Promise<McpResult>;
  prompts(): Promise<{ name: string; title?: string; arguments?: { name: string; required?: boolean }[] }[]>;
  /** The text of the one message it stands for. */
  prompt(name: string, args?: Record<string, string>): Promise<string>;
  /** One page. */
  resources(cursor?: string): Promise<{ resources: McpResource[]; nextCursor?: string }>;
  templates(): Promise<string[]>;
  read(uri: string): Promise<{ mimeType?: string; text?: string; blob?: string }>;
  complete(
    ref: Reference,
    name: string,
    value: string,
  ): Promise<{ values: string[]; total?: number; hasMore?: boolean }>;
  close(): Promise<void>;
};

export type Listeners = { tools?: () => void; prompts?: () => void; resources?: () => void };
export type Connect = (url: string, token: string, on?: Listeners) => Promise<McpClient>;

const IDENTITY = { name: 'test', version: '1.0.0' };
const authorized = (token: string) => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });

/** The SDK's first line: 2025 revisions, `initialize`. */
async function connectOld(url: string, token: string): Promise<McpClient> {
  const client = new OldClient(IDENTITY);
  // Its types are not made for exactOptionalPropertyTypes.
  await client.connect(new OldTransport(new URL(url), authorized(token)) as never);
  return {
    ...shared(client as never),
    call: async (name, args, signal, onprogress) =>
      (await client.callTool({ name, ...(args === undefined ? {} : { arguments: args as never }) }, undefined, {
        ...(signal ? { signal } : {}),
        ...(onprogress ? { onprogress } : {}),
      })) as McpResult,
  };
}

/** The SDK's second line, on either era of the protocol. */
const connectNew =
  (mode: 'legacy' | { pin: string }): Connect =>
  async (url, token, on) => {
    const listChanged = on && {
      ...(on.tools ? { tools: { onChanged: on.tools } } : {}),
      ...(on.prompts ? { prompts: { onChanged: on.prompts } } : {}),
      ...(on.resources ? { resources: { onChanged: on.resources } } : {}),
    };
    const client = new NewClient(IDENTITY, { versionNegotiation: { mode }, ...(listChanged ? { listChanged } : {}) });
    await client.connect(new NewTransport(new URL(url), authorized(token)));
    return {
      ...shared(client),
      call: async (name, args, signal, onprogress) =>
        (await client.callTool(
          { name, ...(args === undefined ? {} : { arguments: args as never }) },
          { ...(signal ? { signal } : {}), ...(onprogress ? { onprogress } : {}) },
        )) as McpResult,
    };
  };

/** What both lines of the SDK spell alike. */
function shared(client: NewClient): Omit<McpClient, 'call'> {
  return {
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools as McpTool[],
    prompts: async () => (await client.listPrompts()).prompts as never,
    async prompt(name, args = {}) {
      const { messages } = await client.getPrompt({ name, arguments: args });
      return messages.map(({ content }) => ('text' in content ? content.text : '')).join('\n\n');
    },
    resources: async (cursor) => (await client.listResources(cursor === undefined ? {} : { cursor })) as never,
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => (await client.readResource({ uri })).contents[0] as never,
    complete: async (ref, name, value) =>
      (await client.complete({ ref, argument: { name, value } })).completion as never,
    close: () => client.close(),
  };
}

export const clients: [string, Connect][] = [
  ['an SDK v1 client (2025-11-25)', connectOld],
  ['an SDK v2 client that initializes (2025-11-25)', connectNew('legacy')],
  ['an SDK v2 client (2026-07-28)', connectNew({ pin: '2026-07-28' })],
];

export const connectModern: Connect = connectNew({ pin: '2026-07-28' });

/** One message of the 2025 protocol, as a plain HTTP client sends it. */
export async function rpc(
  url: string,
  token: string,
  method: string,
  params: object = {},
): Promise<{ result?: unknown; error?: { code: number; message: string } }> {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
  });
  const text = await response.text();
  return JSON.parse(text.split('\ndata: ')[1] ?? text);
}
