// The files that pages link to: ours from templates, htmx from its package. Nothing comes from anywhere else. One stylesheet
// and one script, each made of the parts in a folder, in the order of their names.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { allowOnly } from '../refusal.ts';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};
const HTMX = { 'htmx.js': 'htmx.org/dist/htmx.min.js', 'hx-sse.js': 'htmx.org/dist/ext/hx-sse.min.js' };
const FOREVER = 'public, max-age=31536000, immutable';

type Asset = { type: string; bytes: Buffer; version: string };

const assets = load();

function load(): Map<string, Asset> {
  const templates = fileURLToPath(new URL('../../../templates/', import.meta.url));
  const { resolve } = createRequire(import.meta.url);
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(join(templates, 'static')))
    files.set(name, readFileSync(join(templates, 'static', name)));
  for (const [name, module] of Object.entries(HTMX)) files.set(name, readFileSync(resolve(module)));
  files.set('style.css', joined(join(templates, 'styles')));
  files.set('app.js', joined(join(templates, 'scripts')));
  return new Map(
    [...files].flatMap(([name, bytes]) => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      return [[name, { type, bytes, version: createHash('sha256').update(bytes).digest('hex').slice(0, 10) }]];
    }),
  );
}

function joined(folder: string): Buffer {
  const names = readdirSync(folder).sort();
  return Buffer.concat(names.map((name) => readFileSync(join(folder, name))));
}

/** The URL of a file, with its version, so that browsers keep it until it changes. */
export function asset(name: string): string {
  return `/static/${name}?v=${assets.get(name)?.version ?? ''}`;
}

/** `GET /static/:file`, from memory; kept by browsers for good only when the URL names this very version. */
export function staticRoutes(app: FastifyInstance): void {
  for (const [name, { type, bytes, version }] of assets) {
    app.get<{ Querystring: { v?: string } }>(`/static/${name}`, async ({ query }, reply) =>
      reply
        .type(type)
        .header('cache-control', query.v === version ? FOREVER : 'no-cache')
        .send(bytes),
    );
    allowOnly(app, `/static/${name}`, ['GET']);
  }
}
