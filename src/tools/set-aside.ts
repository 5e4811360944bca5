// What retry, release and discard share: finding the held, parked or expired things an id names.
import { conflict, notFound } from '../domain/errors.ts';
import { activationStreamId } from '../domain/ids.ts';
import { requireWorker } from '../domain/worker.ts';
import type { ToolContext } from './define-tool.ts';
import { requireEvent } from './get-event.ts';
import { requireReadable } from './readable.ts';

export type Found = {
  /** The Event itself is held for everybody. */
  heldEvent?: { event: number; streamId: string };
  /** Per Worker, triggers that were set aside. */
  triggers: { workerId: string; seqs: number[]; state: Away }[];
};

type Away = 'held' | 'parked' | 'expired';

/** @param id an Event, an activation whose triggers were parked, or a Worker for all that was set aside for it */
export function findSetAside(context: ToolContext, id: string, workerId: string | undefined): Found {
  const found = find(context, id);
  if (found.heldEvent && workerId !== undefined) throw conflict(`${id} is held for everybody; leave workerId out.`);
  const triggers = found.triggers.filter((row) => workerId === undefined || row.workerId === workerId);
  return { ...found, triggers };
}

function find(context: ToolContext, id: string): Found {
  if (id.startsWith('a-')) return ofActivation(context, id);
  return id.startsWith('w-') ? ofWorker(context, id) : ofEvent(context, id);
}

/** Also what has no Event to name it by: its hire, and requests to run. */
function ofWorker(context: ToolContext, workerId: string): Found {
  requireWorker(context.journal.org, workerId);
  requireReadable(context, activationStreamId(workerId));
  const byState = Map.groupBy(context.queries.setAsideOf(workerId), ({ state }) => state);
  return {
    triggers: AWAY.flatMap((state) => {
      const seqs = (byState.get(state) ?? []).map(({ seq }) => seq);
      return seqs.length > 0 ? [{ workerId, seqs, state }] : [];
    }),
  };
}

const AWAY: readonly Away[] = ['held', 'parked', 'expired'];
const isAway = (state: string): state is Away => (AWAY as readonly string[]).includes(state);

function ofActivation(context: ToolContext, id: string): Found {
  const activation = context.queries.activation(id);
  if (!activation)
    throw notFound(`No activation ${id}; list_activations shows ids. activation "${id}": record not found`);
  requireReadable(context, activationStreamId(activation.worker));
  const seqs = activation.triggers.filter((seq) => stateFor(context, seq, activation.worker) === 'parked');
  return { triggers: seqs.length > 0 ? [{ workerId: activation.worker, seqs, state: 'parked' }] : [] };
}

function ofEvent(context: ToolContext, id: string): Found {
  const { seq, streamId } = requireEvent(context, id);
  const triggers = context.queries
    .asideOf(seq)
    .flatMap(({ worker, state }) => (isAway(state) ? [{ workerId: worker, seqs: [seq], state }] : []));
  return context.journal.org.heldEvents.has(seq) ? { heldEvent: { event: seq, streamId }, triggers } : { triggers };
}

const stateFor = ({ queries }: ToolContext, seq: number, worker: string) =>
  queries.asideOf(seq).find((row) => row.worker === worker)?.state;
