// How fast a long poll hears of an Event: from the publish to the answer, with one reader waiting and with a thousand.
//   npm run bench:wake [-- --quick]
import { setTimeout as pause } from 'node:timers/promises';
import { callTool, startDaemonProcess, temporaryFolder } from './daemon-process.ts';
import { type Figure, isQuick, median, quantile, report, show } from './figures.ts';
import { load, rawRequest } from './load.ts';

const WAITERS = [1, 100, 1_000];
const GOALS = new Map([
  [1, 10],
  [1_000, 100],
]);

const daemon = await startDaemonProcess(temporaryFolder(), { settings: { 'agent.kind': 'command' } });
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

const figures: Figure[] = [];
for (const waiters of WAITERS) {
  const rounds = waiters === 1 ? (isQuick ? 50 : 300) : isQuick ? 5 : 20;
  const last: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const { events } = (await callTool(daemon, 'read_events', { streamId: 's-in', limit: 1 })) as {
      events: { id: string }[];
    };
    const since = events[0]?.id;
    const waiting = request('read_events', { streamId: 's-in', since, wait: 30 });
    const heard = load({ port: daemon.port, connections: waiters, requests: Array(waiters).fill(waiting) });
    let waitingNow = 0;
    while (waitingNow < waiters) {
      await pause(2);
      waitingNow = await daemon.ask<number>('waiting');
    }
    const began = performance.now();
    await load({ port: daemon.port, connections: 1, requests: [rawRequest('/webhooks/s-in', {}, 'hello')] });
    await heard;
    if (round >= 0) last.push(performance.now() - began);
  }
  const goal = GOALS.get(waiters);
  const p99 = quantile(last, 0.99);
  figures.push({
    what: waiters === 1 ? 'one waiting' : `the last of ${waiters.toLocaleString('en-US')} waiting`,
    ours: `${show(median(last), 'ms')}, p99 ${show(p99, 'ms')}`,
    ...(goal === undefined ? {} : { goal: `p99 ≤ ${goal} ms`, isMet: p99 <= goal }),
  });
}
report({ bench: 'wake', figures });
await daemon.stop();
