// What ingestion is measured against: Fastify that only parses and answers; and the least that a signed, idempotent delivery
// comes to, with one transaction and one fsync a request, or one for all that arrive in a turn of the event loop. No program
// that does this in one thread, on this HTTP server and this SQLite, can be faster than the last.
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fastify from 'fastify';
import { isGenuine, makeSecret } from '../src/transports/webhook-signature.ts';

const directory = mkdtempSync(join(tmpdir(), 'helix-bench-bare-'));
const sqlite = new Database(join(directory, 'bare.db'));
sqlite.pragma('journal_mode = WAL');
sqlite.pragma('synchronous = FULL');
sqlite.exec(`
  CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT, stream TEXT, at TEXT, digest BLOB) STRICT;
  CREATE INDEX events_stream ON events (stream, seq);
  CREATE TABLE content (seq INTEGER PRIMARY KEY, bytes BLOB) STRICT;
  CREATE TABLE seen (stream TEXT, key TEXT, digest BLOB, seq INTEGER, PRIMARY KEY (stream, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE heads (stream TEXT PRIMARY KEY, seq INTEGER, count INTEGER) STRICT;
`);
const find = sqlite.prepare('SELECT seq FROM seen WHERE stream = ? AND key = ?');
const remember = sqlite.prepare('INSERT INTO seen VALUES (?, ?, ?, ?)');
const insert = sqlite.prepare('INSERT INTO events (id, stream, at, digest) VALUES (?, ?, ?, ?)');
const keep = sqlite.prepare('INSERT INTO content VALUES (?, ?)');
const head = sqlite.prepare(
  'INSERT INTO heads VALUES (?, ?, 1) ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, count = count + 1',
);
const secret = makeSecret();

/** What taking in a delivery comes to. */
function take(stream: string, key: string, body: Buffer): string | undefined {
  const digest = createHash('sha256').update(body).digest();
  if (find.get(stream, key)) return undefined;
  const id = randomUUID();
  const { lastInsertRowid: seq } = insert.run(id, stream, new Date().toISOString(), digest);
  keep.run(seq, body);
  remember.run(stream, key, digest, seq);
  head.run(stream, seq);
  return id;
}

const takeAlone = sqlite.transaction(take);

type Delivery = Parameters<typeof take>;
type Waiting = { delivery: Delivery; resolve(id: string | undefined): void };

const takeAll = sqlite.transaction((group: Waiting[]) => group.map(({ delivery }) => take(...delivery)));
let waiting: Waiting[] = [];

function takeInGroup(delivery: Delivery): Promise<string | undefined> {
  if (waiting.length === 0) setImmediate(commitGroup);
  return new Promise((resolve) => waiting.push({ delivery, resolve }));
}

function commitGroup(): void {
  const group = waiting;
  waiting = [];
  const ids = takeAll(group);
  for (const [index, { resolve }] of group.entries()) resolve(ids[index]);
}

const app = fastify();
app.post('/bare/:stream', (request) => {
  const { stream } = request.params as { stream: string };
  return { id: randomUUID(), stream, fields: Object.keys(request.body as object).length };
});
app.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const way of ['commit', 'group'] as const)
    scope.post(`/${way}/:stream`, async (request, reply) => {
      const { stream } = request.params as { stream: string };
      const body = request.body as Buffer;
      const { method, url, headers } = request;
      if (!isGenuine({ method, path: url, query: '', headers, body, at: new Date() }, [secret])) return reply.code(401);
      const delivery: Delivery = [stream, String(headers['webhook-id']), body];
      return { id: way === 'commit' ? takeAlone(...delivery) : await takeInGroup(delivery), stream };
    });
});
await app.listen({ host: '127.0.0.1', port: 0 });

process.on('message', async () => {
  await app.close();
  sqlite.close();
  rmSync(directory, { recursive: true });
  process.disconnect();
});
process.on('disconnect', () => process.exit());
process.send?.({ secret, port: (app.server.address() as AddressInfo).port });
