import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { activationStreamId } from '../domain/ids.ts';
import { requireWorker } from '../domain/worker.ts';
import { integer, optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { readPage } from './event-list.ts';
import { requireReadable } from './readable.ts';
import { eventsResult } from './result-schemas.ts';

export const workerLog = defineTool({
  name: 'worker_log',
  title: 'Read a transcript',
  description:
    'Read what an AI Worker did in its activations, line by line, newest first. An activation has ended when its `=== exit: … ===` line is there.',
  input: z.object({
    workerId: required('workerId', 'The AI Worker.'),
    since: optionalId('Event id of a line; only newer lines are returned.'),
    limit: integer('How many lines, 50 by default, at most 200.'),
    wait: integer('Seconds to wait when there is nothing new; at most 45.'),
  }),
  output: eventsResult,
  effect: 'reads',
  async handler({ workerId, ...page }, context) {
    const { journal } = context;
    if (!journal.org.workers.has(workerId)) requireWorker(journal.org, workerId);
    if (journal.org.workers.get(workerId)?.kind === 'human') {
      throw conflict(`worker "${workerId}" is human; only AI workers have activation logs`);
    }
    const streamId = activationStreamId(workerId);
    requireReadable(context, streamId);
    return readPage(context, [streamId], page);
  },
});
