// What retry, release and discard share: finding the held or parked things an id names.
import { conflict, notFound } from '../domain/errors.ts';
import { activationStreamId } from '../domain/ids.ts';
import type { ToolContext } from './define-tool.ts';
import { requireEvent } from './get-event.ts';
import { requireReadable } from './readable.ts';

export type Found = {
  /** The Event itself is held for everybody. */
  heldEvent?: { event: number; streamId: string };
  /** Per Worker, triggers that were set aside. */
  triggers: { workerId: string; seqs: number[]; state: 'held' | 'parked' }[];
};

/** @param id an Event, or an activation whose triggers were parked */
export function findSetAside(context: ToolContext, id: string, workerId: string | undefined): Found {
  const found = id.startsWith('a-') ? ofActivation(context, id) : ofEvent(context, id);
  if (found.heldEvent && workerId !== undefined) throw conflict(`${id} is held for everybody; leave workerId out.`);
  const triggers = found.triggers.filter((row) => workerId === undefined || row.workerId === workerId);
  return { ...found, triggers };
}

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
    .flatMap(({ worker, state }) =>
      state === 'held' || state === 'parked' ? [{ workerId: worker, seqs: [seq], state }] : [],
    );
  return context.journal.org.heldEvents.has(seq) ? { heldEvent: { event: seq, streamId }, triggers } : { triggers };
}

const stateFor = ({ queries }: ToolContext, seq: number, worker: string) =>
  queries.asideOf(seq).find((row) => row.worker === worker)?.state;
