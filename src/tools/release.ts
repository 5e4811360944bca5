import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { findSetAside } from './set-aside.ts';

export const release = defineTool({
  name: 'release',
  title: 'Let go what is held',
  description:
    'Let an Event that is held wake its Workers after all, or all that is held for a Worker by the limit of activations per cause. For work whose runs failed, use retry; to give it up, discard.',
  input: z.object({
    id: required('id', 'The held Event, or a Worker.'),
    workerId: optionalId('Only for this Worker.'),
  }),
  effect: 'changes',
  async handler({ id, workerId }, context) {
    const { heldEvent, triggers } = findSetAside(context, id, workerId);
    const held = triggers.filter(({ state }) => state === 'held');
    if (!heldEvent && held.length === 0)
      throw conflict(`Nothing of ${id} is held; event_status shows where it stands.`);
    const released = heldEvent ? await context.change({ type: 'ReleaseEvent', ...heldEvent }) : undefined;
    await Promise.all(
      held.map((row) => context.change({ type: 'RequeueTriggers', workerId: row.workerId, triggers: row.seqs })),
    );
    const woken = released?.entries.flatMap(({ event }) => (event.type === 'EventReleased' ? event.workers : [])) ?? [];
    return { id, workers: [...woken, ...held.map((row) => row.workerId)] };
  },
});
