import { z } from 'zod';
import { integer, optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { requireEvent } from './get-event.ts';
import { showDelivery } from './outbound.ts';
import { pageResult } from './result-schemas.ts';

const PAGE_MAX = 100;

export const eventStatus = defineTool({
  name: 'event_status',
  title: 'What became of an Event',
  description:
    'What an Event led to, for each Worker that listened: queued, in_activation, handled, held, filtered, expired, parked, dropped, redacted, skipped (its publisher) or read_only (people), with the reason; and how it fares on its way out, if it leaves. One asked in person that said nothing: handled, finished without reply.',
  input: z.object({
    id: required('id', 'The Event.'),
    cursor: optionalId('Where the last page ended: its `cursor`.'),
    limit: integer('Workers to return; at most 100.'),
  }),
  output: z.object({
    id: z.string(),
    streamId: z.string(),
    workers: z.array(
      z.object({ workerId: z.string(), state: z.string(), reason: z.string(), activationId: z.string().optional() }),
    ),
    outbound: z
      .array(z.object({ deliveryId: z.string(), state: z.string() }).catchall(z.unknown()))
      .nullable()
      .describe(
        'Its ways out, each queued, held, delivering, retrying, delivered, dead, discarded or disabled; null when it does not leave.',
      ),
    ...pageResult,
  }),
  effect: 'reads',
  async handler({ id, cursor, limit }, context) {
    const { seq, streamId, source } = requireEvent(context, id);
    const size = Math.min(limit && limit > 0 ? limit : PAGE_MAX, PAGE_MAX);
    const event = { seq, stream: streamId, publisher: source };
    const status = context.queries.eventStatus;
    const rows = status.page(event, cursor ?? '', size + 1);
    const workers = rows.slice(0, size);
    const deliveries = context.queries.deliveriesOf(seq);
    const outbound = deliveries.length > 0 ? deliveries.map((row) => showDelivery(context, row)) : null;
    const more = rows.length > size ? { cursor: workers.at(-1)?.workerId } : {};
    return { id, streamId, total: status.total(event), workers, outbound, ...more };
  },
});
