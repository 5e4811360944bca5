import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { findSetAside } from './set-aside.ts';

export const discard = defineTool({
  name: 'discard',
  title: 'Give up what is held or parked',
  description: 'Give up held, parked or expired work: it wakes nobody any more. The Event itself stays in the history.',
  input: z.object({
    id: required(
      'id',
      'An Event, an activation whose triggers are parked, or a Worker for all that was set aside for it.',
    ),
    workerId: optionalId('Only for this Worker.'),
  }),
  effect: 'changes',
  async handler({ id, workerId }, context) {
    const { heldEvent, triggers } = findSetAside(context, id, workerId);
    if (!heldEvent && triggers.length === 0)
      throw conflict(`Nothing of ${id} is held or parked; event_status shows where it stands.`);
    if (heldEvent) await context.change({ type: 'DiscardEvent', ...heldEvent });
    await Promise.all(
      triggers.map((row) =>
        context.change({ type: 'DropTriggers', workerId: row.workerId, triggers: row.seqs, reason: 'discarded' }),
      ),
    );
    return { id, workers: [...new Set(triggers.map((row) => row.workerId))] };
  },
});
