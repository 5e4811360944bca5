// Holds every start while the agent itself is broken (binary missing, not logged in, over its limit), probing now and then.
import type { Journal } from '../store/journal.ts';

/** What a run showed of the agent; nothing when the agent never ran, or was stopped by us. */
export type Showed = 'works' | 'fault' | 'nothing';

export type AgentHold = {
  /** Whether an activation may start now; while held, only one as a probe when its time has come. */
  allowsStart(): boolean;
  readonly isHeld: boolean;
  /** Told of each start; the result takes what the run showed when it has ended. */
  watch(): (showed: Showed, exit: string) => void;
  close(): void;
};

type Deps = {
  journal: Pick<Journal, 'commit'> & { readonly org: Pick<Journal['org'], 'holds'> };
  agent: { kind: string };
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

const PROBE_FIRST_MS = 5_000;
const PROBE_MAX_MS = 300_000;
const PREFIX = 'agent:';

/** A hold that a daemon before this one began lasts: its first run is the probe, and nobody is told a second time. */
export function createAgentHold(deps: Deps, onProbe: () => void): AgentHold {
  const { kind } = deps.agent;
  const hold = `${PREFIX}${kind}`;
  let held: { delayMs: number; until: number } | undefined;
  let probing = false;
  let cancel = () => {};
  // That it is held is a courtesy to people; the held work itself is in the journal.
  const record = (command: Parameters<Journal['commit']>[1]) =>
    void deps.journal.commit('system', command).catch(() => {});
  for (const name of deps.journal.org.holds.keys()) {
    if (name === hold) held = { delayMs: PROBE_FIRST_MS, until: deps.now().getTime() };
    else if (name.startsWith(PREFIX)) record({ type: 'ResumeWork', hold: name });
  }

  function holdFor(delayMs: number): void {
    held = { delayMs, until: deps.now().getTime() + delayMs };
    cancel();
    cancel = deps.after(delayMs, onProbe);
  }

  function note(showed: Showed, exit: string): void {
    if (showed === 'fault') {
      if (!held)
        record({
          type: 'HoldWork',
          hold,
          workerId: null,
          reason: `the agent ${kind} does not work: ${exit}`,
          notice: broken(exit),
        });
      return holdFor(held ? Math.min(held.delayMs * 2, PROBE_MAX_MS) : PROBE_FIRST_MS);
    }
    if (showed === 'nothing' || !held) return;
    held = undefined;
    cancel();
    const notice = { subject: `The agent ${kind} works again`, body: 'What waited is being worked off.' };
    record({ type: 'ResumeWork', hold, notice });
  }

  const broken = (exit: string) => ({
    subject: `The agent ${kind} does not work`,
    body: `${exit}. No Worker can run until this is mended; nothing is lost, everything waits. It is tried again every few minutes.`,
  });

  return {
    allowsStart: () => !held || (!probing && deps.now().getTime() >= held.until),
    get isHeld() {
      return held !== undefined;
    },
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
