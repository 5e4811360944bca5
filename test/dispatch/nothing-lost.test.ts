// Whatever happens, in whatever order: each Event is dealt with exactly once, or parked where a person sees it.
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentResult } from '../../src/domain/agent.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { fakeClock } from '../support/dispatch.ts';
import { type Dispatching, openDispatching } from '../support/dispatcher.ts';
import { hire, stream, testDirectory } from '../support/org.ts';

const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 31));
const WORKERS = ['w-ann', 'w-bob'];

type Step =
  | { do: 'publish'; by: string }
  | { do: 'finish'; which: number; result: Partial<AgentResult> }
  | { do: 'pause' | 'resume' | 'interrupt' | 'retry'; worker: string }
  | { do: 'advance'; ms: number }
  | { do: 'turns'; count: number }
  | { do: 'die' | 'stop' };

const worker = fc.constantFrom(...WORKERS);
const results = fc.constantFrom<Partial<AgentResult>>(
  {},
  {},
  { outcome: 'failed', exit: 'exit code 1' },
  { outcome: 'timed_out', exit: 'time limit' },
  { outcome: 'failed', exit: 'not logged in', agentFault: true },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      by: fc.constantFrom('w-owner', 'transport:x', ...WORKERS),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat({ max: 3 }), result: results }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 5_000, 10_000, 120_000, 300_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.nat({ max: 5 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'interrupt' as const), worker }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'stop' as const) }) },
);

/** One stage after another on the same database: what a death or a stop leaves, the next one takes up. */
async function open(file: string, clock: ReturnType<typeof fakeClock>): Promise<Dispatching> {
  const stage = await openDispatching({ file, clock });
  stage.db.sqlite.pragma('synchronous = OFF');
  await stage.recover();
  stage.start();
  return stage;
}

async function live(list: Step[]): Promise<Dispatching> {
  const directory = testDirectory();
  let lives = 0;
  const file = () => join(directory, `${lives}.db`);
  const clock = fakeClock();
  let stage = await open(file(), clock);
  await stream(stage, 's-all');
  for (const workerId of WORKERS) await hire(stage, workerId, { streams: ['s-all'] });
  const openRuns = () => stage.runs.filter((run) => !over.has(run.activationId) && !run.signal.aborted);
  const over = new Set<string>();
  for (const step of list) {
    switch (step.do) {
      case 'publish':
        await stage.publish(step.by, 's-all', 'hello');
        break;
      case 'finish': {
        const run = openRuns()[step.which];
        if (!run) break;
        over.add(run.activationId);
        run.finish(step.result);
        break;
      }
      case 'pause':
        await stage.commit('w-owner', { type: 'PauseWorker', workerId: step.worker });
        break;
      case 'resume':
        await stage.commit('w-owner', { type: 'ResumeWorker', workerId: step.worker });
        break;
      case 'interrupt':
        stage.dispatcher.interrupt(step.worker, 'person');
        break;
      case 'advance':
        clock.advance(step.ms);
        break;
      case 'turns':
        for (let n = 0; n < step.count; n++) await new Promise((resolve) => setImmediate(resolve));
        break;
      case 'die':
        lives += 1;
        await stage.dieInto(file());
        stage = await open(file(), clock);
        break;
      case 'stop':
        await stage.close();
        stage = await open(file(), clock);
        break;
      default:
        break;
    }
    const running = stage.queries.runningActivations().map((row) => row.worker);
    expect(new Set(running).size).toBe(running.length);
  }
  for (const workerId of WORKERS) await stage.commit('w-owner', { type: 'ResumeWorker', workerId });
  for (const run of openRuns()) run.finish();
  stage.play = () => ({});
  for (let n = 0; n < 60; n++) {
    for (const run of openRuns()) run.finish();
    clock.advance(300_000);
    await new Promise((resolve) => setImmediate(resolve));
    await stage.idle();
  }
  return stage;
}

test(`each Event is dealt with once or parked, in order (seed ${seed})`, { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60 }), async (list) => {
      const stage = await live(list);
      const events = stage.queries.events(['s-all'], { limit: 1_000 }).reverse();
      for (const workerId of WORKERS) {
        const runs = stage.queries.activationsOf(workerId, 10_000).reverse();
        expect(runs.filter(({ state }) => state === 'running')).toEqual([]);
        const done = runs.filter(({ state }) => state === 'done').flatMap(({ triggers }) => triggers);
        expect(done).toEqual(done.toSorted((a, b) => a - b));
        for (const { seq, source } of events) {
          const times = done.filter((each) => each === seq).length;
          const parked = stage.queries
            .asideOf(seq)
            .filter((row) => row.worker === workerId && row.state === 'parked').length;
          expect({ workerId, seq, ends: times + parked }).toEqual({ workerId, seq, ends: source === workerId ? 0 : 1 });
        }
        expect(stage.inbox.waiting(workerId, 10)).toBe(0);
        const lines = await stage.transcript(workerId);
        const exits = lines.filter((line) => line.startsWith('=== exit:')).length;
        expect(exits).toBe(runs.length);
      }
      expect(verifyJournal(stage.db).problems).toEqual([]);
      await stage.close();
    }),
    { seed, numRuns: 60 },
  );
});
