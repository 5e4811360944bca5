import { z } from 'zod';
import { integer, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { readPage } from './event-list.ts';
import { requireReadable } from './readable.ts';
import { eventsResult } from './result-schemas.ts';

export const listStreamEvents = defineTool({
  name: 'list_stream_events',
  title: 'Read one Stream',
  description:
    'The newest Events of one Stream, newest first, at once. To page by thread or to wait for what comes, use read_events.',
  input: z.object({
    streamId: required('streamId', 'The Stream.'),
    limit: integer('How many, 50 by default, at most 200.'),
  }),
  output: eventsResult,
  effect: 'reads',
  async handler({ streamId, limit }, context) {
    requireReadable(context, streamId);
    return readPage(context, [streamId], { limit });
  },
});
