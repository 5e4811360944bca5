import { z } from 'zod';
import { missing } from '../domain/errors.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { requireReadable } from './readable.ts';

export const getStream = defineTool({
  name: 'get_stream',
  title: 'Look at a Stream',
  description: 'One Stream with its transport and, where it takes things in from outside, the address to send to.',
  input: z.object({ id: required('id', 'The Stream.') }),
  effect: 'reads',
  async handler({ id }, context) {
    requireReadable(context, id);
    const { queries, journal, transports } = context;
    const stream = queries.stream(id);
    if (!stream) throw missing('stream', id, journal.org.streams.keys(), 'list_streams');
    const { name, description, createdBy, createdAt, transportKind, transportConfig, eventCount, deletedAt } = stream;
    const inbound = transports
      .get(transportKind)
      ?.describeInbound?.(id, { kind: transportKind, config: transportConfig });
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
      ...inbound,
    };
  },
});
