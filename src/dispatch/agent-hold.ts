// Holds every start while the agent itself is broken (binary missing, not logged in, over its limit), probing now and then.
import type { Journal } from '../store/journal.ts';

export type AgentHold = {
  /** Whether an activation may start now; while held, only one as a probe when its time has come. */
  allowsStart(running: number): boolean;
  /** What the last activation showed of the agent. */
  note(agentFault: boolean, exit: string): void;
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
  let held: { delayMs: number; until: number } | undefined;
  let cancel = () => {};
  const post = (subject: string, body: string) => {
    // The notice is a courtesy; the held work itself is in the journal.
    deps.journal.commit('system', { type: 'PostNotice', subject, body }).catch(() => {});
  };
  return {
    allowsStart: (running) => !held || (running === 0 && deps.now().getTime() >= held.until),
    note(agentFault, exit) {
      const { kind } = deps.agent;
      if (!agentFault) {
        if (held) post(`The agent ${kind} works again`, 'What waited is being worked off.');
        held = undefined;
        cancel();
        return;
      }
      if (!held) {
        post(
          `The agent ${kind} does not work`,
          `${exit}. No Worker can run until this is mended; nothing is lost, everything waits. It is tried again every few minutes.`,
        );
      }
      const delayMs = Math.min(held ? held.delayMs * 2 : PROBE_FIRST_MS, PROBE_MAX_MS);
      held = { delayMs, until: deps.now().getTime() + delayMs };
      cancel();
      cancel = deps.after(delayMs, onProbe);
    },
    close: () => cancel(),
  };
}
