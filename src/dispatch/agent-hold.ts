// Holds every start while the agent itself is broken (binary missing, not logged in, over its limit), probing now and then.
import type { Journal } from '../store/journal.ts';

/** What a run showed of the agent; nothing when the agent never ran, or was stopped by us. */
export type Showed = 'works' | 'fault' | 'nothing';

export type AgentHold = {
  /** Whether an activation may start now; while held, only one as a probe when its time has come. */
  allowsStart(): boolean;
  /** Told of each start; the result takes what the run showed when it has ended. */
  watch(): (showed: Showed, exit: string) => void;
  close(): void;
};

type Deps = {
  journal: Pick<Journal, 'commit'>;
  agent: { kind: string };
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

const PROBE_FIRST_MS = 5_000;
const PROBE_MAX_MS = 300_000;

export function createAgentHold(deps: Deps, onProbe: () => void): AgentHold {
  const { kind } = deps.agent;
  let held: { delayMs: number; until: number } | undefined;
  let probing = false;
  let cancel = () => {};
  const post = (subject: string, body: string) => {
    // The notice is a courtesy; the held work itself is in the journal.
    deps.journal.commit('system', { type: 'PostNotice', subject, body }).catch(() => {});
  };

  function holdFor(delayMs: number): void {
    held = { delayMs, until: deps.now().getTime() + delayMs };
    cancel();
    cancel = deps.after(delayMs, onProbe);
  }

  function note(showed: Showed, exit: string): void {
    if (showed === 'fault' && !held) {
      post(
        `The agent ${kind} does not work`,
        `${exit}. No Worker can run until this is mended; nothing is lost, everything waits. It is tried again every few minutes.`,
      );
    }
    if (showed === 'fault') return holdFor(held ? Math.min(held.delayMs * 2, PROBE_MAX_MS) : PROBE_FIRST_MS);
    if (showed === 'nothing' || !held) return;
    held = undefined;
    cancel();
    post(`The agent ${kind} works again`, 'What waited is being worked off.');
  }

  return {
    allowsStart: () => !held || (!probing && deps.now().getTime() >= held.until),
    watch() {
      const isProbe = held !== undefined;
      probing ||= isProbe;
      return (showed, exit) => {
        if (isProbe) probing = false;
        // A run that began before the hold says nothing of how the agent is now.
        if (isProbe || !held) note(showed, exit);
      };
    },
    close: () => cancel(),
  };
}
