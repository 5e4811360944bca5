// Who asks for a page or sends a form: what their session proved, and what follows from it.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { OWNER } from '../../domain/ids.ts';
import { mayRead } from '../../domain/may-read.ts';
import type { Journal } from '../../store/journal.ts';
import { type Auth, type Credential, cookieOf, SESSION_COOKIE } from '../auth.ts';

export type Visit = {
  request: FastifyRequest;
  credential: Credential;
  workerId: string;
  isOwner: boolean;
  /** Htmx asks for a part of a page. */
  isFragment: boolean;
  /** Goes into every form of this session and comes back with it. */
  csrf: string;
  /** Parameters of the path and the query, as text; a repeated one counts once. */
  param(name: string): string;
  /** Whether a tool's form belongs on the page. The door checks again. */
  holds(tool: string): boolean;
  mayRead(streamId: string): boolean;
};

export type VisitDeps = { auth: Auth; journal: Pick<Journal, 'org'> };

/** A request for a part of a page. The answer must say `Vary: HX-Request`. */
export const isFragment = ({ headers }: FastifyRequest): boolean =>
  headers['hx-request'] === 'true' && headers['hx-history-restore-request'] !== 'true';

/** @returns undefined for somebody without a session */
export function visitOf(request: FastifyRequest, { auth, journal }: VisitDeps): Visit | undefined {
  const credential = auth.session(request);
  if (!credential) return undefined;
  const { workerId } = credential;
  const given = { ...(request.query as object), ...(request.params as object) } as Record<string, unknown>;
  return {
    request,
    credential,
    workerId,
    isOwner: workerId === OWNER,
    isFragment: isFragment(request),
    csrf: csrfOf(cookieOf(request, SESSION_COOKIE) ?? ''),
    param(name) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      const first: unknown = Array.isArray(value) ? value[0] : value;
      return typeof first === 'string' ? first : '';
    },
    holds: (tool) => journal.org.grants.get(workerId)?.has(tool) === true,
    mayRead: (streamId) => mayRead(journal.org, workerId, streamId),
  };
}

/** Made of the session's secret, so it needs no store and outlives a restart; it does not reveal the secret. */
const csrfOf = (sessionToken: string): string =>
  createHash('sha256').update(`helix-org form\n${sessionToken}`).digest('base64url');

export function isOwnForm({ csrf }: Visit, given: string | null): boolean {
  const [expected, sent] = [Buffer.from(csrf), Buffer.from(given ?? '')];
  return expected.length === sent.length && timingSafeEqual(expected, sent);
}
