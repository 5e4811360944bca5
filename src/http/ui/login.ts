// How a browser gets a session: a link that is opened once, or a token.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Tokens } from '../../store/tokens.ts';
import { type Auth, SESSION_COOKIE } from '../auth.ts';
import { allowOnly } from '../refusal.ts';
import { acceptForms, fieldsOf, foreignForm, isOverTls, pathBack, refuseForeign } from './forms.ts';
import { themeOf } from './frame.ts';
import type { Pages } from './pages.ts';
import { isOwnForm, type VisitDeps, visitOf } from './visit.ts';

const LINK_MS = 15 * 60_000;
const SESSION_MS = 30 * 24 * 3_600_000;

/** A link that signs a browser in as this Worker, once, within 15 minutes. */
export function createLoginLink(tokens: Tokens, workerId: string, baseUrl: string): string {
  const { token } = tokens.create({ workerId, kind: 'login', label: 'login link', lifetimeMs: LINK_MS });
  return `${baseUrl.replace(/\/$/, '')}/login?code=${token}`;
}

export type LoginDeps = VisitDeps & { auth: Auth; tokens: Tokens; pages: Pages };

/** Opening the link shows a button and no more, so that whatever previews links does not use it up. */
export function loginRoutes(app: FastifyInstance, deps: LoginDeps): void {
  const { auth, tokens, pages } = deps;
  app.register(async (scope) => {
    acceptForms(scope);
    scope.get<{ Querystring: { code?: string } }>('/login', async (request, reply) => {
      const { code } = request.query;
      return typeof code === 'string' && code !== ''
        ? pages.send(reply, 200, 'login', { code, theme: themeOf({ request }) })
        : refuse(request, reply, {
            status: 200,
            heading: 'Sign in',
            sentence: 'These pages are for the people of this org.',
          });
    });
    scope.post('/login', { onRequest: refuseForeign }, async (request, reply) => {
      const fields = fieldsOf(request.body);
      const token = fields.get('token').trim();
      const identity = token === '' ? useCode(fields.get('code')) : tokens.verify(token, 'token');
      if (!identity || !auth.isEmployed(identity.workerId)) {
        const [heading, sentence] = token === '' ? USED : UNKNOWN;
        return refuse(request, reply, { status: 401, heading, sentence });
      }
      const { workerId, onBehalfOf } = identity;
      const lifetimeMs = Math.min(SESSION_MS, token === '' ? SESSION_MS : tokens.remainingMs(identity.tokenId));
      const session = tokens.create({
        workerId,
        kind: 'session',
        label: browserOf(request),
        lifetimeMs,
        ...(onBehalfOf ? { onBehalfOf } : {}),
      });
      return reply
        .header('set-cookie', cookie(request, session.token, Math.ceil(lifetimeMs / 1_000)))
        .redirect(pathBack(fields.get('to'), '/ui/'), 303);
    });
    scope.post('/logout', { onRequest: refuseForeign }, async (request, reply) => {
      const visit = visitOf(request, deps);
      if (visit && !isOwnForm(visit, fieldsOf(request.body).get('csrf'))) throw foreignForm();
      if (visit) tokens.revoke(visit.credential.id);
      return reply.header('set-cookie', cookie(request, '', 0)).redirect('/ui/', 303);
    });
    allowOnly(scope, '/login', ['GET', 'POST']);
    allowOnly(scope, '/logout', ['POST']);
  });

  /** Looked up and used up in one turn, so that of two who come at once one is too late. */
  function useCode(code: string) {
    const identity = tokens.verify(code, 'login');
    if (identity) tokens.revoke(identity.tokenId);
    return identity;
  }

  function refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    { status, ...said }: { status: number; heading: string; sentence: string },
  ): FastifyReply {
    return pages.send(reply, status, 'signed-out', { ...said, theme: themeOf({ request }) });
  }
}

const USED = ['This link does not work', 'It was used already, or it is older than 15 minutes.'] as const;
const UNKNOWN = ['This token does not work', 'It is not known here, or it has ended.'] as const;

const BROWSERS = [
  ['Edge', /\bEdg/],
  ['Opera', /\bOPR\//],
  ['Firefox', /\bFirefox\//],
  ['Chrome', /\bChrom(e|ium)\//],
  ['Safari', /\bSafari\//],
] as const;
const SYSTEMS = [
  ['Android', /Android/],
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Windows', /Windows/],
  ['Mac', /Macintosh/],
  ['Linux', /Linux/],
] as const;

/** Enough to know one's own session again in a list. */
function browserOf({ headers }: FastifyRequest): string {
  const agent = headers['user-agent'] ?? '';
  const nameIn = (known: readonly (readonly [string, RegExp])[]) =>
    known.find(([, pattern]) => pattern.test(agent))?.[0];
  const [browser, system] = [nameIn(BROWSERS), nameIn(SYSTEMS)];
  return [browser ?? 'browser session', ...(browser && system ? [`on ${system}`] : [])].join(' ');
}

function cookie(request: FastifyRequest, value: string, maxAge: number): string {
  const secure = isOverTls(request) ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}
