import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';

export const unsubscribe = defineTool({
  name: 'unsubscribe',
  title: 'Stop listening',
  description: 'Stop listening to a Stream yourself. What landed before still reaches you.',
  input: z.object({ streamId: required('streamId', 'The Stream to leave.') }),
  output: z.object({ workerId: z.string(), streamId: z.string() }),
  effect: 'changes',
  async handler({ streamId }, { caller, change }) {
    await change({ type: 'Unsubscribe', streamId });
    return { workerId: caller.workerId, streamId };
  },
});
