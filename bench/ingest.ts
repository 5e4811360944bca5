// What it costs to take in a webhook: a body of 1 KB, on disk before the answer, with and without a signature, beside Fastify
// that keeps nothing, beside one commit a request, and beside the least that one thread can do.
//   npm run bench:ingest [-- --quick]
import { sign } from '../src/transports/webhook-signature.ts';
import { callTool, startDaemonProcess, startServer, temporaryFolder } from './daemon-process.ts';
import { type Figure, isQuick, median, ROUNDS, report, show, spread } from './figures.ts';
import { type Loaded, load, rawRequest } from './load.ts';

const CONNECTIONS = [1, 8, 64, 256];
const body = JSON.stringify({ order: 4711, note: 'x'.repeat(990) });
const bytes = Buffer.from(body);
const json = { 'content-type': 'application/json' };

type Way = 'signed' | 'open' | 'bare Fastify' | 'commit a request' | 'one thread';
const WAYS: Way[] = ['signed', 'open', 'bare Fastify', 'commit a request', 'one thread'];

const daemon = await startDaemonProcess(temporaryFolder(), { settings: { 'agent.kind': 'command' } });
await callTool(daemon, 'create_stream', { id: 's-open', name: 'open', transport: 'webhook' });
await callTool(daemon, 'create_stream', {
  id: 's-signed',
  name: 'signed',
  transport: { kind: 'webhook', config: { secret: true } },
});
const secret = await daemon.ask<string>('secret s-signed');
const bare = await startServer<{ port: number; secret: string }>('bare-server.ts');

let made = 0;
function requestFor(way: Way): Buffer {
  if (way === 'bare Fastify') return rawRequest('/bare/s-open', json, body);
  if (way === 'open') return rawRequest('/webhooks/s-open', json, body);
  const [id, at] = [`msg-${made++}`, String(Math.floor(Date.now() / 1_000))];
  const isOurs = way === 'signed';
  const signature = sign(isOurs ? secret : bare.secret, { id, timestamp: at, body: bytes });
  return rawRequest(
    isOurs ? '/webhooks/s-signed' : way === 'one thread' ? '/group/s-signed' : '/commit/s-signed',
    { ...json, 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature },
    body,
  );
}

function measure(way: Way, connections: number, count: number): Promise<Loaded> {
  const requests = Array.from({ length: count }, () => requestFor(way));
  const { port } = way === 'open' || way === 'signed' ? daemon : bare;
  return load({ port, connections, requests });
}

const ONE_THREAD =
  'one thread does all of it. The least that a signed, idempotent delivery comes to in one thread, with the same HTTP server, ' +
  'SQLite and fsync, stands in the table; ours also keeps a hash chain, headers apart from content, projections, limits and ' +
  'request ids. [Decision 3](decisions/0003-full-sync-and-group-commit.md) says where the time of a request goes, and why ' +
  'there is no second thread.';

const leastOf = (times: number) =>
  `as above: the least that one thread can do is ${show(times)} times a commit each, and all that ours does more would have to cost next to nothing.`;

const TURNS =
  'whoever comes last in a turn of the loop waits for the 63 before it and for their commit; the slowest in a hundred also waits ' +
  'for a collection of garbage or a slow fsync.';

const figures: Figure[] = [];
for (const connections of CONNECTIONS) {
  const count = Math.min(connections, 10) * (isQuick ? 300 : 1_000);
  const found = new Map<Way, Loaded[]>(WAYS.map((way) => [way, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const way of WAYS) {
      const loaded = await measure(way, connections, way === 'commit a request' ? count / 4 : count);
      if (round >= 0) found.get(way)?.push(loaded);
    }
  }
  const of = (way: Way) => found.get(way) ?? [];
  const rates = (way: Way) => of(way).map(({ perSecond }) => perSecond);
  const ratio = (way: Way, other: Way) =>
    median(rates(way).map((rate, round) => rate / (rates(other)[round] ?? Number.NaN)));
  const isGoal = connections === 64;
  const [byBare, byCommit] = [ratio('signed', 'bare Fastify'), ratio('signed', 'commit a request')];
  const floorByCommit = ratio('one thread', 'commit a request');
  const p99 = median(of('signed').map((loaded) => loaded.p99));
  const named = (what: string) => `${what}, ${connections} connection${connections === 1 ? '' : 's'}`;
  figures.push(
    {
      what: named('signed and idempotent'),
      ours: show(median(rates('signed')), '/s'),
      spread: spread(rates('signed'), '/s'),
      baseline: `${show(median(rates('bare Fastify')), '/s')} bare Fastify`,
      ratio: byBare,
      ...(isGoal ? { goal: '≥ 0.25', isMet: byBare >= 0.25, bound: ONE_THREAD } : {}),
    },
    {
      what: named('the same, beside a commit a request'),
      ours: show(median(rates('signed')), '/s'),
      baseline: `${show(median(rates('commit a request')), '/s')} a commit each`,
      ratio: byCommit,
      ...(isGoal ? { goal: '≥ 5', isMet: byCommit >= 5, bound: leastOf(floorByCommit) } : {}),
    },
    {
      what: named('the same, beside the least that one thread can do'),
      ours: show(median(rates('signed')), '/s'),
      baseline: `${show(median(rates('one thread')), '/s')}, which is ${show(floorByCommit)} times a commit each`,
      ratio: ratio('signed', 'one thread'),
    },
    {
      what: named('the same, p50 and p99'),
      ours: `${show(median(of('signed').map(({ p50 }) => p50)))} and ${show(p99, 'ms')}`,
      ...(isGoal ? { goal: 'p99 ≤ 15 ms', isMet: p99 <= 15, bound: TURNS } : {}),
    },
    {
      what: named('neither signed nor idempotent'),
      ours: show(median(rates('open')), '/s'),
      baseline: `${show(median(rates('bare Fastify')), '/s')} bare Fastify`,
      ratio: ratio('open', 'bare Fastify'),
    },
  );
}
report({ bench: 'ingest', figures });
await daemon.stop();
await bare.stop();
