// How a browser gets a session: a link from the command line, opened once.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Tokens } from '../../store/tokens.ts';
import { type Auth, SESSION_COOKIE } from '../auth.ts';
import { isOwnOrigin } from '../host-guard.ts';
import { allowOnly, Refusal } from '../refusal.ts';
import type { Pages } from './pages.ts';

const LINK_MS = 15 * 60_000;
const SESSION_MS = 30 * 24 * 3_600_000;
const FORM_BYTES_MAX = 4_096;

/** A link that signs a browser in as this Worker, once, within 15 minutes. */
export function createLoginLink(tokens: Tokens, workerId: string, baseUrl: string): string {
  const { token } = tokens.create({ workerId, kind: 'login', label: 'login link', lifetimeMs: LINK_MS });
  return `${baseUrl.replace(/\/$/, '')}/login?code=${token}`;
}

export type LoginDeps = { auth: Auth; tokens: Tokens; pages: Pages };

/** Opening the link shows a button and no more, so that whatever previews links does not use it up. */
export function loginRoutes(app: FastifyInstance, { auth, tokens, pages }: LoginDeps): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    scope.get<{ Querystring: { code?: string } }>('/login', async ({ query: { code } }, reply) =>
      typeof code === 'string' && code !== '' ? pages.send(reply, 200, 'login', { code }) : signedOut(pages, reply),
    );
    scope.post('/login', { onRequest: async (request) => checkOrigin(request) }, async (request, reply) => {
      const code = request.body instanceof URLSearchParams ? (request.body.get('code') ?? '') : '';
      // Looked up and used up in one turn, so that of two who come at once one is too late.
      const identity = tokens.verify(code, 'login');
      if (!identity)
        return pages.send(reply, 401, 'signed-out', { heading: 'This link does not work', sentence: USED });
      tokens.revoke(identity.tokenId);
      const { workerId } = identity;
      const { token } = tokens.create({ workerId, kind: 'session', label: 'browser session', lifetimeMs: SESSION_MS });
      return reply.header('set-cookie', cookie(request, token, SESSION_MS / 1_000)).redirect('/ui', 303);
    });
    scope.post('/logout', { onRequest: async (request) => checkOrigin(request) }, async (request, reply) => {
      const session = auth.session(request);
      if (session) tokens.revoke(session.id);
      return reply.header('set-cookie', cookie(request, '', 0)).redirect('/ui', 303);
    });
    allowOnly(scope, '/login', ['GET', 'POST']);
    allowOnly(scope, '/logout', ['POST']);
  });
}

const USED = 'It was used already, or it is older than 15 minutes.';

/** What somebody without a session sees instead of a page. */
export const signedOut = (pages: Pages, reply: FastifyReply): FastifyReply =>
  pages.send(reply, 401, 'signed-out', {
    heading: 'You are not signed in',
    sentence: 'These pages are for people of this org.',
  });

function checkOrigin(request: FastifyRequest): void {
  if (!isOwnOrigin(request))
    throw new Refusal(403, 'This form was not sent by a page of this daemon; open the page again and retry.');
}

function cookie({ headers }: FastifyRequest, value: string, maxAge: number): string {
  const secure = headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}
