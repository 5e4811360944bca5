import { z } from 'zod';
import { missing } from '../domain/errors.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { outboundHealth } from './outbound.ts';
import { requireReadable } from './readable.ts';

export const getStream = defineTool({
  name: 'get_stream',
  title: 'Look at a Stream',
  description:
    'One Stream with its transport: where it takes things in from outside, the address to send to; where it sends, how that goes.',
  input: z.object({ id: required('id', 'The Stream.') }),
  output: z
    .object({
      id: z.string(),
      name: z.string(),
      description: z.string(),
      createdBy: z.string(),
      createdAt: z.string(),
      transportKind: z.string(),
      transportConfig: z.record(z.string(), z.unknown()),
      private: z.boolean(),
      events: z.number().int(),
      deletedAt: z.string().optional(),
      url: z.string().optional(),
    })
    .catchall(z.unknown()),
  effect: 'reads',
  async handler({ id }, context) {
    requireReadable(context, id);
    const { queries, journal, transports } = context;
    const stream = queries.stream(id);
    if (!stream) throw missing('stream', id, journal.org.streams.keys(), 'list_streams');
    const { name, description, createdBy, createdAt, transportKind, transportConfig, eventCount, deletedAt } = stream;
    const transport = { kind: transportKind, config: transportConfig };
    const info = transports.get(transportKind);
    const described = { ...info?.describeInbound?.(id, transport), ...info?.describeTimes?.(transport) };
    return {
      id,
      name,
      description,
      createdBy,
      createdAt,
      transportKind,
      transportConfig,
      private: stream.private,
      hold: stream.hold,
      batch: stream.batch,
      events: eventCount,
      ...(deletedAt ? { deletedAt } : {}),
      ...described,
      ...(info?.way ? { outbound: outboundHealth(context, id) } : {}),
    };
  },
});
