// How much memory the daemon takes and how fast it starts with 10,000 Workers and a million Events.
//   npm run bench:memory [-- --quick]
import { setTimeout as pause } from 'node:timers/promises';
import { startDaemonProcess, temporaryFolder } from './daemon-process.ts';
import { copyOf, dataset, streamId } from './dataset.ts';
import { type Figure, isQuick, median, report, show, spread } from './figures.ts';
import { load, rawRequest } from './load.ts';

const SIZE = isQuick ? { events: 100_000, workers: 1_000 } : { events: 1_000_000, workers: 10_000 };
const STARTS = isQuick ? 3 : 7;
const INGESTED = isQuick ? 20_000 : 100_000;
const MEGABYTE = 1_048_576;
const SETTLE_MS = 3_000;

const data = temporaryFolder();
copyOf(await dataset(SIZE), data);
const settings = { 'agent.kind': 'command', 'dispatch.max_inflight': 1 };

const starts: number[] = [];
for (let n = -1; n < STARTS; n++) {
  const began = performance.now();
  const daemon = await startDaemonProcess(data, { settings });
  const ms = performance.now() - began;
  if (n >= 0) starts.push(ms);
  await daemon.stop();
}

const daemon = await startDaemonProcess(data, { settings });
await pause(SETTLE_MS);
const idle = (await daemon.ask<number>('memory')) / MEGABYTE;
// On a Stream that nobody listens to: what agents do with it is not the daemon's memory.
const request = rawRequest(`/webhooks/${streamId(0)}`, {}, JSON.stringify({ note: 'x'.repeat(990) }));
let highest = 0;
let isOver = false;
const ingesting = load({ port: daemon.port, connections: 64, requests: Array(INGESTED).fill(request) }).finally(() => {
  isOver = true;
});
while (!isOver) {
  highest = Math.max(highest, (await daemon.ask<number>('memory')) / MEGABYTE);
  await pause(50);
}
await ingesting;
await daemon.stop();

const size = `${SIZE.workers.toLocaleString('en-US')} Workers, ${SIZE.events.toLocaleString('en-US')} Events`;
const started = median(starts);
const figures: Figure[] = [
  { what: `idle, ${size}`, ours: show(idle, 'MB'), goal: '≤ 200 MB', isMet: idle <= 200 },
  { what: `while ingesting, ${size}`, ours: show(highest, 'MB'), goal: '≤ 350 MB', isMet: highest <= 350 },
  {
    what: `from the process's start to listening, ${size}`,
    ours: show(started, 'ms'),
    spread: spread(starts, 'ms'),
    goal: '≤ 600 ms',
    isMet: started <= 600,
    bound:
      'a third of it is loading and linking some 1,000 modules, ours and those of the packages, a quarter the facts that shape the ' +
      'organisation, read from the journal one by one, a twelfth Fastify.',
  },
];
report({ bench: 'memory', figures });
