// Decides who is awake now.
//
// The journal is the queue: this file keeps no list of work, only marks of who may have some. A Worker is
//   quiet    no mark; whatever is in its inbox was looked at,
//   marked   something may have come; it stands in one of two lines, people and the outside before the rest,
//   running  one activation at a time; what comes meanwhile is found by the look after its end,
//   waiting  for a time, a limit or an agent that works; then it is marked again.
// A mark is set after the commit and cleared before the look, so nothing that lands in between is missed; a restart
// marks everybody.
import { OrgError } from '../domain/errors.ts';
import type { Command } from '../domain/org.ts';
import type { Inbox, Urgency } from '../store/inbox.ts';
import type { ActivationDeps } from './activation.ts';
import { createAgentHolds } from './agent-holds.ts';
import { listen } from './ears.ts';
import { createFanOut } from './fan-out.ts';
import { createLineUp } from './line-up.ts';
import { maxInflight } from './max-inflight.ts';
import { createQuiet } from './quiet.ts';
import { RECORD_RETRY_MS } from './record-end.ts';
import { createRestraint, type RestraintDeps } from './restraint.ts';
import { createRuns } from './runs.ts';
import type { StopReason } from './settle.ts';
import { createStallAlarm, type StallAlarm } from './stall-alarm.ts';
import { createTimers } from './timers.ts';

export type DispatcherDeps = Omit<ActivationDeps, 'onMoved'> & RestraintDeps & { inbox: Inbox };

export type WorkerActivity = 'running' | 'waiting' | 'held' | 'paused' | 'idle';

export type Dispatcher = {
  /** Marks everybody; nobody runs before. Call it once the server answers and what was cut off is ended. */
  start(): void;
  /** Stops a Worker's run, if one is under way. */
  interrupt(workerId: string, reason: StopReason): boolean;
  /** Resolves when the Worker's run has ended; at once when it has none. */
  ended(workerId: string): Promise<void>;
  activity(workerId: string): WorkerActivity;
  /** The login of this kind of agent was changed: what waits for it is tried at once. */
  tryAgent(kind: string): void;
  readonly running: number;
  stalled(): StallAlarm['alarm'];
  /** Resolves when nobody runs and nobody is marked. Waiting retries and what a limit holds do not count. */
  idle(): Promise<void>;
  /** Starts nothing more, stops what runs; resolves when all is recorded. */
  stop(): Promise<void>;
};

/** Marked Workers looked at in one turn of the event loop. */
const LOOKS_MAX = 50;
/** Triggers that may expire together. */
const WIDE = { triggers: 500, bytes: Number.POSITIVE_INFINITY };

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { journal, inbox, settings, now, onFailure } = deps;
  /** Workers whose triggers are being set aside; nobody looks at them meanwhile. */
  const recording = new Set<string>();
  let started = false;
  let stopping = false;
  let scheduled = false;

  const timers = createTimers(deps.after);
  const markBack = (workerId: string, isUrgent: boolean) => mark(workerId, isUrgent ? 'urgent' : 'ordinary');
  const holds = createAgentHolds(deps, markBack);
  const restraint = createRestraint(deps, schedule);
  const stall = createStallAlarm(deps, stallReason);
  const runs = createRuns({ ...deps, onMoved: stall.moved }, holds, { onAlive: schedule, onEnd });
  const triggersMax = () => settings.get('dispatch.batch_triggers');
  const lineUp = createLineUp({ inbox, triggersMax, isAwake, onNothing: restraint.drained, onFailure: retryLater });
  const fanOut = createFanOut({
    subscribersOf: (streamId) => journal.org.subscriptions.get(streamId)?.keys() ?? [],
    mark: markBack,
    onDone: () => settleIdle(),
  });
  const unlisten = listen({
    journal,
    landed: fanOut.landed,
    mark,
    markAll,
    stop: (workerId, reason) => void runs.stop(workerId, reason),
    stopAll: runs.stopAll,
    stopShown: runs.stopShown,
    recorded: runs.recorded,
    paced: restraint.paced,
    agentsChanged: () => holds.review(),
  });
  const unlistenSettings = settings.onChange((key) => {
    if (!started || stopping) return;
    if (key.startsWith('dispatch.')) review();
    holds.changed(key);
  });

  function mark(workerId: string, urgency?: Urgency): void {
    if (journal.org.workers.get(workerId)?.kind !== 'ai') return;
    lineUp.mark(workerId, urgency);
    schedule();
  }

  function markAll(): void {
    for (const workerId of journal.org.workers.keys()) mark(workerId);
  }

  /** A limit may have been raised: whatever it holds goes on at once. */
  function review(): void {
    for (const workerId of timers.waitingFor('limit')) mark(workerId);
    restraint.review();
  }

  function schedule(): void {
    if (scheduled || stopping || !started) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      startWhatFits();
    });
  }

  const isBusy = (workerId: string) => runs.of(workerId) !== undefined || recording.has(workerId); // Its end looks again.

  function startWhatFits(): void {
    if (lineUp.sort()) schedule();
    const most = maxInflight(settings);
    // One slot more for people and the outside.
    const hasRoom = (urgent: boolean) => runs.size < most + (urgent ? 1 : 0);
    const mayStart = () => !stopping && !restraint.isOrgHeld && !runs.isStartingEnough;
    for (let looks = 0; mayStart(); looks++) {
      if (looks === LOOKS_MAX) return schedule();
      const next = lineUp.next(hasRoom, isBusy);
      if (!next) break;
      look(next.workerId, next.urgent);
    }
    settleIdle();
  }

  function isAwake(workerId: string): boolean {
    const worker = journal.org.workers.get(workerId);
    return worker?.firedAt === null && !worker.paused && !journal.org.paused;
  }

  /** Clears the mark before the look; whatever commits after the look marks again. */
  function look(workerId: string, isUrgent: boolean): void {
    timers.clear(workerId);
    if (!isAwake(workerId) || !holds.admits(workerId, isUrgent)) return;
    try {
      const bounds = { triggers: triggersMax(), bytes: settings.get('dispatch.batch_bytes') };
      const batch = inbox.next(workerId, bounds);
      if (!batch) return restraint.drained(workerId);
      const waitMs = batch.notBefore === undefined ? 0 : Date.parse(batch.notBefore) - now().getTime();
      if (waitMs > 0) return timers.set(workerId, waitMs, 'retry', () => mark(workerId));
      const verdict = restraint.admit(batch, () => inbox.next(workerId, WIDE), runs.startingRoots());
      switch (verdict.kind) {
        case 'run':
          restraint.passed(workerId);
          return runs.start(batch);
        case 'record':
          return record(workerId, verdict.command);
        case 'wait':
          restraint.begin(verdict.stop);
          return timers.set(workerId, verdict.stop.untilMs - now().getTime(), 'limit', () => mark(workerId));
        case 'wait_all':
          lineUp.putBack(workerId, isUrgent);
          return restraint.holdOrg(verdict.stop);
      }
    } catch (error) {
      retryLater(workerId, error);
    }
  }

  /** Sets triggers aside, then looks at the Worker again. */
  function record(workerId: string, command: Command): void {
    recording.add(workerId);
    const done = (error?: unknown) => {
      recording.delete(workerId);
      onEnd(workerId, error);
    };
    void journal.commit('system', command).then(() => {
      if (command.type === 'ExpireTriggers') restraint.expired();
      done();
    }, done);
  }

  /** What one Worker's inbox holds must not bring down the daemon. */
  function retryLater(workerId: string, error: unknown): void {
    onFailure(error);
    if (!stopping) timers.set(workerId, RECORD_RETRY_MS, 'failure', () => mark(workerId));
  }

  /** What came meanwhile is found by the look after the end. */
  function onEnd(workerId: string, error?: unknown): void {
    // Refused: the Worker was fired, or what it was to be shown was redacted, in the same moment.
    if (error === undefined || error instanceof OrgError) mark(workerId);
    else retryLater(workerId, error);
    if (error === undefined) stall.moved();
    schedule();
    settleIdle();
  }

  function stallReason(): string | undefined {
    if (stopping) return undefined;
    if (!started) return 'what the last stop of the daemon cut off could not be ended yet.';
    const [failing] = timers.waitingFor('failure');
    if (failing !== undefined) return `something could not be read or recorded for ${failing}; the disk may be full.`;
    if (restraint.isOrgHeld || !lineUp.waits(isBusy)) return undefined;
    return runs.size > 0 ? `Workers wait for one of the ${runs.size} runs to end.` : 'nobody can be started.';
  }

  const isNobodyNext = () => stopping || lineUp.size === 0 || restraint.isOrgHeld;
  const isIdle = () => runs.size + recording.size === 0 && !fanOut.busy && isNobodyNext();

  const quiet = createQuiet(() => isIdle() && !scheduled);
  const settleIdle = (): void => {
    if (!isIdle()) return;
    if (lineUp.size + holds.waiting === 0 && !restraint.isOrgHeld && !stopping) restraint.drained(null);
    quiet.settle();
  };

  return {
    start() {
      started = true;
      markAll();
      review();
      restraint.expired();
    },
    interrupt: runs.stop,
    ended: async (workerId) => void (await runs.of(workerId)?.ended.catch(() => {})),
    activity(workerId) {
      if (runs.of(workerId)) return 'running';
      const worker = journal.org.workers.get(workerId);
      if (worker?.paused || (worker?.kind === 'ai' && journal.org.paused)) return 'paused';
      if (worker?.kind !== 'ai' || !inbox.hasWork(workerId)) return 'idle';
      return restraint.isOrgHeld || holds.isHeld(workerId) || timers.has(workerId, 'limit') ? 'held' : 'waiting';
    },
    tryAgent: holds.tryNow,
    get running() {
      return runs.size;
    },
    stalled: () => stall.alarm,
    idle: quiet.wait,
    async stop() {
      stopping = true;
      unlisten();
      unlistenSettings();
      timers.clearAll();
      for (const part of [holds, restraint, stall]) part.close();
      runs.stopAll('shutdown');
      await quiet.wait();
    },
  };
}
