// After a crash: what claims to run and does not is ended, and what still runs without us is stopped first.
import type { OpenBatch } from '../domain/activation.ts';
import type { Inbox } from '../store/inbox.ts';
import type { Journal } from '../store/journal.ts';
import type { Processes } from '../store/processes.ts';
import type { ActivationRow, Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import { parkedNotice } from './parked-notice.ts';
import { settle } from './settle.ts';

export type RecoveryDeps = {
  journal: Journal;
  queries: Queries;
  inbox: Inbox;
  processes: Processes;
  settings: Settings;
  /** Stops every process of an activation; resolves when they are gone. */
  stopProcesses(activationId: string, process?: { pid: number; startedAt: string }): Promise<void>;
  now(): Date;
};

const EXIT = 'lost: the daemon was stopped while it ran';

/** @returns the activations that were found cut off */
export async function recover(deps: RecoveryDeps): Promise<string[]> {
  const { queries, processes } = deps;
  const left = new Map(processes.list().map((row) => [row.activationId, row]));
  const cutOff = queries.runningActivations();
  const ids = new Set([...left.keys(), ...cutOff.map(({ id }) => id)]);
  await Promise.all([...ids].map((id) => deps.stopProcesses(id, left.get(id))));
  for (const activation of cutOff) await endLost(deps, activation);
  for (const id of ids) processes.forget(id);
  return cutOff.map(({ id }) => id);
}

async function endLost(
  { journal, queries, inbox, settings, now }: RecoveryDeps,
  activation: ActivationRow,
): Promise<void> {
  const { id: activationId, worker: workerId, attempt, root, hops } = activation;
  const open: OpenBatch | undefined = inbox.openBatch(workerId);
  const shown = {
    triggers: activation.triggers,
    rest: open ? open.triggers.filter((seq) => !activation.triggers.includes(seq)) : [],
    attempt,
    oneByOne: open?.oneByOne ?? false,
    checkpoint: queries.worker(workerId)?.checkpoint ?? 0,
  };
  const policy = { attempts: settings.get('dispatch.attempts'), nowMs: now().getTime() };
  const settlement = settle(shown, { outcome: 'lost', exit: EXIT, agentFault: false }, policy);
  // In one transaction with the end, which is handed over in this same turn.
  journal.transcribe([{ worker: workerId, activationId, at: now().toISOString(), body: `=== exit: ${EXIT} ===` }]);
  const ended = { activationId, workerId, outcome: 'lost' as const, exit: EXIT, published: 0, changed: 0, usage: {} };
  const notice = settlement.parked.length > 0 ? { notice: parkedNotice(workerId, activation, EXIT) } : {};
  await journal.commit(
    'system',
    { type: 'EndActivation', ...ended, ...settlement, ...notice },
    { cause: { causedBy: activation.seq, root, hops, activationId } },
  );
}
