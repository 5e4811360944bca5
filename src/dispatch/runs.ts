// The runs under way: at most one of each Worker.
import { cpus } from 'node:os';
import type { Batch } from '../store/inbox.ts';
import { type ActivationDeps, causeOf, type Running, startActivation } from './activation.ts';
import type { AgentHolds } from './agent-holds.ts';
import type { StopReason } from './settle.ts';

export type Runs = {
  start(batch: Batch): void;
  of(workerId: string): Running | undefined;
  readonly size: number;
  /** As many start at this moment as may. */
  readonly isStartingEnough: boolean;
  /** Roots of the runs whose start is not in the journal yet. */
  startingRoots(): number[];
  /** The start of a run is in the journal. */
  recorded(workerId: string): void;
  /** @returns whether the Worker has a run */
  stop(workerId: string, reason: StopReason): boolean;
  stopAll(reason: StopReason): void;
  /** Stops the runs that were shown this entry. */
  stopShown(seq: number, reason: StopReason): void;
};

export type RunsEvents = {
  /** A run shows signs of life, so another may start. */
  onAlive(): void;
  /** It is over, and no more among the runs; with an error, its start or its end could not be recorded. */
  onEnd(workerId: string, error?: unknown): void;
};

export function createRuns(
  deps: ActivationDeps,
  holds: Pick<AgentHolds, 'watch'>,
  { onAlive, onEnd }: RunsEvents,
): Runs {
  const running = new Map<string, Running>();
  const unrecorded = new Map<string, number>();
  const startsMax = Math.max(1, cpus().length);
  let starting = 0;
  return {
    start(batch) {
      const { workerId } = batch;
      const played = deps.agents.of(deps.journal.org.workers.get(workerId)?.agent ?? {});
      const showed = holds.watch(played.agent.kind);
      starting += 1;
      unrecorded.set(workerId, causeOf(batch.triggers, '').root);
      const run = startActivation(deps, batch, played);
      running.set(workerId, run);
      void run.alive.then(() => {
        starting -= 1;
        onAlive();
      });
      const leave = () => {
        running.delete(workerId);
        unrecorded.delete(workerId);
      };
      void run.ended.then(
        (end) => {
          showed(end.showed, end.exit);
          leave();
          onEnd(workerId);
        },
        (error: unknown) => {
          showed('nothing', '');
          leave();
          onEnd(workerId, error);
        },
      );
    },
    of: (workerId) => running.get(workerId),
    get size() {
      return running.size;
    },
    get isStartingEnough() {
      return starting >= startsMax;
    },
    startingRoots: () => [...unrecorded.values()],
    recorded: (workerId) => void unrecorded.delete(workerId),
    stop(workerId, reason) {
      const current = running.get(workerId);
      current?.stop(reason);
      return current !== undefined;
    },
    stopAll(reason) {
      for (const run of running.values()) run.stop(reason);
    },
    stopShown(seq, reason) {
      for (const run of running.values()) if (run.triggers.includes(seq)) run.stop(reason);
    },
  };
}
