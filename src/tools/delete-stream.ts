import { z } from 'zod';
import { forgetStreamSecrets } from '../store/stream-secrets.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const deleteStream = defineTool({
  name: 'delete_stream',
  title: 'Delete a Stream',
  description:
    'Close a Stream: nobody listens or publishes any more, and what waited on it is dropped. Its history stays readable; its id is never given again.',
  input: z.object({ streamId: required('streamId', 'The Stream.') }),
  output: idResult,
  effect: 'changes',
  async handler({ streamId }, { change, settings }) {
    await change({ type: 'DeleteStream', streamId });
    forgetStreamSecrets(settings, streamId);
    return { id: streamId };
  },
});
