// Decides who is awake now.
//
// The journal is the queue: this file keeps no list of work, only marks of who may have some. A Worker is
//   quiet    no mark; whatever is in its inbox was looked at,
//   marked   something may have come; it stands in one of two lines, people and the outside before the rest,
//   running  one activation at a time; what comes meanwhile is found by the look after its end,
//   waiting  its batch may not be shown before a time; a timer marks it again.
// A mark is set after the commit and cleared before the look, so nothing that lands in between is missed; a restart
// marks everybody. While the agent itself is broken, nothing starts but a probe now and then.
import { cpus } from 'node:os';
import { OrgError } from '../domain/errors.ts';
import { triggers } from '../domain/evolve.ts';
import type { Entry } from '../store/entries.ts';
import type { Batch, Inbox } from '../store/inbox.ts';
import { type ActivationDeps, type Running, startActivation } from './activation.ts';
import { type AgentHold, createAgentHold } from './agent-hold.ts';
import { createFanOut } from './fan-out.ts';
import { createLines } from './lines.ts';
import { maxInflight } from './max-inflight.ts';
import { createQuiet } from './quiet.ts';
import { RECORD_RETRY_MS } from './record-end.ts';
import type { StopReason } from './settle.ts';

export type DispatcherDeps = ActivationDeps & { inbox: Inbox };

export type WorkerActivity = 'running' | 'waiting' | 'paused' | 'idle';

export type Dispatcher = {
  /** Marks everybody; nobody runs before. Call it once the server answers and what was cut off is ended. */
  start(): void;
  /** Stops a Worker's run, if one is under way. */
  interrupt(workerId: string, reason: StopReason): boolean;
  /** Resolves when the Worker's run has ended; at once when it has none. */
  ended(workerId: string): Promise<void>;
  activity(workerId: string): WorkerActivity;
  readonly running: number;
  /** Resolves when nobody runs and nobody is marked. Waiting retries do not count. */
  idle(): Promise<void>;
  /** Starts nothing more, stops what runs; resolves when all is recorded. */
  stop(): Promise<void>;
};

/** Marked Workers looked at in one turn of the event loop. */
const LOOKS_MAX = 50;
/** A clock that was set back must not make a timer of more days than a timer can have. */
const WAIT_MAX_MS = 3_600_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { journal, inbox, settings } = deps;
  const running = new Map<string, Running>();
  const lines = createLines();
  const timers = new Map<string, () => void>();
  const startsMax = Math.max(1, cpus().length);
  const hold: AgentHold = createAgentHold(deps, schedule);
  const fanOut = createFanOut({
    subscribersOf: (streamId) => journal.org.subscriptions.get(streamId)?.keys() ?? [],
    mark,
    onDone: () => settleIdle(),
  });
  let starting = 0;
  let started = false;
  let stopping = false;
  let scheduled = false;
  const unlisten = journal.onCommit((entries) => {
    for (const entry of entries) noticeEntry(entry);
  });

  function noticeEntry(entry: Entry): void {
    const { event } = entry;
    switch (event.type) {
      case 'EventPublished':
        if (event.quiet === undefined && triggers(journal.org, event.streamId))
          fanOut.landed(event.streamId, entry.actor, entry.hops === 0);
        return;
      case 'WorkerHired':
      case 'ActivationRequested':
        return mark(event.workerId, entry.hops === 0);
      case 'TriggersRequeued':
      case 'WorkerResumed':
        return mark(event.workerId, true);
      case 'EventReleased':
        for (const workerId of event.workers) mark(workerId, true);
        return;
      case 'OrgResumed':
        return markAll();
      case 'WorkerFired':
        running.get(event.workerId)?.stop('fired');
        return;
      case 'WorkerPaused':
        running.get(event.workerId)?.stop('paused');
        return;
      case 'OrgPaused':
        for (const run of running.values()) run.stop('paused');
        return;
      default:
        return; // Nothing else wakes or stops anybody.
    }
  }

  function mark(workerId: string, urgent: boolean): void {
    if (journal.org.workers.get(workerId)?.kind !== 'ai') return;
    lines.mark(workerId, urgent);
    schedule();
  }

  /** Whoever has nothing to do is quiet again after a look; asking here would hold up the loop. */
  function markAll(): void {
    for (const workerId of journal.org.workers.keys()) mark(workerId, false);
  }

  function schedule(): void {
    if (scheduled || stopping || !started) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      startWhatFits();
    });
  }

  function startWhatFits(): void {
    const most = maxInflight(settings);
    // One slot more for people and the outside.
    const hasRoom = (urgent: boolean) => running.size < most + (urgent ? 1 : 0);
    const runs = (workerId: string) => running.has(workerId); // Its end looks again.
    for (let looks = 0; !stopping && starting < startsMax && hold.allowsStart(); looks++) {
      if (looks === LOOKS_MAX) return schedule();
      const workerId = lines.next(hasRoom, runs);
      if (workerId === undefined) break;
      look(workerId);
    }
    settleIdle();
  }

  /** Clears the mark before the look; whatever commits after the look marks again. */
  function look(workerId: string): void {
    const { org } = journal;
    const worker = org.workers.get(workerId);
    if (!worker || worker.firedAt !== null || worker.paused || org.paused) return;
    try {
      const batch = inbox.next(workerId, {
        triggers: settings.get('dispatch.batch_triggers'),
        bytes: settings.get('dispatch.batch_bytes'),
      });
      if (!batch) return;
      const waitMs = batch.notBefore === undefined ? 0 : Date.parse(batch.notBefore) - deps.now().getTime();
      if (waitMs > 0) wait(workerId, Math.min(waitMs, WAIT_MAX_MS));
      else run(batch);
    } catch (error) {
      retryLater(workerId, error);
    }
  }

  /** What one Worker's inbox holds must not bring down the daemon. */
  function retryLater(workerId: string, error: unknown): void {
    deps.onFailure(error);
    if (!stopping) wait(workerId, RECORD_RETRY_MS);
  }

  function wait(workerId: string, delayMs: number): void {
    timers.get(workerId)?.();
    const cancel = deps.after(delayMs, () => {
      timers.delete(workerId);
      mark(workerId, false);
    });
    timers.set(workerId, cancel);
  }

  function run(batch: Batch): void {
    const { workerId } = batch;
    const ended = hold.watch();
    starting += 1;
    const started = startActivation(deps, batch);
    running.set(workerId, started);
    void started.alive.then(() => {
      starting -= 1;
      schedule();
    });
    started.ended
      .then(
        ({ showed, exit }) => {
          ended(showed, exit);
          running.delete(workerId);
          mark(workerId, false);
        },
        (error: unknown) => {
          ended('nothing', '');
          running.delete(workerId);
          // Refused: the Worker was fired in the same moment.
          if (!(error instanceof OrgError)) retryLater(workerId, error);
        },
      )
      .finally(() => {
        schedule();
        settleIdle();
      });
  }

  const isIdle = () => running.size === 0 && !fanOut.busy && (stopping || lines.size === 0 || !hold.allowsStart());

  const quiet = createQuiet(() => isIdle() && !scheduled);
  const settleIdle = (): void => {
    if (isIdle()) quiet.settle();
  };

  return {
    start() {
      started = true;
      markAll();
      schedule();
    },
    interrupt(workerId, reason) {
      const current = running.get(workerId);
      current?.stop(reason);
      return current !== undefined;
    },
    async ended(workerId) {
      await running.get(workerId)?.ended.catch(() => {});
    },
    activity(workerId) {
      if (running.has(workerId)) return 'running';
      const worker = journal.org.workers.get(workerId);
      if (worker?.paused || (worker?.kind === 'ai' && journal.org.paused)) return 'paused';
      return inbox.hasWork(workerId) ? 'waiting' : 'idle';
    },
    get running() {
      return running.size;
    },
    idle: quiet.wait,
    async stop() {
      stopping = true;
      unlisten();
      hold.close();
      for (const cancel of timers.values()) cancel();
      timers.clear();
      for (const current of running.values()) current.stop('shutdown');
      await quiet.wait();
    },
  };
}
