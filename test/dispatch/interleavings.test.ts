// The real dispatcher under a scheduler that is not the machine's: every write of the dispatcher waits, before and after, until a
// seeded die lets it go on, so that appends, wakes, subscriptions, ends, crashes, restarts, pauses and firings meet in every
// order. Clock, agents and the disk's refusals are simulated; the database is real. In the end no wake was lost.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentResult } from '../../src/domain/agent.ts';
import type { Command } from '../../src/domain/org.ts';
import type { Entry } from '../../src/store/entries.ts';
import { createEntryReader } from '../../src/store/entry-reader.ts';
import type { Journal } from '../../src/store/journal.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { numbersFrom } from '../faults/power-cut.ts';
import { type FakeClock, fakeClock } from '../support/dispatch.ts';
import { DISK_FULL, type Dispatching, openDispatching, refuseCommits } from '../support/dispatcher.ts';
import { hire, messageContent, stream, testDirectory } from '../support/org.ts';
import { seed } from '../support/seed.ts';

const RUNS = Number(process.env.HELIX_RUNS ?? 150);
const STEPS = 60;
const WORKERS = ['w-0', 'w-1', 'w-2'];
const STREAMS = ['s-a', 's-b'];
const RESULTS: Partial<AgentResult>[] = [
  {},
  {},
  {},
  { outcome: 'failed', exit: 'exit code 1' },
  { outcome: 'timed_out', exit: 'time limit' },
  { outcome: 'failed', exit: 'not logged in', agentFault: true },
];

type Random = () => number;

/** Holds back whoever asks for a turn until it is let go on. */
function createTurns() {
  let waiting: (() => void)[] = [];
  let isFree = false;
  return {
    take: () => (isFree ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
    /** One of those who wait. */
    letGo(random: Random) {
      const [next] = waiting.splice(Math.floor(random() * waiting.length), 1);
      next?.();
    },
    free() {
      isFree = true;
      for (const next of waiting) next();
      waiting = [];
    },
  };
}

type Life = { stage: Dispatching; turns: ReturnType<typeof createTurns>; disk: { isFull: boolean } };

/** A seeded bug: makes the dispatcher miss what a commit told it. */
type Deafness = (entries: readonly Entry[]) => boolean;

async function open(file: string, clock: FakeClock, isDeafTo: Deafness): Promise<Life> {
  const turns = createTurns();
  const disk = { isFull: false };
  const journal = (real: Journal): Journal => ({
    ...real,
    get org() {
      return real.org;
    },
    get lastSeq() {
      return real.lastSeq;
    },
    onCommit: (listener) =>
      real.onCommit((entries, lines) => {
        if (!isDeafTo(entries)) listener(entries, lines);
      }),
    async commit(...args) {
      await turns.take();
      const committed = await real.commit(...args);
      await turns.take();
      return committed;
    },
  });
  const stage = await openDispatching({ file, clock, journal });
  stage.db.sqlite.pragma('synchronous = OFF');
  refuseCommits(stage, () => (disk.isFull ? DISK_FULL : undefined));
  await stage.recover();
  stage.start();
  return { stage, turns, disk };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function live(random: Random, isDeafTo: Deafness = () => false): Promise<Dispatching> {
  const directory = testDirectory();
  const clock = fakeClock();
  let lives = 0;
  const file = () => join(directory, `${lives}.db`);
  let life = await open(file(), clock, isDeafTo);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  for (const streamId of STREAMS) await stream(life.stage, streamId);
  for (const workerId of WORKERS) await hire(life.stage, workerId, { streams: [pick(STREAMS)] });

  const over = new Set<string>();
  const openRuns = () => life.stage.runs.filter((run) => !over.has(run.activationId) && !run.signal.aborted);
  const asked: Promise<unknown>[] = [];
  // As tools do: without waiting for the dispatcher. A refusal is an answer, and so is a full disk.
  const ask = (actor: string, command: Command) => asked.push(life.stage.commit(actor, command).catch(() => {}));
  const finish = (result: Partial<AgentResult>) => {
    const run = pick(openRuns());
    if (!run) return;
    over.add(run.activationId);
    run.finish(result);
  };

  type Steps = [number, () => void | Promise<void>][];
  const steady: Steps = [
    [
      10,
      () =>
        void ask(pick(['w-owner', 'transport:x', ...WORKERS]), {
          type: 'Publish',
          streamId: pick(STREAMS),
          content: messageContent('x'),
        }),
    ],
    [3, () => void ask(pick(WORKERS), { type: 'Subscribe', streamId: pick(STREAMS), filter: null })],
    [2, () => void ask(pick(WORKERS), { type: 'Unsubscribe', streamId: pick(STREAMS) })],
    [1, () => void ask('w-owner', { type: 'ActivateWorker', workerId: pick(WORKERS), reason: 'look' })],
    [9, () => finish(pick(RESULTS))],
    [1, () => void life.stage.dispatcher.interrupt(pick(WORKERS), 'person')],
    [5, () => clock.advance(pick([1, 5_000, 10_000, 120_000, 300_000]))],
    [20, () => life.turns.letGo(random)],
    [8, turn],
    [8, () => Promise.resolve()],
  ];
  const upheaval: Steps = [
    [2, () => void ask('w-owner', { type: 'PauseWorker', workerId: pick(WORKERS) })],
    [3, () => void ask('w-owner', { type: 'ResumeWorker', workerId: pick(WORKERS) })],
    [1, () => void ask('w-owner', { type: 'PauseOrg' })],
    [2, () => void ask('w-owner', { type: 'ResumeOrg' })],
    [0.3, () => void ask('w-owner', { type: 'FireWorker', workerId: pick(WORKERS) })],
    [
      1,
      () => {
        life.disk.isFull = !life.disk.isFull;
      },
    ],
    [
      0.7,
      async () => {
        lives += 1;
        // What is under way in this turn is not on disk yet: it dies with the process.
        const copied = life.stage.dieInto(file());
        life.turns.free();
        await copied;
        life = await open(file(), clock, isDeafTo);
      },
    ],
    [
      0.4,
      async () => {
        life.disk.isFull = false;
        life.turns.free();
        await life.stage.close();
        life = await open(file(), clock, isDeafTo);
      },
    ],
  ];
  const play = async (script: Steps, count: number) => {
    const total = script.reduce((sum, [weight]) => sum + weight, 0);
    for (let n = 0; n < count; n++) {
      let at = random() * total;
      const step = script.find(([weight]) => {
        at -= weight;
        return at < 0;
      });
      await step?.[1]();
      const running = life.stage.queries.runningActivations().map((row) => row.worker);
      expect(new Set(running).size).toBe(running.length);
    }
  };

  await play([...steady, ...upheaval], STEPS);
  life.disk.isFull = false;
  await Promise.all([
    ...asked,
    life.stage.commit('w-owner', { type: 'ResumeOrg' }),
    ...WORKERS.map((workerId) => life.stage.commit('w-owner', { type: 'ResumeWorker', workerId }).catch(() => {})),
  ]);
  // From here on nothing looks at everybody again, which would make good for a wake that was lost.
  await play(steady, STEPS);
  life.turns.free();
  await Promise.all(asked);
  life.stage.play = () => ({});
  for (let n = 0; n < 40; n++) {
    for (const run of openRuns()) {
      over.add(run.activationId);
      run.finish();
    }
    clock.advance(300_000);
    await turn();
    await life.stage.idle();
  }
  return life.stage;
}

/** Everything a Worker was ever to be shown, read off the journal by hand. */
function everDue(workerId: string, journal: Entry[]): { due: number[]; fired: boolean } {
  const listens = new Set<string>();
  const due: number[] = [];
  let fired = false;
  for (const { event, seq, actor } of journal) {
    if (event.type === 'EventPublished' && listens.has(event.streamId) && actor !== workerId) due.push(seq);
    if (!('workerId' in event) || event.workerId !== workerId) continue;
    if (event.type === 'WorkerSubscribed') listens.add(event.streamId);
    if (event.type === 'WorkerUnsubscribed') listens.delete(event.streamId);
    if (event.type === 'WorkerHired' || event.type === 'ActivationRequested') due.push(seq);
    if (event.type === 'WorkerFired') fired = true;
  }
  return { due, fired };
}

const entriesOf = ({ db, journal }: Dispatching): Entry[] =>
  createEntryReader(db)(Array.from({ length: journal.lastSeq }, (_, index) => index + 1)).filter(
    ({ stream }) => stream === null || STREAMS.includes(stream),
  );

/** What is wrong at the end of a life, in words. */
function problemsOf(stage: Dispatching): string[] {
  const journal = entriesOf(stage);
  const problems: string[] = verifyJournal(stage.db).problems.map(({ problem }) => problem);
  for (const workerId of WORKERS) {
    const { due, fired } = everDue(workerId, journal);
    const runs = stage.queries.activationsOf(workerId, 10_000);
    const ended = [
      ...runs.filter(({ state }) => state === 'done').flatMap(({ triggers }) => triggers),
      ...due.filter((seq) => isParked(stage, workerId, seq)),
    ];
    if (runs.some(({ state }) => state === 'running')) problems.push(`${workerId} claims to run`);
    if (new Set(ended).size !== ended.length) problems.push(`${workerId} was shown something twice`);
    const lost = due.filter((seq) => !ended.includes(seq));
    if (!fired && lost.length > 0) problems.push(`${workerId} was never shown ${lost.join()}`);
    if (ended.some((seq) => !due.includes(seq))) problems.push(`${workerId} was shown what it did not listen to`);
    if (stage.inbox.waiting(workerId, 1) > 0) problems.push(`${workerId} has work and nobody looks`);
  }
  return problems;
}

const isParked = (stage: Dispatching, workerId: string, seq: number) =>
  stage.queries.asideOf(seq).some((row) => row.worker === workerId && row.state === 'parked');

test(`no wake is lost in ${RUNS} interleavings`, { timeout: 600_000 }, async () => {
  const seen: Record<string, number> = { done: 0, failed: 0, interrupted: 0, lost: 0, parked: 0 };
  for (let run = 0; run < RUNS; run++) {
    const stage = await live(numbersFrom(seed + run));
    expect(problemsOf(stage), `seed ${seed + run}`).toEqual([]);
    for (const workerId of WORKERS)
      for (const { state } of stage.queries.activationsOf(workerId, 10_000)) seen[state] = (seen[state] ?? 0) + 1;
    seen.parked = (seen.parked ?? 0) + stage.queries.setAside('parked', 1_000).length;
    await stage.close();
  }
  console.log(seen);
  // A script in which nothing happens would lose nothing either.
  expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
});

test('a dispatcher that overhears most commits is found out', { timeout: 120_000 }, async () => {
  const problems: string[] = [];
  for (let run = 0; run < 60 && problems.length === 0; run++) {
    const random = numbersFrom(seed + run);
    const stage = await live(random, () => random() < 0.6);
    problems.push(...problemsOf(stage));
    await stage.close();
  }
  expect(problems.join()).toMatch(/nobody looks|never shown/);
});
