// The MCP endpoint of every Worker: /workers/:id/mcp, both protocol eras on one URL, no sessions.
import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { forbidden, missing } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import type { Journal } from '../store/journal.ts';
import { type Auth, type Credential, toCaller } from './auth.ts';
import { createMcpServers, type McpRequest, type McpServerDeps } from './mcp-server.ts';
import type { Log } from './refusal.ts';

export type McpDeps = McpServerDeps & { auth: Auth; journal: Journal; log: Log };

const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** What still runs this long after the daemon began to stop is broken off. */
const STOP_PATIENCE_MS = 3_000;

type Params = { id: string };

export function mcpRoutes(app: FastifyInstance, deps: McpDeps): void {
  const { auth, journal } = deps;
  const handlers = createHandlers(deps);
  const calls = createCalls();
  const credentials = new WeakMap<FastifyRequest, Credential>();
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) =>
      done(null, body),
    );
    scope.route<{ Params: Params }>({
      method: ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'],
      url: '/workers/:id/mcp',
      // Before the body is read: strangers do not get to send one.
      onRequest: async (request) => void credentials.set(request, admit(auth, journal, request)),
      async handler(request, reply) {
        const credential = credentials.get(request) as Credential;
        const body =
          request.method === 'POST' && isJson(request.headers['content-type'])
            ? parse(request.body)
            : { value: undefined };
        if (!body) return parseError(reply);
        if (calls.cancelled(credential, body.value)) return reply.code(202).send();
        const oddArguments = takeOddArguments(body.value);
        const mcpRequest: McpRequest = {
          workerId: credential.workerId,
          oddArguments,
          caller(id, signal) {
            const call = calls.begin(credential, id, signal);
            return { caller: toCaller(credential, 'mcp', call.signal), done: call.done };
          },
        };
        const response = await handlers.of(credential.workerId).fetch(toWebRequest(request, reply), {
          authInfo: { token: '', clientId: credential.workerId, scopes: [], extra: { mcpRequest } },
          ...(body.value === undefined ? {} : { parsedBody: body.value }),
        });
        return reply.send(response);
      },
    });
  });
  app.addHook('preClose', async () => {
    await calls.settled(STOP_PATIENCE_MS);
    handlers.closeAll();
  });
}

/** @throws Refusal 401, OrgError forbidden or not_found */
function admit(auth: Auth, { org }: Journal, request: FastifyRequest<{ Params: Params }>): Credential {
  const credential = auth.bearer(request);
  const { id } = request.params;
  if (credential.workerId === id) return credential;
  if (credential.workerId === OWNER && !org.workers.has(id)) {
    const employed = [...org.workers].flatMap(([workerId, { firedAt }]) => (firedAt === null ? [workerId] : []));
    throw missing('worker', id.slice(0, 100), employed, 'list_workers');
  }
  throw forbidden(`This token is ${credential.workerId}'s; its endpoint is /workers/${credential.workerId}/mcp.`);
}

/** One protocol handler per Worker, so that a change of its grants reaches the clients that listen, and nobody else. */
function createHandlers(deps: McpDeps) {
  const handlers = new Map<string, McpHttpHandler>();
  const serverFor = createMcpServers(deps);
  const onerror = (error: Error) => deps.log.warn({ err: error }, 'an MCP request was refused');
  deps.journal.onCommit((entries) => {
    const changed = new Set<string>();
    for (const { event } of entries) {
      if (event.type === 'ToolGranted' || event.type === 'ToolRevoked') changed.add(event.workerId);
      if (event.type === 'WorkerFired') close(event.workerId);
    }
    for (const workerId of changed) handlers.get(workerId)?.notify.toolsChanged();
  });
  const close = (workerId: string): void => {
    void handlers.get(workerId)?.close();
    handlers.delete(workerId);
  };
  return {
    of(workerId: string): McpHttpHandler {
      const known = handlers.get(workerId);
      if (known) return known;
      const made = createMcpHandler(({ authInfo }) => serverFor(authInfo?.extra?.mcpRequest as McpRequest), {
        onerror,
      });
      handlers.set(workerId, made);
      return made;
    },
    closeAll(): void {
      for (const workerId of [...handlers.keys()]) close(workerId);
    },
  };
}

/**
 * Calls that run now. Clients of the 2025 protocol cancel by a request of its own, which meets another server here, so the
 * endpoint knows what runs. Without sessions two clients with one token may use the same id; then neither is cancelled.
 */
function createCalls() {
  const running = new Map<string, Set<AbortController>>();
  let onSettled = () => {};
  const keyOf = (credential: Credential, id: unknown) => `${credential.id} ${typeof id} ${String(id)}`;
  return {
    begin(credential: Credential, id: string | number, signal: AbortSignal) {
      const key = keyOf(credential, id);
      const controller = new AbortController();
      const same = running.get(key) ?? new Set();
      running.set(key, same.add(controller));
      const done = () => {
        same.delete(controller);
        if (same.size === 0) running.delete(key);
        if (running.size === 0) onSettled();
      };
      return { signal: AbortSignal.any([signal, controller.signal]), done };
    },
    /** Whether this message cancels a call; if so, it is done. */
    cancelled(credential: Credential, message: unknown): boolean {
      const { method, id, params } = (message ?? {}) as {
        method?: unknown;
        id?: unknown;
        params?: { requestId?: unknown };
      };
      if (method !== 'notifications/cancelled' || id !== undefined) return false;
      const same = running.get(keyOf(credential, params?.requestId));
      if (same?.size === 1) for (const controller of same) controller.abort();
      return true;
    },
    /** Resolves when none runs, or the time is up. */
    settled: (timeoutMs: number) =>
      new Promise<void>((resolve) => {
        if (running.size === 0) return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        onSettled = () => {
          clearTimeout(timer);
          // After the answers of this turn are on their way.
          setImmediate(resolve);
        };
      }),
  };
}

/** Takes `arguments` that are no object out of the messages, and leaves none, so that the tool door words the refusal. */
function takeOddArguments(body: unknown): Map<string | number, unknown> {
  const odd = new Map<string | number, unknown>();
  for (const message of Array.isArray(body) ? body : [body]) {
    const { method, id, params } = (message ?? {}) as { method?: unknown; id?: unknown; params?: unknown };
    if (method !== 'tools/call' || typeof params !== 'object' || params === null || !('arguments' in params)) continue;
    const given = params.arguments;
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) continue;
    delete params.arguments;
    if (given !== null && (typeof id === 'string' || typeof id === 'number')) odd.set(id, objectIn(given));
  }
  return odd;
}

/** Models sometimes send an object as the JSON text of one. */
function objectIn(given: unknown): unknown {
  return typeof given === 'string' ? (parse(given)?.value ?? given) : given;
}

function parse(text: unknown): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(String(text)) };
  } catch {
    return undefined;
  }
}

const isJson = (contentType: string | null | undefined): boolean =>
  /^application\/json\s*(;|$)/i.test(contentType ?? '');

function parseError(reply: FastifyReply): FastifyReply {
  const error = { code: -32700, message: 'Parse error: the body is not valid JSON' };
  return reply.code(400).send({ jsonrpc: '2.0', error, id: null });
}

/** The request as the SDK takes it, without its body, which is parsed already; its signal tells when the client is gone. */
function toWebRequest(request: FastifyRequest, reply: FastifyReply): Request {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one);
  }
  return new Request(`http://localhost${request.url}`, { method: request.method, headers, signal: gone.signal });
}
