import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workersResult } from './result-schemas.ts';
import { findSetAside } from './set-aside.ts';

export const retry = defineTool({
  name: 'retry',
  title: 'Try again',
  description:
    'Show parked work to its Worker again, from a first attempt. Name the Event, or the activation that failed. For what is held, use release.',
  input: z.object({
    id: required('id', 'An Event or an activation.'),
    workerId: optionalId('Only for this Worker.'),
  }),
  output: workersResult,
  effect: 'changes',
  async handler({ id, workerId }, context) {
    const parked = findSetAside(context, id, workerId).triggers.filter(({ state }) => state === 'parked');
    if (parked.length === 0) throw conflict(`Nothing of ${id} is parked; event_status shows where it stands.`);
    await Promise.all(
      parked.map((row) => context.change({ type: 'RequeueTriggers', workerId: row.workerId, triggers: row.seqs })),
    );
    return { id, workers: parked.map((row) => row.workerId) };
  },
});
