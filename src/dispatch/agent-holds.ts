// The holds of agents that do not work, one for each kind: Workers whom another kind plays go on. Whoever may not start
// waits here, out of the line, and is marked again when its agent may be tried.
import type { Agents } from '../domain/agent.ts';
import type { Journal } from '../store/journal.ts';
import { type AgentHold, createAgentHold, type Showed } from './agent-hold.ts';

export type AgentHolds = {
  /** Whether a run of this Worker may start now; if not, it waits here. */
  admits(workerId: string, isUrgent: boolean): boolean;
  isHeld(workerId: string): boolean;
  /** How many wait. */
  readonly waiting: number;
  /** Told of each start; the result takes what the run showed when it has ended. */
  watch(kind: string): (showed: Showed, exit: string) => void;
  /** Somebody may be played by another kind from now on. */
  review(): void;
  /** A setting was changed. */
  changed(key: string): void;
  /** The login or the program of this kind was changed: what it holds is tried at once. */
  tryNow(kind: string): void;
  close(): void;
};

export type AgentHoldsDeps = {
  journal: Pick<Journal, 'commit'> & { readonly org: Pick<Journal['org'], 'holds' | 'workers'> };
  agents: Agents;
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

const PREFIX = 'agent:';
/** By the setting that names it: whose program it is. */
const PROGRAMS: Record<string, string> = {
  'claude.bin': 'claude',
  'codex.bin': 'codex',
  'agent.command': 'command',
};

export function createAgentHolds(
  deps: AgentHoldsDeps,
  mark: (workerId: string, isUrgent: boolean) => void,
): AgentHolds {
  const { journal, agents } = deps;
  /** By kind; one for each that has played anybody. */
  const holds = new Map<string, AgentHold>();
  /** By kind: Worker → whether it stood in the urgent line. */
  const waiting = new Map<string, Map<string, boolean>>();

  function of(kind: string): AgentHold {
    const known = holds.get(kind);
    if (known) return known;
    const isDefault = () => agents.defaultKind() === kind;
    const kinds = () => (isDefault() ? [kind, ''] : [kind]);
    const hold = createAgentHold({ ...deps, kind, name: PREFIX + kind, kinds }, () => free(kind));
    holds.set(kind, hold);
    return hold;
  }

  const kindOf = (workerId: string) => agents.of(journal.org.workers.get(workerId)?.agent ?? {}).agent.kind;

  function free(kind: string): void {
    const freed = waiting.get(kind);
    waiting.delete(kind);
    for (const [workerId, isUrgent] of freed ?? []) mark(workerId, isUrgent);
  }

  function plays(kind: string): boolean {
    if (agents.defaultKind() === kind) return true;
    for (const [workerId, worker] of journal.org.workers)
      if (worker.kind === 'ai' && worker.firedAt === null && kindOf(workerId) === kind) return true;
    return false;
  }

  /** A hold of a kind that plays nobody any more would never be tried again. */
  function review(): void {
    for (const name of [...journal.org.holds.keys()]) {
      if (!name.startsWith(PREFIX)) continue;
      const kind = name.slice(PREFIX.length);
      if (plays(kind)) of(kind).review();
      else of(kind).end();
    }
    for (const kind of [...waiting.keys()]) free(kind);
  }

  const tryNow = (kind: string) => holds.get(kind)?.tryNow();

  review();
  return {
    admits(workerId, isUrgent) {
      const kind = kindOf(workerId);
      if (of(kind).allowsStart()) return true;
      const others = waiting.get(kind) ?? new Map<string, boolean>();
      waiting.set(kind, others.set(workerId, isUrgent || others.get(workerId) === true));
      return false;
    },
    isHeld: (workerId) => of(kindOf(workerId)).isHeld,
    get waiting() {
      return waiting.values().reduce((sum, workers) => sum + workers.size, 0);
    },
    watch(kind) {
      const hold = of(kind);
      const end = hold.watch();
      return (showed, exit) => {
        end(showed, exit);
        if (hold.allowsStart()) free(kind);
      };
    },
    review,
    changed(key) {
      if (key.startsWith('agent.')) review();
      const kind = PROGRAMS[key];
      if (kind !== undefined) tryNow(kind);
    },
    tryNow,
    close() {
      for (const hold of holds.values()) hold.close();
    },
  };
}
