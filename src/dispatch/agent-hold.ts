// Holds every start while one kind of agent is broken (binary missing, not logged in, over its limit), probing now and then.
import type { Journal } from '../store/journal.ts';

/** What a run showed of the agent; nothing when the agent never ran, or was stopped by us. */
export type Showed = 'works' | 'fault' | 'nothing';

export type AgentHold = {
  /** Whether an activation may start now; while held, only one as a probe when its time has come. */
  allowsStart(): boolean;
  readonly isHeld: boolean;
  /** Told of each start; the result takes what the run showed when it has ended. */
  watch(): (showed: Showed, exit: string) => void;
  /** Others may be played by this kind now: the journal shall say whom it holds. */
  review(): void;
  /** Its program or login was changed: it is tried now, not when the next probe is due. */
  tryNow(): void;
  /** Nobody is played by this kind any more. */
  end(): void;
  close(): void;
};

type Deps = {
  journal: Pick<Journal, 'commit'> & { readonly org: Pick<Journal['org'], 'holds'> };
  kind: string;
  /** Of the hold in the journal. */
  name: string;
  /** Whom it holds: those for whom one of these kinds was chosen, '' where none was. */
  kinds(): string[];
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

const PROBE_FIRST_MS = 5_000;
const PROBE_MAX_MS = 300_000;

/** A hold that a daemon before this one began lasts: its first run is the probe, and nobody is told a second time. */
export function createAgentHold(deps: Deps, onProbe: () => void): AgentHold {
  const { kind, name, journal, now } = deps;
  let held: { delayMs: number; until: number; reason: string } | undefined;
  let probing = false;
  /** Something was changed while a probe ran, which may have begun without it. */
  let isProbeStale = false;
  let cancel = () => {};
  // That it is held is a courtesy to people; the held work itself is in the journal.
  const record = (command: Parameters<Journal['commit']>[1]) => void journal.commit('system', command).catch(() => {});
  const known = journal.org.holds.get(name);
  if (known) held = { delayMs: PROBE_FIRST_MS, until: now().getTime(), reason: known.reason };

  function holdFor(delayMs: number, reason: string): void {
    held = { delayMs, until: now().getTime() + delayMs, reason };
    cancel();
    cancel = deps.after(delayMs, onProbe);
  }

  const begin = (reason: string, notice?: { subject: string; body: string }) =>
    record({
      type: 'HoldWork',
      hold: name,
      workerId: null,
      kinds: deps.kinds(),
      reason,
      ...(notice ? { notice } : {}),
    });

  function note(showed: Showed, exit: string): void {
    if (showed === 'fault') {
      const reason = `the agent ${kind} does not work: ${exit}`;
      if (!held) begin(reason, broken(exit));
      return holdFor(held ? Math.min(held.delayMs * 2, PROBE_MAX_MS) : PROBE_FIRST_MS, reason);
    }
    if (showed === 'nothing' || !held) return;
    end({ subject: `The agent ${kind} works again`, body: 'What waited is being worked off.' });
  }

  function end(notice?: { subject: string; body: string }): void {
    held = undefined;
    cancel();
    record({ type: 'ResumeWork', hold: name, ...(notice ? { notice } : {}) });
  }

  function tryNow(): void {
    isProbeStale = probing;
    if (!held || probing) return;
    cancel();
    held = { ...held, delayMs: PROBE_FIRST_MS, until: now().getTime() };
    onProbe();
  }

  const broken = (exit: string) => ({
    subject: `The agent ${kind} does not work`,
    body: `${exit.replace(/\.$/, '')}. No Worker that ${kind} plays can run until this is mended; nothing is lost, everything waits. It is tried again every few minutes.`,
  });

  return {
    allowsStart: () => !held || (!probing && now().getTime() >= held.until),
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
        if (isProbe && isProbeStale) tryNow();
      };
    },
    review() {
      const whom = journal.org.holds.get(name)?.kinds;
      if (!held || !whom || whom.join() === deps.kinds().join()) return;
      record({ type: 'ResumeWork', hold: name });
      begin(held.reason);
    },
    tryNow,
    end: () => end(),
    close: () => cancel(),
  };
}
