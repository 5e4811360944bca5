import { z } from 'zod';
import { integer, optionalId } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { readPage } from './event-list.ts';
import { requireReadable } from './readable.ts';
import { eventsResult } from './result-schemas.ts';

export const readEvents = defineTool({
  name: 'read_events',
  title: 'Read Events',
  description:
    'Read the newest Events of the Streams you listen to, or of one Stream, newest first. With wait it blocks until something new lands. ' +
    'For what an AI Worker did in its activations, use worker_log.',
  input: z.object({
    streamId: optionalId('Only this Stream; you need not listen to it.'),
    thread: optionalId('Only Events of this thread.'),
    search: optionalId('Only Events whose text, subject or sender holds all these words.'),
    since: optionalId(
      'Event id; only newer Events are returned. `more: true` says that there are more of them than the limit.',
    ),
    limit: integer('How many, 50 by default, at most 200.'),
    wait: integer('Seconds to wait when there is nothing new; at most 45.'),
  }),
  output: eventsResult,
  effect: 'reads',
  async handler({ streamId, ...page }, context) {
    const { caller, journal } = context;
    const { org } = journal;
    if (streamId !== undefined) {
      requireReadable(context, streamId);
      return readPage(context, [streamId], page);
    }
    // Transcripts would drown everything else; worker_log and streamId show them.
    const own = [...(org.subscribed.get(caller.workerId) ?? [])].filter(
      (id) => org.streams.get(id)?.purpose !== 'transcript',
    );
    return readPage(context, own, page);
  },
});
