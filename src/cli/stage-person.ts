// Somebody else than the owner in a demo: their tools over MCP, and the pages as they see them.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export type Person = {
  /** Calls a tool as this Worker. @throws Error with the tool's refusal */
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** A page of the daemon, as HTML. @throws Error when it is refused */
  page(path: string): Promise<string>;
};

export type Mcp = { call: Person['call']; close(): Promise<void> };

/** @param token of the Worker, as `helix-org token create` gives it */
export async function connectPerson(where: { url: string; workerId: string; token: string }): Promise<Person & Mcp> {
  const { call, close } = await connectMcp(where);
  const signedIn = await fetch(`${where.url}/login`, {
    method: 'POST',
    headers: { Origin: where.url },
    body: new URLSearchParams({ token: where.token }),
    redirect: 'manual',
  });
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`signing ${where.workerId} in answered ${signedIn.status}`);
  return {
    call,
    close,
    async page(path) {
      const response = await fetch(where.url + path, { headers: { cookie } });
      if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`);
      return response.text();
    },
  };
}

export async function connectMcp({
  url,
  workerId,
  token,
}: {
  url: string;
  workerId: string;
  token: string;
}): Promise<Mcp> {
  const client = new Client({ name: 'helix-org-demo', version: '1.0.0' });
  const headers = { Authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/workers/${workerId}/mcp`), { requestInit: { headers } }),
  );
  return {
    close: () => client.close(),
    async call(tool, args) {
      const result = await client.callTool({ name: tool, arguments: args });
      const [first] = result.content as { text?: string }[];
      if (result.isError) throw new Error(`${tool}: ${first?.text}`);
      return JSON.parse(first?.text ?? '{}') as Record<string, unknown>;
    },
  };
}
