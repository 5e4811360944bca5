import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { findSetAside } from './set-aside.ts';

export const retry = defineTool({
  name: 'retry',
  title: 'Try again',
  description:
    'Show parked or expired work to its Worker again, from a first attempt. Name the Event, the activation that failed, or the Worker for all of its work. For what is held, use release.',
  input: z.object({
    id: required('id', 'An Event, an activation or a Worker.'),
    workerId: optionalId('Only for this Worker.'),
  }),
  effect: 'changes',
  async handler({ id, workerId }, context) {
    const parked = findSetAside(context, id, workerId).triggers.filter(({ state }) => state !== 'held');
    if (parked.length === 0)
      throw conflict(`Nothing of ${id} is parked or expired; event_status shows where it stands.`);
    await Promise.all(
      parked.map((row) => context.change({ type: 'RequeueTriggers', workerId: row.workerId, triggers: row.seqs })),
    );
    return { id, workers: [...new Set(parked.map((row) => row.workerId))] };
  },
});
