// What a call costs: our MCP endpoint against JSON-RPC written by hand on the same Fastify, in one run, in turns.
//   npm run bench:mcp [-- --seconds 3 --rounds 5]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Profiler } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import autocannon from 'autocannon';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '5' } },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const CONNECTIONS = 8;

const server = fork(fileURLToPath(new URL('./mcp-server.ts', import.meta.url)), { serialization: 'advanced' });
const told = async <T>(): Promise<T> => (await once(server, 'message'))[0] as T;
const { url, owner, worker } = await told<{ url: string; owner: string; worker: string }>();

type Era = 'by hand' | '2025' | '2026';
type Case = { name: string; token: string; workerId: string; method: string; params: Record<string, unknown> };

const tool = (name: string, args: object) => ({ method: 'tools/call', params: { name, arguments: args } });
const cases: Case[] = [
  { name: 'tools/list, 49 tools', token: owner, workerId: 'w-owner', method: 'tools/list', params: {} },
  { name: 'tools/list, 6 tools', token: worker, workerId: 'w-bench', method: 'tools/list', params: {} },
  { name: 'tools/call, a read', token: worker, workerId: 'w-bench', ...tool('get_role', { id: 'r-bench' }) },
  {
    name: 'tools/call, publish (fsync)',
    token: worker,
    workerId: 'w-bench',
    ...tool('publish', { streamId: 's-bench', body: 'x'.repeat(200) }),
  },
];
const ERAS: Era[] = ['by hand', '2025', '2026'];

function request({ token, workerId, method, params }: Case, era: Era) {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const modern = era === '2026';
  return {
    url: era === 'by hand' ? `${url}/by-hand` : `${url}/workers/${workerId}/mcp`,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: modern ? { ...params, _meta: meta } : params }),
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

async function measure(each: Case, era: Era, duration: number): Promise<Measured> {
  const result = await autocannon({ ...request(each, era), method: 'POST', connections: CONNECTIONS, duration });
  const bad = result.non2xx + result.errors;
  if (bad > 0) throw new Error(`${each.name}, ${era}: ${bad} answers were no success`);
  return { perSecond: result.requests.total / result.duration, p99: result.latency.p99 };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const pad = (text: string | number, width: number) => String(text).padStart(width);

console.log(`${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s each, in turns; calls per second, medians\n`);
console.log(
  `${'call'.padEnd(30)}${ERAS.map((era) => pad(era, 10)).join('')}${pad('2025/hand', 12)}${pad('2026/hand', 12)}`,
);
for (const each of cases) {
  for (const era of ERAS) await measure(each, era, 1);
  const found = new Map<Era, Measured[]>(ERAS.map((era) => [era, []]));
  for (let round = 0; round < rounds; round++)
    for (const era of ERAS) found.get(era)?.push(await measure(each, era, seconds));
  const rate = (era: Era) => median((found.get(era) ?? []).map(({ perSecond }) => perSecond));
  const ratio = (era: Era) =>
    median(
      (found.get(era) ?? []).map(({ perSecond }, round) => perSecond / (found.get('by hand')?.[round]?.perSecond ?? 1)),
    );
  console.log(
    each.name.padEnd(30) +
      ERAS.map((era) => pad(Math.round(rate(era)), 10)).join('') +
      pad(ratio('2025').toFixed(2), 12) +
      pad(ratio('2026').toFixed(2), 12),
  );
}

console.log('\nWhere the time of a read goes, microseconds a call (from a profile, which slows it down)\n');
for (const era of ERAS) {
  const each = cases[2] as Case;
  server.send('profile');
  await told();
  const { perSecond } = await measure(each, era, seconds);
  server.send('profiled');
  const parts = [...spent(await told<Profiler.Profile>(), perSecond * seconds)].sort((a, b) => b[1] - a[1]);
  console.log(
    `${era.padEnd(8)} ${parts.map(([part, micros]) => `${styleText('bold', part)} ${micros.toFixed(0)}`).join('  ')}`,
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
