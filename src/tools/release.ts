import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workersResult } from './result-schemas.ts';
import { findSetAside, namedDeliveries, resumeSending } from './set-aside.ts';

export const release = defineTool({
  name: 'release',
  title: 'Let go what is held',
  description:
    'Let what is held go on: an Event that wakes nobody, what the limit of activations per cause holds for a Worker, or a message that waits to leave, which only a person may let go. For work whose runs failed, use retry; to give it up, discard.',
  input: z.object({
    id: required('id', 'The held Event, a Worker, or a Stream that stopped sending.'),
    workerId: optionalId('Only for this Worker.'),
  }),
  output: workersResult,
  effect: 'changes',
  async handler({ id, workerId }, context) {
    if (id.startsWith('s-')) return resumeSending(context, id);
    const { heldEvent, triggers, deliveries } = findSetAside(context, id, workerId);
    const leaving = namedDeliveries(deliveries.filter(({ state }) => state === 'held'));
    const held = triggers.filter(({ state }) => state === 'held');
    if (!heldEvent && held.length === 0 && !leaving)
      throw conflict(`Nothing of ${id} is held; event_status shows where it stands.`);
    if (leaving) await context.change({ type: 'RequeueDeliveries', from: 'held', ...leaving });
    const released = heldEvent ? await context.change({ type: 'ReleaseEvent', ...heldEvent }) : undefined;
    await Promise.all(
      held.map((row) => context.change({ type: 'RequeueTriggers', workerId: row.workerId, triggers: row.seqs })),
    );
    const woken = released?.entries.flatMap(({ event }) => (event.type === 'EventReleased' ? event.workers : [])) ?? [];
    const workers = [...woken, ...held.map((row) => row.workerId)];
    return { id, workers, ...(leaving ? { deliveries: leaving.deliveryIds } : {}) };
  },
});
