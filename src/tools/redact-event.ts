import { z } from 'zod';
import { conflict } from '../domain/errors.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { requireEvent } from './get-event.ts';
import { idResult } from './result-schemas.ts';

export const redactEvent = defineTool({
  name: 'redact_event',
  title: 'Erase what an Event said',
  description:
    'Erase the text of an Event for good, with attachments, prompts and transcripts that hold it; that it happened, when and why stays. This cannot be undone.',
  input: z.object({ id: required('id', 'The Event.'), reason: optionalId('Why; it is kept.') }),
  output: idResult.extend({ runsErased: z.number().int() }),
  effect: 'changes',
  async handler({ id, reason }, context) {
    const { seq, streamId, redacted } = requireEvent(context, id);
    if (!context.queries.entry(seq))
      throw conflict(`${id} is a line of a transcript; redact the Event that woke the activation.`);
    if (redacted) throw conflict(`${id} was redacted already.`);
    const alsoErase = context.queries.activationsBy(seq).map((activation) => activation.seq);
    await context.change({ type: 'RedactEvent', event: seq, streamId, alsoErase, reason: reason ?? '' });
    return { id, runsErased: alsoErase.length };
  },
});
