// The MCP endpoint of every Worker: /workers/:id/mcp, both protocol eras on one URL, no sessions.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { forbidden, missing } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import type { Journal } from '../store/journal.ts';
import { type Auth, type Credential, toCaller } from './auth.ts';
import type { McpRequest } from './mcp/answers.ts';
import { createCalls } from './mcp/calls.ts';
import type { McpHandlersDeps } from './mcp/handlers.ts';
import { parse, takeOddArguments } from './mcp/odd-arguments.ts';

export type McpDeps = McpHandlersDeps & {
  auth: Auth;
  /** How often a client that listens is asked whether its token still holds. */
  keepAliveMs?: number;
};

const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** What still runs this long after the daemon began to stop is broken off. */
const STOP_PATIENCE_MS = 3_000;
const RECHECK_MS = 15_000;

type Params = { id: string };

export function mcpRoutes(app: FastifyInstance, deps: McpDeps): void {
  const { auth, journal } = deps;
  const calls = createCalls();
  // The SDK is loaded with the first request: it takes as long as half of everything else, and 12 MB.
  let loading: ReturnType<typeof loadServing> | undefined;
  const serving = () => {
    loading ??= loadServing(deps);
    return loading;
  };
  const credentials = new WeakMap<FastifyRequest, Credential>();
  /** A token that is revoked, or whose activation ends, listens no more. */
  const endWithToken = (request: FastifyRequest, gone: AbortController): void => {
    const recheck = () => {
      if (!holds(auth, request)) gone.abort();
    };
    const timer = setInterval(recheck, deps.keepAliveMs ?? RECHECK_MS).unref();
    gone.signal.addEventListener('abort', () => clearInterval(timer));
  };
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
        const { plainPath, handlers } = await serving();
        const plain = await plainPath.answer(request.headers, body.value, {
          now: () => toCaller(credential, 'mcp'),
          waiting(id) {
            const call = calls.begin(credential, id, whenGone(reply).signal);
            return { caller: toCaller(credential, 'mcp', call.signal), call };
          },
        });
        // Who cancels hears nothing more of the call.
        if (plain === '') return reply.header('content-type', 'text/event-stream').send('');
        if (plain !== undefined) return reply.header('content-type', 'application/json').send(Buffer.from(plain));
        const oddArguments = takeOddArguments(body.value);
        const mcpRequest: McpRequest = {
          workerId: credential.workerId,
          method: methodOf(body.value),
          oddArguments,
          caller(id, signal) {
            const call = calls.begin(credential, id, signal);
            return { caller: toCaller(credential, 'mcp', call.signal), done: call.done };
          },
        };
        const gone = whenGone(reply);
        if (mcpRequest.method === 'subscriptions/listen') endWithToken(request, gone);
        const response = await handlers.of(credential.workerId).fetch(toWebRequest(request, gone.signal), {
          authInfo: { token: '', clientId: credential.workerId, scopes: [], extra: { mcpRequest } },
          ...(body.value === undefined ? {} : { parsedBody: body.value }),
        });
        return reply.send(response);
      },
    });
  });
  app.addHook('preClose', async () => {
    await calls.settled(STOP_PATIENCE_MS);
    (await loading)?.handlers.closeAll();
  });
}

async function loadServing(deps: McpHandlersDeps) {
  const [{ createHandlers }, { createPlainPath }, { identityOf }] = await Promise.all([
    import('./mcp/handlers.ts'),
    import('./mcp/plain-path.ts'),
    import('./mcp/server.ts'),
  ]);
  return { handlers: createHandlers(deps), plainPath: createPlainPath(deps.door, identityOf(deps)) };
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

const isJson = (contentType: string | null | undefined): boolean =>
  /^application\/json\s*(;|$)/i.test(contentType ?? '');

function methodOf(body: unknown): string | undefined {
  const { method } = (body ?? {}) as { method?: unknown };
  return typeof method === 'string' ? method : undefined;
}

function parseError(reply: FastifyReply): FastifyReply {
  const error = { code: -32700, message: 'Parse error: the body is not valid JSON' };
  return reply.code(400).send({ jsonrpc: '2.0', error, id: null });
}

function holds(auth: Auth, request: FastifyRequest): boolean {
  try {
    auth.bearer(request);
    return true;
  } catch {
    return false;
  }
}

/** Aborted when the connection has closed. */
function whenGone(reply: FastifyReply): AbortController {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.on('close', () => gone.abort());
  return gone;
}

/** The request as the SDK takes it, without its body, which is parsed already. */
function toWebRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one);
  }
  return new Request(`http://localhost${request.url}`, { method: request.method, headers, signal });
}
