// The HTTP server: every route, and what holds for all of them.
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { ActivationTokens, ChatTokens } from '../dispatch/memory-tokens.ts';
import type { Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import type { Tokens } from '../store/tokens.ts';
import type { ToolDoor } from '../tools/call-tool.ts';
import type { Waits } from '../tools/waits.ts';
import type { Transport } from '../transports/transport.ts';
import { createAuth } from './auth.ts';
import { type ControlCommands, controlRoutes } from './control.ts';
import { feedRoutes } from './feed.ts';
import { guardHosts, type HostDeps } from './host-guard.ts';
import { inboundRoutes } from './inbound.ts';
import type { McpServerDeps } from './mcp/server.ts';
import { mcpRoutes } from './mcp.ts';
import { type ProbeDeps, probeRoutes } from './probes.ts';
import { limitRates } from './rate-limits.ts';
import { answerRefusals, type Log, say } from './refusal.ts';
import { noteRequests, type RequestLogDeps } from './request-log.ts';
import { staticRoutes } from './ui/assets.ts';
import { loginRoutes } from './ui/login.ts';
import { createPages } from './ui/pages.ts';
import { type UiDeps, uiRoutes } from './ui/routes.ts';

export type AppDeps = HostDeps &
  Pick<ProbeDeps, 'isStopping' | 'notReady' | 'figures'> &
  Pick<RequestLogDeps, 'onAnswered'> &
  Pick<McpServerDeps, 'prompts' | 'folders' | 'mcpAnswers'> &
  Pick<UiDeps, 'agentSeen' | 'checkAgent' | 'facts' | 'folderOf' | 'publicUrl' | 'settingRegistry'> &
  Pick<UiDeps, 'chatting' | 'chats' | 'seats' | 'offers' | 'sessions' | 'stalled' | 'transportInfos' | 'verify'> & {
    door: ToolDoor;
    journal: Journal;
    queries: Queries;
    settings: Settings;
    tokens: Tokens;
    activationTokens: ActivationTokens;
    chatTokens: ChatTokens;
    waits: Waits;
    transports: ReadonlyMap<string, Transport>;
    control: ControlCommands;
    log: Log;
    version: string;
    /** What a Worker is doing: running, waiting, idle, paused. */
    stateOf(workerId: string): string;
    /** How many triggers wait for a Worker, counted no further than it takes to say "many". */
    waitingOf(workerId: string): number;
    /** Proxies whose X-Forwarded-For holds, as Fastify's `trustProxy` takes them. */
    trustProxy?: string;
    /** How long a request may take to arrive, and how long nothing may be taken of an answer. */
    patience?: typeof PATIENCE;
    /** Of the feed's comments on quiet connections. */
    keepAliveMs?: number;
  };

/** `everyMs` is how often it is looked for requests that take too long. */
const PATIENCE = { requestMs: 30_000, headersMs: 10_000, everyMs: 5_000, takeMs: 60_000 };
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** What is still open this long after the daemon began to stop is cut off. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Longer than any id, so that a wrong one is answered by its route. */
const PARAM_LENGTH_MAX = 250;

/** No route has a schema for Fastify, so the compilers of schemas (Ajv and others, 10 MB) need not be loaded. */
const NO_SCHEMAS = { buildValidator: schemaRefused, buildSerializer: schemaRefused };

function schemaRefused(): never {
  throw new Error('Routes check what they are sent with zod; a schema of Fastify would not be looked at.');
}

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

/** Every route of the daemon; `listen` it, and `close` it before what it was given. */
export function createApp(deps: AppDeps): FastifyInstance {
  const { patience = PATIENCE, trustProxy = false } = deps;
  const app = fastify({
    logger: false,
    trustProxy,
    // Fastify's own default is none.
    requestTimeout: patience.requestMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { headersTimeout: patience.headersMs, connectionsCheckingInterval: patience.everyMs },
    schemaController: { compilersFactory: NO_SCHEMAS },
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    frameworkErrors: (_error, _request, reply) =>
      void say(reply as FastifyReply, 400, 'The request is not understood.'),
  });
  // Hooks of every request call back: a promise for each of them would cost more than what they do.
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
  cutSlowReaders(app, patience.takeMs);
  noteRequests(app, deps);
  guardHosts(app, deps);
  limitRates(app, deps);
  answerRefusals(app, deps.log);
  // A body that no route asked for is not read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  const shared = { ...deps, auth: createAuth(deps), pages: createPages() };
  // First, since what closes after it waits for the calls that this ends.
  endLongRequests(app, deps.waits);
  probeRoutes(app, shared);
  inboundRoutes(app, deps);
  mcpRoutes(app, shared);
  feedRoutes(app, shared);
  controlRoutes(app, shared);
  loginRoutes(app, shared);
  uiRoutes(app, shared);
  staticRoutes(app);
  return app;
}

/** An answer that has nothing to say yet may take its time; one of which nothing is taken holds memory for nobody. */
function cutSlowReaders(app: FastifyInstance, takeMs: number): void {
  app.addHook('onRequest', ({ raw: { socket } }, { raw }, done) => {
    raw.setTimeout(takeMs, () => {
      if (socket.writableLength > 0) socket.destroy();
    });
    done();
  });
}

/**
 * Closing waits for requests under way, so those that wait for something are answered now, and stuck ones cut off later.
 * Connections that have not asked for anything yet, as browsers open ahead of need, would count as under way.
 */
function endLongRequests(app: FastifyInstance, waits: Waits): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }) => silent.delete(socket));
  app.addHook('preClose', async () => {
    waits.releaseAll();
    for (const socket of silent) socket.destroy();
    setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT_MS).unref();
  });
}
