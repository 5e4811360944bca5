// The same few calls through each kind of MCP client that is out there.
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export type McpTool = { name: string; title?: string; inputSchema: unknown; annotations?: unknown };
export type McpResult = { content: { type: string; text: string }[]; structuredContent?: unknown; isError?: boolean };

export type McpClient = {
  server: { name: string; version: string } | undefined;
  instructions: string | undefined;
  tools(): Promise<McpTool[]>;
  call(name: string, args?: unknown, signal?: AbortSignal): Promise<McpResult>;
  close(): Promise<void>;
};

export type Connect = (url: string, token: string, onToolsChanged?: () => void) => Promise<McpClient>;

const IDENTITY = { name: 'test', version: '1.0.0' };
const authorized = (token: string) => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });

/** The SDK's first line: 2025 revisions, `initialize`. */
async function connectOld(url: string, token: string): Promise<McpClient> {
  const client = new OldClient(IDENTITY);
  // Its types are not made for exactOptionalPropertyTypes.
  await client.connect(new OldTransport(new URL(url), authorized(token)) as never);
  return {
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    tools: async () => (await client.listTools()).tools as McpTool[],
    call: async (name, args, signal) =>
      (await client.callTool(
        { name, ...(args === undefined ? {} : { arguments: args as never }) },
        undefined,
        signal ? { signal } : {},
      )) as McpResult,
    close: () => client.close(),
  };
}

/** The SDK's second line, on either era of the protocol. */
const connectNew =
  (mode: 'legacy' | { pin: string }): Connect =>
  async (url, token, onToolsChanged) => {
    const client = new NewClient(IDENTITY, {
      versionNegotiation: { mode },
      ...(onToolsChanged ? { listChanged: { tools: { onChanged: onToolsChanged } } } : {}),
    });
    await client.connect(new NewTransport(new URL(url), authorized(token)));
    return {
      server: client.getServerVersion(),
      instructions: client.getInstructions(),
      tools: async () => (await client.listTools()).tools as McpTool[],
      call: async (name, args, signal) =>
        (await client.callTool(
          { name, ...(args === undefined ? {} : { arguments: args as never }) },
          signal ? { signal } : {},
        )) as McpResult,
      close: () => client.close(),
    };
  };

export const clients: [string, Connect][] = [
  ['an SDK v1 client (2025-11-25)', connectOld],
  ['an SDK v2 client that initializes (2025-11-25)', connectNew('legacy')],
  ['an SDK v2 client (2026-07-28)', connectNew({ pin: '2026-07-28' })],
];

export const connectModern: Connect = connectNew({ pin: '2026-07-28' });
