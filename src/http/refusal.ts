// What a request is answered when it is not served: one sentence of text/plain, and the status that says of what kind.
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OrgError, type OrgErrorCode } from '../domain/errors.ts';
import { isUnavailable } from '../store/disk-errors.ts';

/** Where failures that are nobody's fault but ours are written down. */
export type Log = {
  error(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  debug?(fields: Record<string, unknown>, message: string): void;
};

/** A refusal of HTTP itself; the org's own are OrgErrors. The message is shown to the caller. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.headers = headers;
  }
}

/** No credential, or none that holds. It does not say which, so that nothing can be tried out. */
export const unauthorized = (): Refusal =>
  new Refusal(401, 'Send the token of a Worker as `Authorization: Bearer …`; `helix-org token create` makes one.', {
    'www-authenticate': 'Bearer realm="helix-org"',
  });

const STATUS: Record<OrgErrorCode, number> = { invalid: 400, not_found: 404, conflict: 409, forbidden: 403 };

/** What to say instead of Fastify's own words, by its error code. */
const SENTENCES: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too large.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'This Content-Type is not understood here.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not valid JSON.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says.',
};

/** Makes every failure of every route one sentence; what we did not foresee is logged, once, under a reference. */
export function answerRefusals(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((request, reply) => say(reply, 404, `There is nothing at ${pathOf(request)}.`));
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof Refusal) return say(reply.headers(error.headers), error.status, error.message);
    if (error instanceof OrgError) return say(reply, STATUS[error.code], error.message);
    const { statusCode = 500, code = '' } = error as { statusCode?: number; code?: string };
    if (statusCode < 500) return say(reply, statusCode, SENTENCES[code] ?? 'The request is not understood.');
    const reference = randomUUID().slice(0, 8);
    log.error({ err: error, reference, method: request.method, route: request.routeOptions.url }, 'a request failed');
    if (isUnavailable(error))
      return say(reply, 503, `The database cannot be written now (ref ${reference}); try again later.`);
    return say(reply, 500, `Internal error (ref ${reference}); the daemon's log says more.`);
  });
}

/** Answers every other method of a path with 405, before a body is read. */
export function allowOnly(app: FastifyInstance, url: string, allowed: readonly string[], config: object = {}): void {
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((method) => !allowed.includes(method));
  const allow = allowed.includes('GET') ? [...allowed, 'HEAD'].join(', ') : allowed.join(', ');
  const refuse = () => {
    throw new Refusal(405, `Use ${allowed.join(' or ')} here.`, { allow });
  };
  app.route({ method: others, url, config, onRequest: async () => refuse(), handler: refuse });
}

/** Answers with one sentence. */
export function say(reply: FastifyReply, status: number, sentence: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${sentence}\n`);
}

const pathOf = (request: FastifyRequest): string => (request.url.split('?')[0] ?? '').slice(0, 100);
