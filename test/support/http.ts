// A daemon's HTTP side on real data: everything but the dispatcher, which these tests do without.
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createChatParts } from '../../src/cli/chat-parts.ts';
import { type Core, openCore } from '../../src/cli/core.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { ensureOwner } from '../../src/cli/owner.ts';
import { createPageParts } from '../../src/cli/page-parts.ts';
import { type ActivationTokens, createActivationTokens } from '../../src/dispatch/memory-tokens.ts';
import { OWNER } from '../../src/domain/ids.ts';
import { type AppDeps, createApp } from '../../src/http/app.ts';
import { createToolDoor, type ToolDoor } from '../../src/tools/call-tool.ts';
import { catalog } from '../../src/tools/catalog.ts';
import type { Lifecycle } from '../../src/tools/define-tool.ts';
import { transports } from '../../src/transports/catalog.ts';

export type TestDaemon = {
  app: FastifyInstance;
  core: Core;
  door: ToolDoor;
  activationTokens: ActivationTokens;
  /** `http://127.0.0.1:PORT`. */
  url: string;
  /** What was logged: message, then fields. */
  logged: [string, Record<string, unknown>][];
  /** Calls a tool and gives its result. @throws Error when it is refused */
  call(tool: string, args?: object, workerId?: string): Promise<Record<string, unknown>>;
  /** A token of a Worker. */
  token(workerId?: string): string;
  /** A Worker of the given grants in a Position of its own, made by the owner. */
  hire(id: string, options?: { grants?: string[]; kind?: 'ai' | 'human' }): Promise<void>;
  /** Bodies of the Events on a Stream, oldest first. */
  bodies(streamId: string): string[];
  close(): Promise<void>;
};

export type TestOptions = Partial<Omit<AppDeps, 'door'>> & {
  /** Stands before the real one. */
  door?: (real: ToolDoor) => ToolDoor;
  listen?: { host: string };
  now?: () => Date;
};

const lifecycle: Lifecycle = {
  isDelivering: () => false,
  folderOf: (workerId) => join('folders', workerId),
  interrupt: async () => false,
  dismiss: async () => {},
};

export async function openTestDaemon({
  door: wrap = (real) => real,
  listen,
  now,
  ...given
}: TestOptions = {}): Promise<TestDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'helix-http-'));
  let url = '';
  const core = openCore({
    paths: dataPaths({ dataDir: directory }, {}),
    durability: 'normal',
    url: () => url,
    publicUrl: () => url,
    ...(now ? { now } : {}),
  });
  await ensureOwner(core);
  const logged: TestDaemon['logged'] = [];
  const activationTokens = createActivationTokens();
  const note = (fields: Record<string, unknown>, message: string) => void logged.push([message, fields]);
  const toolDeps = core.toolDeps(lifecycle, () => 'idle');
  const agent = { kind: 'command', check: async () => ({ ok: true as const }) };
  const pages = createPageParts({
    core,
    toolDeps,
    agent,
    dispatcher: { stalled: () => undefined },
    url: () => url,
    publicUrl: () => url,
    startedAt: '',
  });
  const door = wrap(
    createToolDoor(catalog, toolDeps, (reference, error) => logged.push(['bug', { reference, error }])),
  );
  const app = createApp({
    ...core,
    ...pages,
    ...createChatParts(core),
    door,
    activationTokens,
    transports,
    control: {},
    log: { error: note, warn: note },
    version: '0.0.0-test',
    stateOf: () => 'idle',
    waitingOf: () => 0,
    isStopping: () => false,
    allowedHosts: () => [],
    publicHost: () => undefined,
    ...given,
  });
  await app.listen({ port: 0, host: listen?.host ?? '127.0.0.1' });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

  const call: TestDaemon['call'] = async (tool, args = {}, workerId = OWNER) => {
    const outcome = await door.call({ workerId, via: 'mcp' }, tool, args);
    if (outcome.kind !== 'ok')
      throw new Error(`${tool}: ${outcome.kind === 'refused' ? outcome.message : 'unknown tool'}`);
    return outcome.result;
  };
  return {
    app,
    core,
    door,
    activationTokens,
    url,
    logged,
    call,
    token: (workerId = OWNER) => core.tokens.create({ workerId, label: 'test' }).token,
    async hire(id, { grants = [], kind = 'ai' } = {}) {
      const name = id.slice(2);
      await call('create_role', { id: `r-${name}`, content: `# Role: ${name}` });
      await call('create_position', { id: `p-${name}`, roleId: `r-${name}`, parentId: 'p-root' });
      await call('hire_worker', { id, positionId: `p-${name}`, kind, identityContent: name, grants });
    },
    bodies: (streamId) =>
      core.queries
        .events([streamId], { limit: 1_000 })
        .map(({ body }) => body)
        .reverse(),
    async close() {
      await app.close();
      core.close();
      rmSync(directory, { recursive: true });
    },
  };
}
