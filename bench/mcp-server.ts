// The server that bench/mcp.ts measures, in a process of its own: our endpoint, and on the same Fastify the same calls behind
// JSON-RPC written by hand: what is left of a call when the protocol costs nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChatParts } from '../src/cli/chat-parts.ts';
import { openCore } from '../src/cli/core.ts';
import { dataPaths } from '../src/cli/data-dir.ts';
import { ensureOwner } from '../src/cli/owner.ts';
import { createPageParts } from '../src/cli/page-parts.ts';
import { createActivationTokens } from '../src/dispatch/memory-tokens.ts';
import { OWNER } from '../src/domain/ids.ts';
import { createApp } from '../src/http/app.ts';
import { createAuth, toCaller } from '../src/http/auth.ts';
import { toCallResult, toolView } from '../src/http/mcp/tools.ts';
import { createToolDoor } from '../src/tools/call-tool.ts';
import { catalog } from '../src/tools/catalog.ts';
import { transports } from '../src/transports/catalog.ts';

const directory = mkdtempSync(join(tmpdir(), 'helix-bench-'));
let url = '';
const core = openCore({ paths: dataPaths({ dataDir: directory }, {}), url: () => url, publicUrl: () => url });
await ensureOwner(core);
const lifecycle = {
  isDelivering: () => false,
  folderOf: () => '',
  interrupt: async () => false,
  dismiss: async () => {},
};
const toolDeps = core.toolDeps(lifecycle, () => 'idle');
const door = createToolDoor(catalog, toolDeps, (_reference, error) => console.error(error));
const agent = { kind: 'none', check: async () => ({ ok: true as const }) };
const pages = createPageParts({
  core,
  toolDeps,
  agent,
  dispatcher: { stalled: () => undefined },
  url: () => url,
  publicUrl: () => url,
  startedAt: '',
});
const activationTokens = createActivationTokens();
const chats = createChatParts(core);
const quiet = { error: console.error, warn: () => {} };
const app = createApp({
  ...core,
  ...pages,
  door,
  activationTokens,
  ...chats,
  transports,
  control: {},
  log: quiet,
  version: 'bench',
  stateOf: () => 'idle',
  waitingOf: () => 0,
  isStopping: () => false,
  allowedHosts: () => [],
  publicHost: () => undefined,
});

const auth = createAuth({ ...core, ...chats, activationTokens });
app.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  scope.post('/by-hand', async (request, reply) => {
    const credential = auth.bearer(request);
    const { id, method, params } = JSON.parse(String(request.body));
    const caller = toCaller(credential, 'mcp', new AbortController().signal);
    const result =
      method === 'tools/list'
        ? { tools: door.granted(credential.workerId).map((tool) => toolView(tool, door)) }
        : toCallResult(params.name, await door.call(caller, params.name, params.arguments));
    return reply.type('application/json').send(JSON.stringify({ jsonrpc: '2.0', id, result }));
  });
});

const as = { via: 'cli', workerId: OWNER } as const;
await door.call(as, 'create_stream', { id: 's-bench', name: 'Bench' });
await door.call(as, 'create_role', { id: 'r-bench', content: '# Role: Bench' });
await door.call(as, 'create_position', { id: 'p-bench', roleId: 'r-bench', parentId: 'p-root' });
const grants = ['publish', 'get_role', 'read_events', 'dm', 'subscribe', 'list_streams'];
await door.call(as, 'hire_worker', { id: 'w-bench', positionId: 'p-bench', kind: 'ai', identityContent: 'x', grants });

await app.listen({ port: 0, host: '127.0.0.1' });
url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
const token = (workerId: string) => core.tokens.create({ workerId, label: 'bench' }).token;
process.send?.({ url, owner: token(OWNER), worker: token('w-bench') });

const session = new Session();
session.connect();
process.on('message', async (message) => {
  if (message === 'profile') {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    process.send?.('profiling');
  } else if (message === 'profiled') {
    process.send?.((await session.post('Profiler.stop')).profile);
  } else {
    await app.close();
    core.close();
    rmSync(directory, { recursive: true });
    process.disconnect();
  }
});
