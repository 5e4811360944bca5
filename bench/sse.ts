// How fast open pages hear of an Event: from the publish until the last of them has it.
//   npm run bench:sse [-- --quick]
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { callTool, startDaemonProcess, temporaryFolder } from './daemon-process.ts';
import { type Figure, isQuick, median, report, show, spread } from './figures.ts';
import { load, rawRequest } from './load.ts';

const PAGES = [
  { pages: 100, goal: undefined },
  { pages: 1_000, goal: 30 },
  { pages: 5_000, goal: 100 },
];
const ROUNDS = isQuick ? 10 : 40;
const BYTES_IN_KB = 1_024;

const daemon = await startDaemonProcess(temporaryFolder(), { settings: { 'agent.kind': 'command' } });
await callTool(daemon, 'create_stream', { id: 's-in', name: 'in', transport: 'webhook' });

/** Counts what comes after each publish: one frame a page. */
let heard = 0;
let isAllHeard: () => void = () => {};
let expected = 0;

async function open(): Promise<Socket> {
  const socket = connect(daemon.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${daemon.token}\r\naccept: text/event-stream\r\n\r\n`,
  );
  await once(socket, 'data');
  socket.on('data', (chunk) => {
    if (!chunk.includes('id: ')) return;
    heard += 1;
    if (heard === expected) isAllHeard();
  });
  return socket;
}

const figures: Figure[] = [];
const sockets: Socket[] = [];
const empty = await daemon.ask<number>('memory');
for (const { pages, goal } of PAGES) {
  while (sockets.length < pages)
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(100, pages - sockets.length) }, open))));
  expected = pages;
  const last: number[] = [];
  for (let round = -3; round < ROUNDS; round++) {
    heard = 0;
    const all = new Promise<void>((resolve) => {
      isAllHeard = resolve;
    });
    const began = performance.now();
    await load({ port: daemon.port, connections: 1, requests: [rawRequest('/webhooks/s-in', {}, 'hello')] });
    await all;
    if (round >= 0) last.push(performance.now() - began);
  }
  const mid = median(last);
  figures.push({
    what: `the last of ${pages.toLocaleString('en-US')} pages`,
    ours: show(mid, 'ms'),
    spread: spread(last, 'ms'),
    ...(goal === undefined ? {} : { goal: `≤ ${goal} ms`, isMet: mid <= goal }),
  });
}
const perPage = ((await daemon.ask<number>('memory')) - empty) / sockets.length / BYTES_IN_KB;
figures.push({ what: 'memory of a page', ours: show(perPage, 'KB'), goal: '≤ 40 KB', isMet: perPage <= 40 });
report({ bench: 'sse', figures });
for (const socket of sockets) socket.destroy();
await daemon.stop();
