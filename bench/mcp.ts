// What a call costs: our MCP endpoint against JSON-RPC written by hand on the same Fastify, in one run, in turns.
//   npm run bench:mcp [-- --seconds 3 --rounds 5]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Profiler } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import autocannon from 'autocannon';
import { type Figure, report, show } from './figures.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean' },
    big: { type: 'boolean' },
  },
});
const [seconds, rounds] = values.quick ? [1, 2] : [Number(values.seconds), Number(values.rounds)];
const CONNECTIONS = 8;

const server = fork(fileURLToPath(new URL('./mcp-server.ts', import.meta.url)), { serialization: 'advanced' });
const told = async <T>(): Promise<T> => (await once(server, 'message'))[0] as T;
const { url, owner, worker } = await told<{ url: string; owner: string; worker: string }>();

/** With a progress token a request is the SDK's to answer: what every request cost without the short way. */
type Way = 'by hand' | '2025' | '2026' | '2025 SDK' | '2026 SDK';
type Case = { name: string; token: string; workerId: string; method: string; params: Record<string, unknown> };

const tool = (name: string, args: object) => ({ method: 'tools/call', params: { name, arguments: args } });
const cases: Case[] = [
  { name: 'tools/list, all tools', token: owner, workerId: 'w-owner', method: 'tools/list', params: {} },
  { name: 'tools/list, 6 tools', token: worker, workerId: 'w-bench', method: 'tools/list', params: {} },
  { name: 'tools/call, a read', token: worker, workerId: 'w-bench', ...tool('get_role', { id: 'r-bench' }) },
  {
    name: 'tools/call, publish (fsync)',
    token: worker,
    workerId: 'w-bench',
    ...tool('publish', { streamId: 's-bench', body: 'x'.repeat(200) }),
  },
];
const WAYS: Way[] = ['by hand', '2025', '2026', '2025 SDK', '2026 SDK'];

function request({ token, workerId, method, params }: Case, way: Way) {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const modern = way.startsWith('2026');
  const progress = way.endsWith('SDK') ? { progressToken: 1 } : {};
  const _meta = { ...(modern ? meta : {}), ...progress };
  return {
    url: way === 'by hand' ? `${url}/by-hand` : `${url}/workers/${workerId}/mcp`,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(modern ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method } : {}),
      ...(modern && typeof params.name === 'string' ? { 'mcp-name': params.name } : {}),
    },
  };
}

type Measured = { perSecond: number; p99: number };

async function measure(each: Case, way: Way, duration: number): Promise<Measured> {
  const result = await autocannon({ ...request(each, way), method: 'POST', connections: CONNECTIONS, duration });
  const bad = result.non2xx + result.errors;
  if (bad > 0) throw new Error(`${each.name}, ${way}: ${bad} answers were no success`);
  return { perSecond: result.requests.total / result.duration, p99: result.latency.p99 };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const pad = (text: string | number, width: number) => String(text).padStart(width);

console.log(`${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s each, in turns; calls per second, medians\n`);
console.log(
  `${'call'.padEnd(30)}${WAYS.map((way) => pad(way, 10)).join('')}${pad('2026/hand', 12)}${pad('2026/SDK', 12)}`,
);
const figures: Figure[] = [];
for (const each of cases) {
  for (const way of WAYS) await measure(each, way, 1);
  const found = new Map<Way, Measured[]>(WAYS.map((way) => [way, []]));
  for (let round = 0; round < rounds; round++)
    for (const way of WAYS) found.get(way)?.push(await measure(each, way, seconds));
  const rate = (way: Way) => median((found.get(way) ?? []).map(({ perSecond }) => perSecond));
  const ratio = (way: Way, other: Way) =>
    median(
      (found.get(way) ?? []).map(({ perSecond }, round) => perSecond / (found.get(other)?.[round]?.perSecond ?? 1)),
    );
  console.log(
    each.name.padEnd(30) +
      WAYS.map((way) => pad(Math.round(rate(way)), 10)).join('') +
      pad(ratio('2026', 'by hand').toFixed(2), 12) +
      pad(ratio('2026', '2026 SDK').toFixed(1), 12),
  );
  const overSdk = ratio('2026', '2026 SDK');
  figures.push({
    what: each.name,
    ours: show(rate('2026'), '/s'),
    baseline: `${show(rate('by hand'), '/s')} by hand, ${show(rate('2026 SDK'), '/s')} the SDK’s way`,
    ratio: ratio('2026', 'by hand'),
    goal: 'as fast as the SDK’s way',
    isMet: overSdk >= 1,
  });
}
report({ bench: 'mcp', figures });

console.log('\nWhere the time of a read goes, microseconds a call (from a profile, which slows it down)\n');
for (const way of WAYS) {
  const each = cases[2] as Case;
  server.send('profile');
  await told();
  const { perSecond } = await measure(each, way, seconds);
  server.send('profiled');
  const parts = [...spent(await told<Profiler.Profile>(), perSecond * seconds)].sort((a, b) => b[1] - a[1]);
  console.log(
    `${way.padEnd(8)} ${parts.map(([part, micros]) => `${styleText('bold', part)} ${micros.toFixed(0)}`).join('  ')}`,
  );
}
server.send('end');

/** Microseconds of each call, by whose code it was. */
function spent({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, calls: number): Map<string, number> {
  const owners = new Map(nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]));
  const total = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const part = owners.get(id);
    if (part) total.set(part, (total.get(part) ?? 0) + (timeDeltas[index] ?? 0) / calls);
  }
  return total;
}

function ownerOf({ url: file, functionName }: { url: string; functionName: string }): string | undefined {
  if (functionName === '(idle)') return undefined;
  if (functionName === '(garbage collector)') return 'garbage';
  const [, inModules] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  if (inModules?.startsWith('@modelcontextprotocol/')) return 'mcp sdk';
  if (inModules === 'zod') return 'zod';
  if (inModules) return 'fastify';
  if (file.includes('/src/') || file.includes('/bench/')) return 'ours';
  return 'node';
}
