import { z } from 'zod';
import { conflict, invalid } from '../domain/errors.ts';
import { requireStream } from '../domain/stream.ts';
import { endPreviousSecret, rotateStreamSecret } from '../store/stream-secrets.ts';
import { required, tolerant } from './arguments.ts';
import { flag } from './create-stream.ts';
import { defineTool } from './define-tool.ts';
import { requireReadable } from './readable.ts';
import { idResult } from './result-schemas.ts';

const HOUR_MS = 3_600_000;
const OVERLAP_HOURS = 24;
const OVERLAP_HOURS_MAX = 720;

export const rotateSecret = defineTool({
  name: 'rotate_secret',
  title: 'Change the secret of a Stream',
  description:
    'Make a new signing secret for a Stream, shown this once; the old one holds for some hours more, so that the sender can be changed meanwhile. With endPrevious the old one ends at once and nothing new is made.',
  input: z.object({
    streamId: required('streamId', 'The Stream.'),
    overlapHours: tolerant(z.number().min(0).max(OVERLAP_HOURS_MAX).optional()).describe(
      `Hours for which the old secret still holds; ${OVERLAP_HOURS} when left out, 0 ends it now.`,
    ),
    endPrevious: flag('End the old secret of a rotation that is under way.'),
  }),
  output: idResult.extend({
    secret: z.string().optional(),
    previousUntil: z.string().optional(),
    previousEnded: z.boolean().optional(),
  }),
  effect: 'changes',
  async handler({ streamId, overlapHours = OVERLAP_HOURS, endPrevious }, context) {
    const { journal, settings, transports, makeSecret, now, change, caller } = context;
    const { transport } = requireStream(journal.org, streamId);
    requireReadable(context, streamId);
    if (transports.get(transport.kind)?.signs(transport.config) !== true)
      throw invalid(`${streamId} has no secret; update_stream with a transport of secret: true makes one.`);
    if (endPrevious) {
      if (!endPreviousSecret(settings, streamId, now()))
        throw conflict(`No old secret of ${streamId} holds any more; there is nothing to end.`);
      await change({
        type: 'PostNotice',
        subject: `The old secret of ${streamId} was ended`,
        body: `By ${caller.workerId}. The new one alone holds.`,
      });
      return { id: streamId, previousEnded: true };
    }
    const next = makeSecret();
    const rotation = { streamId, next, overlapMs: overlapHours * HOUR_MS, now: now() };
    const previousUntil = rotateStreamSecret(settings, rotation);
    await change({
      type: 'PostNotice',
      subject: `The secret of ${streamId} was changed`,
      body: `By ${caller.workerId}. The old one holds ${previousUntil === undefined ? 'no more' : `until ${previousUntil}`}.`,
    });
    return { id: streamId, secret: next, ...(previousUntil === undefined ? {} : { previousUntil }) };
  },
});
