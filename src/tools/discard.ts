import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workersResult } from './result-schemas.ts';
import { findSetAside } from './set-aside.ts';

export const discard = defineTool({
  name: 'discard',
  title: 'Give up what is held or parked',
  description: 'Give up held or parked work: it wakes nobody any more. The Event itself stays in the history.',
  input: z.object({
    id: required('id', 'An Event, or an activation whose triggers are parked.'),
    workerId: optionalId('Only for this Worker.'),
  }),
  output: workersResult,
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
    return { id, workers: triggers.map((row) => row.workerId) };
  },
});
