import { z } from 'zod';
import { defineTool } from './define-tool.ts';
import { foresee } from './foresee.ts';
import { foreseenResult } from './result-schemas.ts';

const needed = { error: 'toWorkerId and body are required' };

export const dm = defineTool({
  name: 'dm',
  title: 'Send a direct message',
  description:
    'Send a Message to one Worker, on the Stream that belongs to the two of you. To reach everybody who listens to a Stream, use publish.',
  input: z.object({
    toWorkerId: z.string(needed).min(1, needed).describe('Whom to write to.'),
    body: z.string(needed).min(1, needed).max(1_048_576).describe('The text.'),
  }),
  output: z.object({ id: z.string(), streamId: z.string(), to: z.string(), ...foreseenResult }),
  effect: 'adds',
  async handler({ toWorkerId, body }, context) {
    const { entries } = await context.change({ type: 'SendDm', toWorkerId, body });
    const sent = entries.flatMap(({ event }) => (event.type === 'EventPublished' ? [event] : []))[0];
    const streamId = sent?.streamId ?? '';
    return { id: sent?.id ?? '', streamId, to: toWorkerId, ...foresee(context, streamId, entries) };
  },
});
