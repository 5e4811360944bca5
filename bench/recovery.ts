// What `kill -9` with 100,000 Events pending for 10,000 Workers costs: until the daemon answers again, and until the first
// Worker runs again.
//   npm run bench:recovery [-- --quick]
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { dataPaths } from '../src/cli/data-dir.ts';
import { OWNER } from '../src/domain/ids.ts';
import { encodeMessage } from '../src/domain/message.ts';
import { startDaemonProcess, temporaryFolder } from './daemon-process.ts';
import { copyOf, dataset, openAt, streamId } from './dataset.ts';
import { type Figure, isQuick, median, report, show, spread } from './figures.ts';

const SIZE = isQuick ? { events: 100_000, workers: 1_000 } : { events: 1_000_000, workers: 10_000 };
const PENDING = isQuick ? 10_000 : 100_000;
const ROUNDS = isQuick ? 3 : 5;
const STREAMS = 100;
const GROUP = 256;

const data = temporaryFolder();
const paths = copyOf(await dataset(SIZE), data);
const core = openAt(dataPaths({ dataDir: paths.dataDir }, {}), 'normal');
const content = [{ name: 'message', bytes: encodeMessage({ body: 'x'.repeat(200) }) }];
for (let n = 0; n < PENDING; n++) {
  const published = core.journal.commit(OWNER, { type: 'Publish', streamId: streamId(n % STREAMS), content });
  if (n % GROUP === 0) await published;
}
await core.journal.flush();
core.close();

// The agent never ends, so each start begins with as much pending as the last.
const settings = {
  'agent.kind': 'command',
  'agent.command': ['/bin/sleep', '600'],
  'dispatch.max_inflight': 1,
};
const [listening, first]: [number[], number[]] = [[], []];
for (let round = -1; round < ROUNDS; round++) {
  const began = performance.now();
  const daemon = await startDaemonProcess(data, { settings });
  const listeningAt = performance.now() - began;
  while ((await daemon.ask<number>('running')) === 0) await pause(1);
  const runningAt = performance.now() - began;
  daemon.child.kill('SIGKILL');
  await once(daemon.child, 'exit');
  if (round < 0) continue;
  listening.push(listeningAt);
  first.push(runningAt - listeningAt);
}

// The last agent is still asleep.
const last = await startDaemonProcess(data, { settings });
while ((await last.ask<number>('running')) === 0) await pause(1);
await last.stop();

const [up, woken] = [median(listening), median(first)];
const figures: Figure[] = [
  {
    what: 'from the start of the process to listening',
    ours: show(up, 'ms'),
    spread: spread(listening, 'ms'),
    goal: '≤ 600 ms',
    isMet: up <= 600,
    bound:
      'a third of it is loading and linking some 1,000 modules, ours and those of the packages, a quarter the facts that shape the ' +
      'organisation, read from the journal one by one, a twelfth Fastify.',
  },
  {
    what: 'from listening to the first activation',
    ours: show(woken, 'ms'),
    spread: spread(first, 'ms'),
    goal: '≤ 750 ms',
    isMet: woken <= 750,
  },
];
report({ bench: `recovery (${PENDING.toLocaleString('en-US')} pending)`, figures });
