// What must hold of a database after any number of crashes.
import { join } from 'node:path';
import { openDatabase } from '../../src/store/database.ts';
import { createInbox } from '../../src/store/inbox.ts';
import { createQueries } from '../../src/store/queries.ts';
import { dumpReadTables, rebuildReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import type { Acknowledged } from './serve.ts';

export type Judgement = {
  /** Acknowledged and not there. */
  lost: string[];
  /** Bodies that are there more than once. */
  twice: string[];
  /** Events that two activations of a Worker ended well with. */
  doneTwice: number[];
  /** Activations that claim to run. */
  running: string[];
  /** Triggers that wait in the inbox of w-worker. */
  waiting: number;
  attempts: number;
  problems: string[];
  rebuildDiffers: boolean;
  events: number;
};

/** @param dataDir of a daemon that does not run */
export function judge(dataDir: string, acknowledged: Acknowledged[]): Judgement {
  const db = openDatabase(join(dataDir, 'org.db'));
  try {
    const queries = createQueries(db);
    const events = allEvents(queries);
    const bodies = new Map<string, number>();
    for (const { body } of events) bodies.set(body, (bodies.get(body) ?? 0) + 1);
    const before = dumpReadTables(db);
    const { problems } = verifyJournal(db);
    const waiting = createInbox(db).waiting('w-worker', 1_000_000);
    const activations = queries.activationsOf('w-worker', 1_000_000);
    rebuildReadTables(db);
    return {
      lost: acknowledged.filter(({ id, body }) => queries.event(id)?.body !== body).map(({ key }) => key),
      twice: [...bodies].flatMap(([body, times]) => (times > 1 ? [body] : [])),
      doneTwice: twiceIn(activations.filter(({ state }) => state === 'done').flatMap(({ triggers }) => triggers)),
      running: activations.flatMap(({ id, state }) => (state === 'running' ? [id] : [])),
      waiting,
      attempts: activations.filter(({ attempt }) => attempt > 1).length,
      problems: problems.map(({ seq, problem }) => `${seq} ${problem}`),
      rebuildDiffers: dumpReadTables(db) !== before,
      events: events.length,
    };
  } finally {
    db.sqlite.close();
  }
}

function allEvents(queries: ReturnType<typeof createQueries>) {
  const found = [];
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = queries.events(['s-in'], { before, limit: 1_000 });
    found.push(...page);
    const last = page.at(-1);
    if (!last) return found;
    before = last.seq;
  }
}

function twiceIn(numbers: number[]): number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => seen.has(number) || !seen.add(number));
}
