// Templates and the few files they link to, from templates/. Everything that is interpolated is escaped.
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { allowOnly } from '../refusal.ts';

export type Pages = {
  /** Answers with a page of `templates/pages`. */
  send(reply: FastifyReply, status: number, page: string, data: object): FastifyReply;
};

const folder = fileURLToPath(new URL('../../../templates/', import.meta.url));

const TYPES: Record<string, string> = { '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };

/** Nothing runs in a page and nothing is fetched from elsewhere; a form goes back to us. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export function createPages(): Pages {
  const eta = new Eta({ views: folder, cache: true });
  return {
    send(reply, status, page, data) {
      return reply
        .code(status)
        .headers({
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': POLICY,
          // With `no-referrer` a browser sends forms with `Origin: null`, which says nothing about who sent them.
          'referrer-policy': 'same-origin',
          'cache-control': 'no-store',
        })
        .send(eta.render(`./pages/${page}`, data));
    },
  };
}

/** `GET /static/:file`, from memory. */
export function staticRoutes(app: FastifyInstance): void {
  const directory = join(folder, 'static');
  for (const file of readdirSync(directory)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(directory, file));
    app.get(`/static/${file}`, async (_request, reply) =>
      reply.type(type).header('cache-control', 'private, max-age=300').send(bytes),
    );
    allowOnly(app, `/static/${file}`, ['GET']);
  }
}
