import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workersResult } from './result-schemas.ts';
import { findSetAside, namedDeliveries, resumeSending } from './set-aside.ts';

export const retry = defineTool({
  name: 'retry',
  title: 'Try again',
  description:
    'Show parked or expired work to its Worker again, from a first attempt, or send a dead letter again. Name the Event, the activation that failed, or the Worker for all of its work; a Stream whose sending was stopped sends again. For what is held, use release.',
  input: z.object({
    id: required('id', 'An Event, an activation, a Worker, or a Stream that stopped sending.'),
    workerId: optionalId('Only for this Worker.'),
  }),
  output: workersResult,
  effect: 'changes',
  async handler({ id, workerId }, context) {
    if (id.startsWith('s-')) return resumeSending(context, id);
    const found = findSetAside(context, id, workerId);
    const parked = found.triggers.filter(({ state }) => state !== 'held');
    // What waits for its next attempt need not wait for it.
    const failed = namedDeliveries(
      found.deliveries.filter(({ state, attempts }) => state === 'dead' || (state === 'queued' && attempts > 0)),
    );
    if (parked.length === 0 && !failed)
      throw conflict(`Nothing of ${id} is parked, expired or a dead letter; event_status shows where it stands.`);
    if (failed) await context.change({ type: 'RequeueDeliveries', from: 'failed', ...failed });
    await Promise.all(
      parked.map((row) => context.change({ type: 'RequeueTriggers', workerId: row.workerId, triggers: row.seqs })),
    );
    const workers = [...new Set(parked.map((row) => row.workerId))];
    return { id, workers, ...(failed ? { deliveries: failed.deliveryIds } : {}) };
  },
});
