// How fast a long poll hears of an Event: from the publish to the answer, with one reader waiting and with a thousand. Beside
// it, in turns: a server that only holds requests and answers them, which is the floor of so many connections.
//   npm run bench:wake [-- --quick]
import { setTimeout as pause } from 'node:timers/promises';
import { callTool, type Server, startDaemonProcess, startServer, temporaryFolder } from './daemon-process.ts';
import { type Figure, isQuick, median, quantile, report, show } from './figures.ts';
import { load, rawRequest } from './load.ts';

const WAITERS = [1, 100, 1_000];
const GOALS = new Map([
  [1, 10],
  [1_000, 100],
]);
/** A p99 of fewer would be the one worst. */
const ROUNDS = isQuick ? 10 : 100;
const ROUNDS_ALONE = isQuick ? 50 : 300;

const daemon = await startDaemonProcess(temporaryFolder(), { settings: { 'agent.kind': 'command' } });
const bare = await startServer<{ port: number }>('bare-waits.ts');
await callTool(daemon, 'create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
await callTool(daemon, 'publish', { streamId: 's-in', body: 'first' });

function request(name: string, args: object): Buffer {
  const headers = {
    authorization: `Bearer ${daemon.token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
  return rawRequest('/workers/w-owner/mcp', headers, JSON.stringify(body));
}

async function waitingForNew(): Promise<Buffer> {
  const { events } = (await callTool(daemon, 'read_events', { streamId: 's-in', limit: 1 })) as {
    events: { id: string }[];
  };
  return request('read_events', { streamId: 's-in', since: events[0]?.id, wait: 30 });
}

/** Milliseconds from the POST to the last answer. */
async function wake(server: Server<{ port: number }>, waiters: number, waiting: Buffer, telling: Buffer) {
  const { port } = server;
  const heard = load({ port, connections: waiters, requests: Array(waiters).fill(waiting) });
  let waitingNow = 0;
  while (waitingNow < waiters) {
    await pause(2);
    waitingNow = await server.ask<number>('waiting');
  }
  const began = performance.now();
  await load({ port, connections: 1, requests: [telling] });
  return (await heard).endedAt - began;
}

const COLLECTIONS =
  'a thousand connections come and go in each round, and the slowest rounds are those that meet a full garbage collection, of 13 ' +
  'to 27 ms by `--trace-gc`; each answer is a system call of its own, for which the bare server pays too.';

const PAUSES =
  'one in a hundred meets a slow fsync, a collection of garbage, or another program on the two cores; the median is what it ' +
  'costs.';

const hello = rawRequest('/webhooks/s-in', {}, 'hello');
const holding = rawRequest('/wait', {}, '');
const telling = rawRequest('/tell', {}, '');
const figures: Figure[] = [];
for (const waiters of WAITERS) {
  const rounds = waiters === 1 ? ROUNDS_ALONE : ROUNDS;
  const [ours, floor]: [number[], number[]] = [[], []];
  for (let round = -2; round < rounds; round++) {
    const heard = await wake(daemon, waiters, await waitingForNew(), hello);
    const answered = await wake(bare, waiters, holding, telling);
    if (round < 0) continue;
    ours.push(heard);
    floor.push(answered);
  }
  const goal = GOALS.get(waiters);
  const p99 = quantile(ours, 0.99);
  figures.push({
    what: waiters === 1 ? 'one waiting' : `the last of ${waiters.toLocaleString('en-US')} waiting`,
    ours: `${show(median(ours), 'ms')}, p99 ${show(p99, 'ms')}`,
    baseline: `${show(median(floor), 'ms')}, p99 ${show(quantile(floor, 0.99), 'ms')} bare Fastify`,
    ratio: median(ours) / median(floor),
    ...(goal === undefined
      ? {}
      : { goal: `p99 ≤ ${goal} ms`, isMet: p99 <= goal, bound: waiters === 1 ? PAUSES : COLLECTIONS }),
  });
}
report({ bench: 'wake', figures });
await daemon.stop();
await bare.stop();
