// How reading grows with what is stored: the newest 50 of a Stream, a Worker's inbox, and what one more publish costs.
//   npm run bench:reads [-- --quick | --big]

import type { Core } from '../src/cli/core.ts';
import { dataPaths } from '../src/cli/data-dir.ts';
import { OWNER } from '../src/domain/ids.ts';
import { encodeMessage } from '../src/domain/message.ts';
import { createInbox, type Inbox } from '../src/store/inbox.ts';
import { temporaryFolder } from './daemon-process.ts';
import { copyOf, dataset, openAt, streamId, workerId } from './dataset.ts';
import { type Figure, isBig, isQuick, median, quantile, report, show } from './figures.ts';

const SIZES = [10_000, 100_000, ...(isQuick ? [] : [1_000_000]), ...(isBig ? [5_000_000] : [])];
const WORKERS = 200;
const TIMES = isQuick ? 200 : 1_000;
const PENDING = 10;

const content = [{ name: 'message', bytes: encodeMessage({ body: 'x'.repeat(1_000) }) }];
const bounds = { triggers: 20, bytes: 32_768 };

type Opened = { events: number; core: Core; inbox: Inbox; newest: number[]; inboxMs: number[]; publish: number[] };
const opened: Opened[] = [];
for (const events of SIZES) {
  const paths = copyOf(await dataset({ events, workers: WORKERS, runs: events / 100 }), temporaryFolder());
  const core = openAt(dataPaths({ dataDir: paths.dataDir }, {}), 'full');
  for (let n = 0; n < PENDING; n++)
    await core.journal.commit(OWNER, { type: 'Publish', streamId: streamId(7), content });
  opened.push({
    events,
    core,
    inbox: createInbox(core.db),
    newest: [] as number[],
    inboxMs: [] as number[],
    publish: [] as number[],
  });
}

const timed = (work: () => unknown): number => {
  const began = performance.now();
  work();
  return performance.now() - began;
};

// In turns, so that a busy moment of the machine meets all sizes alike.
for (let round = -50; round < TIMES; round++) {
  for (const { core, inbox, newest, inboxMs, publish } of opened) {
    const read = timed(() => {
      if (core.queries.events([streamId(0)], { limit: 50 }).length !== 50) throw new Error('not 50 Events');
    });
    const looked = timed(() => {
      if (inbox.next(workerId(7), bounds)?.triggers.length === undefined) throw new Error('no batch');
    });
    const began = performance.now();
    await core.journal.commit(OWNER, { type: 'Publish', streamId: streamId(9), content });
    const published = performance.now() - began;
    if (round < 0) continue;
    newest.push(read);
    inboxMs.push(looked);
    publish.push(published);
  }
}
for (const { core } of opened) core.close();

const smallest = opened[0];
const largest = opened.at(-1);
if (!smallest || !largest) throw new Error('nothing was measured');
const kinds = [
  ['newest 50 of a Stream', 'newest', '≤ 1.3, p99 < 1 ms', 1.3],
  ["a Worker's inbox", 'inboxMs', '≤ 1.3, p99 < 1 ms', 1.3],
  ['one publish', 'publish', '≤ 1.5', 1.5],
] as const;
const figures = kinds.flatMap(([what, kind, goal, most]) =>
  opened.map((at): Figure => {
    const [mid, p99] = [median(at[kind]), quantile(at[kind], 0.99)];
    const ratio = mid / median(smallest[kind]);
    return {
      what: `${what}, ${at.events.toLocaleString('en-US')} Events`,
      ours: `${show(mid, 'ms')}, p99 ${show(p99, 'ms')}`,
      baseline: `${show(median(smallest[kind]), 'ms')} at ${smallest.events.toLocaleString('en-US')}`,
      ratio,
      ...(at === largest ? { goal, isMet: ratio <= most && (kind === 'publish' || p99 < 1) } : {}),
    };
  }),
);
const curves = kinds.map(([name, kind]) => ({
  name,
  unit: 'ms',
  points: opened.map((at) => ({ size: at.events, value: median(at[kind]) })),
}));
report({ bench: 'reads', figures, curves });
