// What a subscriber costs: publishing on a Stream with 1 to 10,000 AI Workers listening, until the commit and until all of them
// are marked as having work.
//   npm run bench:fan-out [-- --quick]

import { dataPaths } from '../src/cli/data-dir.ts';
import { ensureOwner } from '../src/cli/owner.ts';
import { listen } from '../src/dispatch/ears.ts';
import { createFanOut } from '../src/dispatch/fan-out.ts';
import { OWNER } from '../src/domain/ids.ts';
import { encodeMessage } from '../src/domain/message.ts';
import type { Command } from '../src/domain/org.ts';
import { temporaryFolder } from './daemon-process.ts';
import { openAt } from './dataset.ts';
import { type Figure, isQuick, median, report, show, spread } from './figures.ts';

const SIZES = [1, 10, 100, 1_000, 10_000];
const TIMES = isQuick ? 100 : 500;

const core = openAt(dataPaths({ dataDir: temporaryFolder() }, {}), 'full');
await ensureOwner(core);
const { journal } = core;
const owner = (command: Command) => journal.commit(OWNER, command);
await owner({ type: 'CreateRole', roleId: 'r-clerk', content: 'Answer.' });
await owner({ type: 'CreatePosition', positionId: 'p-desk', roleId: 'r-clerk', parentId: 'p-root' });
const streamOf = (size: number) => `s-of-${size}`;
for (const size of SIZES) {
  const transport = { kind: 'local', config: {} };
  const fields = { name: `${size}`, description: '', transport, private: false };
  await owner({ type: 'CreateStream', streamId: streamOf(size), ...fields });
}
for (let n = 0; n < Math.max(...SIZES); n++) {
  const streams = SIZES.filter((size) => n < size).map(streamOf);
  const hire = { type: 'HireWorker', kind: 'ai', identity: `Clerk ${n}.`, positionId: 'p-desk' } as const;
  void owner({ ...hire, workerId: `w-${n}`, grants: [], streams });
}
await journal.flush();

// The dispatcher's own ears and walk; only the last step, to stand a Worker in line, is counted instead of done.
const marked = new Set<string>();
let allMarked: () => void = () => {};
const nothing = () => {};
const fanOut = createFanOut({
  subscribersOf: (stream) => journal.org.subscriptions.get(stream)?.keys() ?? [],
  mark: (workerId) => marked.add(workerId),
  onDone: () => allMarked(),
});
listen({
  ...{ journal, landed: fanOut.landed, mark: nothing, markAll: nothing, stop: nothing, stopAll: nothing },
  ...{ stopShown: nothing, recorded: nothing, paced: nothing, agentsChanged: nothing },
});

const content = [{ name: 'message', bytes: encodeMessage({ body: 'x'.repeat(1_000) }) }];
async function publish(size: number): Promise<{ commitMs: number; markedMs: number }> {
  marked.clear();
  const done = new Promise<number>((resolve) => {
    allMarked = () => resolve(performance.now());
  });
  const began = performance.now();
  await owner({ type: 'Publish', streamId: streamOf(size), content });
  const committed = performance.now();
  const markedAt = await done;
  if (marked.size !== size) throw new Error(`${marked.size} of ${size} were marked`);
  return { commitMs: committed - began, markedMs: markedAt - committed };
}

const found = new Map(SIZES.map((size) => [size, [] as Awaited<ReturnType<typeof publish>>[]]));
for (let round = -20; round < TIMES; round++) {
  for (const size of SIZES) {
    const measured = await publish(size);
    if (round >= 0) found.get(size)?.push(measured);
  }
}
core.close();

const of = (size: number) => found.get(size) ?? [];
const commits = (size: number) => of(size).map(({ commitMs }) => commitMs);
const marks = (size: number) => of(size).map(({ markedMs }) => markedMs);
const largest = Math.max(...SIZES);
const figures = SIZES.flatMap((size): Figure[] => {
  const growth = median(commits(size)) / median(commits(1));
  const isLargest = size === largest;
  return [
    {
      what: `commit, ${size.toLocaleString('en-US')} subscribers`,
      ours: show(median(commits(size)), 'ms'),
      spread: spread(commits(size), 'ms'),
      baseline: `${show(median(commits(1)), 'ms')} with 1`,
      ratio: growth,
      ...(isLargest ? { goal: '≤ 1.2', isMet: growth <= 1.2 } : {}),
    },
    {
      what: `all marked after it, ${size.toLocaleString('en-US')}`,
      ours: show(median(marks(size)), 'ms'),
      spread: spread(marks(size), 'ms'),
      ...(isLargest ? { goal: '≤ 5 ms', isMet: median(marks(size)) <= 5 } : {}),
    },
  ];
});
const curve = (name: string, values: (size: number) => number[]) => ({
  name,
  unit: 'ms',
  points: SIZES.map((size) => ({ size, value: median(values(size)) })),
});
report({
  bench: 'fan-out',
  figures,
  curves: [curve('publish, by subscribers', commits), curve('all marked, by subscribers', marks)],
});
