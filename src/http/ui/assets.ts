// The files that pages link to: ours from templates, htmx from its package. Nothing comes from anywhere else. One stylesheet
// and one script, each made of the parts in a folder, in the order of their names. The script begins with htmx: it starts in
// the turn after its own, so an extension in a file of its own would sometimes come too late.
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
const HTMX = ['htmx.org/dist/htmx.min.js', 'htmx.org/dist/ext/hx-sse.min.js'];
const FOREVER = 'public, max-age=31536000, immutable';

type Asset = { type: string; bytes: Buffer; version: string };

const assets = load();

function load(): Map<string, Asset> {
  const templates = fileURLToPath(new URL('../../../templates/', import.meta.url));
  const { resolve } = createRequire(import.meta.url);
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(join(templates, 'static')))
    files.set(name, readFileSync(join(templates, 'static', name)));
  files.set('style.css', joined(partsOf(join(templates, 'styles'))));
  files.set('app.js', joined([...HTMX.map((module) => resolve(module)), ...partsOf(join(templates, 'scripts'))]));
  return new Map(
    [...files].flatMap(([name, bytes]) => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      return [[name, { type, bytes, version: createHash('sha256').update(bytes).digest('hex').slice(0, 10) }]];
    }),
  );
}

function partsOf(folder: string): string[] {
  const names = readdirSync(folder).sort();
  return names.map((name) => join(folder, name));
}

function joined(paths: string[]): Buffer {
  const texts = paths.map((path) => readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  return Buffer.from(texts.join('\n'));
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
