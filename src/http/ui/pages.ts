// Templates from templates/. Everything that is interpolated is escaped; markup we made ourselves is named as such there.
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { FastifyReply } from 'fastify';
import { asset } from './assets.ts';

export type Pages = {
  /** Answers with a page of `templates/pages`. */
  send(reply: FastifyReply, status: number, page: string, data: object): FastifyReply;
  /** Answers with HTML that is part of a page. */
  sendFragment(reply: FastifyReply, html: string): FastifyReply;
  /** A partial of `templates/partials`. */
  render(partial: string, data: object): string;
};

const folder = fileURLToPath(new URL('../../../templates/', import.meta.url));

/** Only our own files run, nothing is fetched from elsewhere, and a form goes back to us. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  // With `no-referrer` a browser sends forms with `Origin: null`, which says nothing about who sent them.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
  vary: 'HX-Request',
};

export function createPages(): Pages {
  const eta = new Eta({ views: folder, cache: true });
  return {
    send: (reply, status, page, data) =>
      reply
        .code(status)
        .headers(HEADERS)
        .send(eta.render(`./pages/${page}`, { ...data, asset })),
    sendFragment: (reply, html) => reply.headers(HEADERS).send(html),
    render: (partial, data) => eta.render(`./partials/${partial}`, data),
  };
}
