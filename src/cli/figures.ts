// The daemon's figures as `GET /metrics` gives them: what was counted, and how things stand at that moment.
import { statfsSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { createHealth } from '../store/health.ts';
import type { Inbox } from '../store/inbox.ts';
import type { Core } from './core.ts';
import { MEMORY } from './data-dir.ts';
import type { Meters } from './meters.ts';

export type FiguresDeps = {
  meters: Meters;
  core: Pick<Core, 'db' | 'journal' | 'queries' | 'paths' | 'waits'>;
  inbox: Pick<Inbox, 'waiting'>;
  dispatcher: Pick<Dispatcher, 'running' | 'stalled'>;
  notReady(): string | undefined;
};

/** Counted for each Worker; beyond, there are "many". */
const WAITING_COUNTED = 100;
/** Workers asked in one turn of the event loop. */
const WORKERS_A_TURN = 20;
/** Whoever asks more often is told the same. */
const HOLDS_MS = 1_000;

/** @returns what gives the figures out, and what stops counting */
export function createFigures(deps: FiguresDeps) {
  const { meters, core } = deps;
  const { journal, queries, db } = core;
  const stand = createStand(deps);
  const unlisten = journal.onCommit((entries) => {
    for (const entry of entries) meters.noteEntry(entry, journal, queries);
  });
  let last: { at: number; text: Promise<string> } | undefined;

  async function text(): Promise<string> {
    meters.sample();
    await stand(createHealth(db));
    return meters.registry.metrics();
  }

  return {
    async figures(): Promise<{ type: string; text: string }> {
      if (!last || performance.now() - last.at > HOLDS_MS) last = { at: performance.now(), text: text() };
      return { type: meters.registry.contentType, text: await last.text };
    },
    stop() {
      unlisten();
      meters.stop();
    },
  };
}

function createStand({ meters, core, inbox, dispatcher, notReady }: FiguresDeps) {
  const { journal, paths, waits } = core;
  const gauge = <L extends string>(name: string, help: string, labels: L[] = []) =>
    meters.gauge(`helix_org_${name}`, help, labels);
  const running = gauge('activations_running', 'Activations under way.');
  const queue = gauge(
    'queue_triggers',
    `Triggers that are not dealt with, those of runs under way too; of each Worker at most ${WAITING_COUNTED}.`,
  );
  const queueWorkers = gauge('queue_workers', 'AI Workers for whom something waits.');
  const aside = gauge('set_aside_triggers', 'Triggers that wait for a person, by state.', ['state']);
  const held = gauge('held_events', 'Events that wait for a release.');
  const deliveries = gauge('deliveries', 'Deliveries that are not done with, by state.', ['state']);
  const stopped = gauge('stoppages', 'What keeps Workers from working: pauses, limits, a broken agent.');
  const stalled = gauge('stalled', '1 while work waits and nothing moves.');
  const ready = gauge('ready', '1 when /readyz says ready.');
  const polls = gauge('waiting_calls', 'Calls of tools that wait for Events.');
  const seq = gauge('journal_seq', 'Number of the newest entry.');
  const workers = gauge('workers', 'Workers that are employed, by kind.', ['kind']);
  const wal = gauge('wal_bytes', 'Size of the write-ahead log.');
  const disk = gauge('disk_free_bytes', 'Free where the database lies.');

  return async (health: ReturnType<typeof createHealth>): Promise<void> => {
    running.set(dispatcher.running);
    stalled.set(dispatcher.stalled() ? 1 : 0);
    ready.set(notReady() === undefined ? 1 : 0);
    polls.set(waits.size);
    seq.set(journal.lastSeq);
    held.set(health.heldEvents());
    stopped.set(health.stoppages().length);
    for (const [state, many] of Object.entries(health.aside())) aside.set({ state }, many);
    for (const [state, many] of Object.entries(health.deliveries())) deliveries.set({ state }, many);
    const employed = [...journal.org.workers].filter(([, { firedAt }]) => firedAt === null);
    const ai = employed.filter(([, { kind }]) => kind === 'ai').map(([id]) => id);
    workers.set({ kind: 'ai' }, ai.length);
    workers.set({ kind: 'human' }, employed.length - ai.length);
    const waiting = await countWaiting(inbox, ai);
    queue.set(waiting.triggers);
    queueWorkers.set(waiting.workers);
    if (paths.db === MEMORY) return;
    wal.set(statSync(`${paths.db}-wal`, { throwIfNoEntry: false })?.size ?? 0);
    const { bavail, bsize } = statfsSync(paths.db);
    disk.set(bavail * bsize);
  };
}

async function countWaiting(inbox: Pick<Inbox, 'waiting'>, workerIds: string[]) {
  let [triggers, workers] = [0, 0];
  for (const [index, workerId] of workerIds.entries()) {
    const waiting = inbox.waiting(workerId, WAITING_COUNTED);
    triggers += waiting;
    workers += waiting > 0 ? 1 : 0;
    if (index % WORKERS_A_TURN === WORKERS_A_TURN - 1) await nextTurn();
  }
  return { triggers, workers };
}
