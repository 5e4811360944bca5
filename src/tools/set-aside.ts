// What retry, release and discard share: finding the held, parked or expired things an id names.
import { conflict, notFound } from '../domain/errors.ts';
import { activationStreamId } from '../domain/ids.ts';
import { requireWorker } from '../domain/worker.ts';
import type { DeliveryRow } from '../store/deliveries.ts';
import type { ToolContext } from './define-tool.ts';
import { requireEvent } from './get-event.ts';
import { requireReadable } from './readable.ts';

export type Found = {
  /** The Event itself is held for everybody. */
  heldEvent?: { event: number; streamId: string };
  /** Per Worker, triggers that were set aside. */
  triggers: { workerId: string; seqs: number[]; state: Away }[];
  /** Its ways out that have not come to a good end. */
  deliveries: DeliveryRow[];
};

type Away = 'held' | 'parked' | 'expired';

/** @param id an Event, an activation whose triggers were parked, or a Worker for all that was set aside for it */
export function findSetAside(context: ToolContext, id: string, workerId: string | undefined): Found {
  const found = find(context, id);
  if (found.heldEvent && workerId !== undefined) throw conflict(`${id} is held for everybody; leave workerId out.`);
  const triggers = found.triggers.filter((row) => workerId === undefined || row.workerId === workerId);
  // Whoever names a Worker means its work, not what leaves; a copy for that Worker is meant as well.
  const deliveries = found.deliveries.filter((row) => workerId === undefined || row.recipient === workerId);
  return { ...found, triggers, deliveries };
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
    deliveries: [],
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
  return { triggers: seqs.length > 0 ? [{ workerId: activation.worker, seqs, state: 'parked' }] : [], deliveries: [] };
}

function ofEvent(context: ToolContext, id: string): Found {
  const { seq, streamId } = requireEvent(context, id);
  const triggers = context.queries
    .asideOf(seq)
    .flatMap(({ worker, state }) => (isAway(state) ? [{ workerId: worker, seqs: [seq], state }] : []));
  const deliveries = context.queries.deliveriesOf(seq).filter(({ state }) => state !== 'delivered');
  const heldEvent = context.journal.org.heldEvents.has(seq) ? { heldEvent: { event: seq, streamId } } : {};
  return { ...heldEvent, triggers, deliveries };
}

/** What a command needs to name deliveries of one Event; undefined when there are none. */
export function namedDeliveries(
  rows: DeliveryRow[],
): { event: number; streamId: string; deliveryIds: string[] } | undefined {
  const [first] = rows;
  return first && { event: first.seq, streamId: first.stream, deliveryIds: rows.map(({ id }) => id) };
}

/** Lets a Stream send again whose target said it was gone. @throws OrgError conflict when nothing keeps it from sending */
export async function resumeSending(
  context: ToolContext,
  streamId: string,
): Promise<{ id: string; workers: string[] }> {
  requireReadable(context, streamId);
  const { entries } = await context.change({ type: 'ResumeSending', streamId });
  if (entries.length === 0) throw conflict(`Stream ${streamId} is not stopped; get_stream shows how sending goes.`);
  return { id: streamId, workers: [] };
}

const stateFor = ({ queries }: ToolContext, seq: number, worker: string) =>
  queries.asideOf(seq).find((row) => row.worker === worker)?.state;
