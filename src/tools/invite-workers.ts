import { z } from 'zod';
import { forbidden } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import { list, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { filterInput, toFilter } from './filter-input.ts';
import { withWarnings } from './refresh-folders.ts';
import { warnings } from './result-schemas.ts';
import { strangerWarnings } from './strangers.ts';

export const inviteWorkers = defineTool({
  name: 'invite_workers',
  title: 'Subscribe other Workers',
  description:
    'Subscribe Workers to a Stream, all of them or none; {} as filter takes a filter away. To listen yourself, use subscribe.',
  input: z.object({
    streamId: required('streamId', 'The Stream they shall listen to.'),
    workerIds: list(z.string(), 'The Workers to subscribe.'),
    filter: filterInput,
  }),
  output: z.object({ streamId: z.string(), workerIds: z.array(z.string()), ...warnings }),
  effect: 'adds',
  async handler({ streamId, workerIds = [], filter }, context) {
    const { caller, journal, change } = context;
    const { org } = journal;
    if (org.streams.has(streamId) && !mayRead(org, caller.workerId, streamId)) {
      throw forbidden(`Stream ${streamId} is private; only its members invite others.`);
    }
    const wanted = filter === undefined ? {} : { filter: toFilter(filter) };
    await change({ type: 'InviteWorkers', streamId, workerIds, ...wanted });
    return { streamId, workerIds, ...withWarnings(strangerWarnings(context, workerIds)) };
  },
});
