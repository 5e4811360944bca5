import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workersResult } from './result-schemas.ts';
import { findSetAside, namedDeliveries } from './set-aside.ts';

export const discard = defineTool({
  name: 'discard',
  title: 'Give up what is held or parked',
  description:
    'Give up held, parked or expired work: it wakes nobody any more, and what has not left yet does not leave. The Event itself stays in the history.',
  input: z.object({
    id: required(
      'id',
      'An Event, an activation whose triggers are parked, or a Worker for all that was set aside for it.',
    ),
    workerId: optionalId('Only for this Worker.'),
  }),
  output: workersResult,
  effect: 'changes',
  async handler({ id, workerId }, context) {
    const { heldEvent, triggers, deliveries } = findSetAside(context, id, workerId);
    const leaving = namedDeliveries(deliveries.filter(({ state }) => state !== 'discarded'));
    if (!heldEvent && triggers.length === 0 && !leaving)
      throw conflict(`Nothing of ${id} is held, parked or on its way out; event_status shows where it stands.`);
    if (leaving) await context.change({ type: 'DiscardDeliveries', ...leaving });
    if (heldEvent) await context.change({ type: 'DiscardEvent', ...heldEvent });
    await Promise.all(
      triggers.map((row) =>
        context.change({ type: 'DropTriggers', workerId: row.workerId, triggers: row.seqs, reason: 'discarded' }),
      ),
    );
    const workers = [...new Set(triggers.map((row) => row.workerId))];
    return { id, workers, ...(leaving ? { deliveries: leaving.deliveryIds } : {}) };
  },
});
