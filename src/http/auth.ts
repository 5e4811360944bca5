// Who calls: what a credential says, never what a URL says.
import type { FastifyRequest } from 'fastify';
import type { ActivationTokens, ChatTokens } from '../dispatch/memory-tokens.ts';
import type { Cause, Via } from '../domain/entry.ts';
import type { Journal } from '../store/journal.ts';
import { logContext } from '../store/log-context.ts';
import type { Tokens } from '../store/tokens.ts';
import type { Caller } from '../tools/define-tool.ts';
import { unauthorized } from './refusal.ts';

/** What a request's credential proved. */
export type Credential = {
  workerId: string;
  onBehalfOf?: string;
  cause?: Cause;
  /** The door it is for, where it is for one only. */
  via?: Via;
  /** Names the credential without being it: the id of a stored token, or of the activation whose token it is. */
  id: string;
};

export type Auth = {
  /** @throws Refusal 401 without a token that holds */
  bearer(request: FastifyRequest): Credential;
  /** The session of the page's cookie. */
  session(request: FastifyRequest): Credential | undefined;
  /** A credential of a Worker who was fired holds no more. */
  isEmployed(workerId: string): boolean;
  /** The token's, where one is sent, else the session's. @throws Refusal 401 */
  either(request: FastifyRequest): Credential;
};

export type AuthDeps = {
  journal: Pick<Journal, 'org'>;
  tokens: Tokens;
  activationTokens: ActivationTokens;
  chatTokens: ChatTokens;
};

export const SESSION_COOKIE = 'helix_session';

/** A credential of a Worker who was fired holds no more, whatever its own dates say. */
export function createAuth({ journal, tokens, activationTokens, chatTokens }: AuthDeps): Auth {
  const isEmployed = (workerId: string) => journal.org.workers.get(workerId)?.firedAt === null;

  function ofToken(token: string): Credential | undefined {
    const running = activationTokens.verify(token);
    if (running) return { workerId: running.workerId, cause: running.cause, id: running.activationId };
    const chatting = chatTokens.verify(token);
    if (chatting) return { ...chatting, via: 'chat' };
    const terminal = stored(token, 'chat');
    return terminal ? { ...terminal, via: 'chat' } : stored(token, 'token');
  }

  function stored(token: string, kind: 'token' | 'session' | 'chat'): Credential | undefined {
    const identity = tokens.verify(token, kind);
    if (!identity) return undefined;
    const { workerId, onBehalfOf, tokenId } = identity;
    return { workerId, ...(onBehalfOf ? { onBehalfOf } : {}), id: tokenId };
  }

  function bearer({ headers }: FastifyRequest): Credential {
    const token = /^bearer +([\w.~+/=-]+) *$/i.exec(headers.authorization ?? '')?.[1];
    const credential = token === undefined ? undefined : ofToken(token);
    if (!credential || !isEmployed(credential.workerId)) throw unauthorized();
    noteCaller(credential);
    return credential;
  }

  function session(request: FastifyRequest): Credential | undefined {
    const token = cookieOf(request, SESSION_COOKIE);
    const credential = token === undefined ? undefined : stored(token, 'session');
    return credential && isEmployed(credential.workerId) ? credential : undefined;
  }

  return {
    bearer,
    session,
    isEmployed,
    either(request) {
      const credential = request.headers.authorization === undefined ? session(request) : bearer(request);
      if (!credential) throw unauthorized();
      return credential;
    },
  };
}

/** From here on the log says who it was, and in which run. */
function noteCaller({ workerId, cause }: Credential): void {
  const context = logContext();
  if (!context) return;
  context.workerId = workerId;
  if (cause?.activationId) context.activationId = cause.activationId;
}

/** The caller of a tool. @param via the door, unless the credential names another */
export function toCaller({ id: _, ...credential }: Credential, via: Via, signal?: AbortSignal): Caller {
  return { via, ...credential, ...(signal ? { signal } : {}) };
}

export function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  if (headers.cookie === undefined) return undefined;
  for (const pair of headers.cookie.split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}
