import { z } from 'zod';
import { forbidden } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { filterInput, toFilter } from './filter-input.ts';
import { withWarnings } from './refresh-folders.ts';
import { warnings } from './result-schemas.ts';
import { strangerWarnings } from './strangers.ts';

export const subscribe = defineTool({
  name: 'subscribe',
  title: 'Listen to a Stream',
  description: 'Listen to a Stream: its Events wake you from now on. For others, use invite_workers.',
  input: z.object({ streamId: required('streamId', 'The Stream.'), filter: filterInput }),
  output: z.object({ workerId: z.string(), streamId: z.string(), ...warnings }),
  effect: 'adds',
  async handler({ streamId, filter }, context) {
    const { caller, journal, change } = context;
    const { org } = journal;
    const known = org.streams.has(streamId);
    if (known && !mayRead(org, caller.workerId, streamId)) {
      throw forbidden(`Stream ${streamId} is private; ask a member to invite you.`);
    }
    await change({ type: 'Subscribe', streamId, filter: toFilter(filter) });
    return { workerId: caller.workerId, streamId, ...withWarnings(strangerWarnings(context, [caller.workerId])) };
  },
});
