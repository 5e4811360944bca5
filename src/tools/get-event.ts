import { z } from 'zod';
import { notFound } from '../domain/errors.ts';
import type { EventView } from '../store/event-reader.ts';
import { required } from './arguments.ts';
import { defineTool, type ToolContext } from './define-tool.ts';
import { show } from './event-list.ts';
import { requireReadable } from './readable.ts';
import { eventResult } from './result-schemas.ts';

export const getEvent = defineTool({
  name: 'get_event',
  title: 'Read one Event',
  description:
    'One whole Event and where it stands in its causal chain: who caused it, through which door, and in which activation.',
  input: z.object({ id: required('id', 'The Event.') }),
  output: eventResult.extend({
    actor: z.string().optional(),
    via: z.string().optional(),
    hops: z.number().int().optional(),
    activationId: z.string().nullable().optional(),
    causedBy: z.string().optional(),
  }),
  effect: 'reads',
  async handler({ id }, context) {
    const event = requireEvent(context, id);
    const entry = context.queries.entry(event.seq);
    if (!entry) return show(event);
    const { actor, via, hops, activationId, causedBy } = entry;
    const cause = causedBy === null ? undefined : context.queries.eventAt(causedBy)?.id;
    return { ...show(event), actor, via, hops, activationId, ...(cause ? { causedBy: cause } : {}) };
  },
});

/** The Event with this id, if the caller may read it. */
export function requireEvent(context: ToolContext, id: string): EventView {
  const event = context.queries.event(id);
  if (!event) throw notFound(`No Event ${id}; read_events shows ids. event "${id}": record not found`);
  requireReadable(context, event.streamId);
  return event;
}
