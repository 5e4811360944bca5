// What must hold of a database after any number of crashes.
import { join } from 'node:path';
import { type Db, openDatabase } from '../../src/store/database.ts';
import type { EventView } from '../../src/store/event-reader.ts';
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
  /** Pairs of an Event and the AI Worker that listens to it which have no state in the ledger, several, or one that is not over. */
  ledger: string[];
  /** Events at or before the checkpoint of w-worker that no run dealt with and that nowhere wait. */
  passedOver: number[];
  /** Activations that began while another of the same Worker was under way. */
  overlapping: string[];
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
    const ledger = events.flatMap((event) => ledgerProblem(queries, event));
    const passedOver = passedOverBy(db, 'w-worker');
    const overlapping = overlapsIn(runEntries(db));
    rebuildReadTables(db);
    return {
      lost: acknowledged.filter(({ id, body }) => queries.event(id)?.body !== body).map(({ key }) => key),
      twice: [...bodies].flatMap(([body, times]) => (times > 1 ? [body] : [])),
      doneTwice: twiceIn(activations.filter(({ state }) => state === 'done').flatMap(({ triggers }) => triggers)),
      running: activations.flatMap(({ id, state }) => (state === 'running' ? [id] : [])),
      waiting,
      ledger,
      passedOver,
      overlapping,
      attempts: activations.filter(({ attempt }) => attempt > 1).length,
      problems: problems.map(({ seq, problem }) => `${seq} ${problem}`),
      rebuildDiffers: dumpReadTables(db) !== before,
      events: events.length,
    };
  } finally {
    db.sqlite.close();
  }
}

const OVER = new Set(['handled', 'parked', 'dropped', 'expired', 'filtered', 'redacted']);

function ledgerProblem(queries: ReturnType<typeof createQueries>, event: EventView): string[] {
  const states = queries.eventStatus
    .page({ seq: event.seq, stream: event.streamId, publisher: event.source }, '', 100)
    .filter(({ workerId }) => workerId === 'w-worker')
    .map(({ state }) => state);
  return states.length === 1 && OVER.has(states[0] ?? '') ? [] : [`${event.id}: ${states.join() || 'nothing'}`];
}

/** By SQL of its own, so that it does not err as the inbox may. */
function passedOverBy({ sqlite }: Db, workerId: string): number[] {
  return sqlite
    .prepare(
      `SELECT j.seq FROM journal j JOIN subscriptions s ON s.stream = j.stream AND s.worker = @workerId
       JOIN workers w ON w.id = @workerId
       WHERE j.type = 'EventPublished' AND j.seq > s.from_seq AND (s.to_seq IS NULL OR j.seq <= s.to_seq)
         AND j.seq <= w.checkpoint AND j.actor <> @workerId
         AND j.seq NOT IN (SELECT seq FROM set_aside WHERE worker = @workerId)
         AND j.seq NOT IN (SELECT t.value FROM activations a, json_each(a.triggers) t
                           WHERE a.worker = @workerId AND a.state = 'done')
         AND j.seq NOT IN (SELECT t.value FROM workers o, json_each(o.open_batch, '$.triggers') t WHERE o.id = @workerId)`,
    )
    .pluck()
    .all({ workerId }) as number[];
}

type RunEntry = { type: 'ActivationStarted' | 'ActivationEnded'; workerId: string; activationId: string };

const runEntries = ({ sqlite }: Db): RunEntry[] =>
  (
    sqlite
      .prepare("SELECT type, data FROM journal WHERE type IN ('ActivationStarted', 'ActivationEnded') ORDER BY seq")
      .all() as { type: RunEntry['type']; data: string }[]
  ).map(({ type, data }) => ({ ...(JSON.parse(data) as Omit<RunEntry, 'type'>), type }));

export function overlapsIn(entries: RunEntry[]): string[] {
  const open = new Map<string, string>();
  const overlapping: string[] = [];
  for (const { type, workerId, activationId } of entries) {
    if (type === 'ActivationStarted') {
      if (open.has(workerId)) overlapping.push(activationId);
      open.set(workerId, activationId);
    } else if (open.get(workerId) === activationId) open.delete(workerId);
  }
  return overlapping;
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
