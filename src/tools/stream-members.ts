import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { requireReadable } from './readable.ts';
import { pageResult } from './result-schemas.ts';

export const streamMembers = defineTool({
  name: 'stream_members',
  title: 'Who listens',
  description: 'The Workers that listen to a Stream.',
  input: z.object({ streamId: required('streamId', 'The Stream.'), ...pageInput }),
  output: z.object({ streamId: z.string(), members: z.array(z.string()), ...pageResult }),
  effect: 'reads',
  async handler({ streamId, ...page }, context) {
    requireReadable(context, streamId);
    const { rows, ...rest } = pageOf(context.queries.members(streamId), (id) => id, page);
    return { streamId, members: rows, ...rest };
  },
});
