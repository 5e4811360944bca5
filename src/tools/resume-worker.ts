import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workerStateResult } from './result-schemas.ts';

export const resumeWorker = defineTool({
  name: 'resume_worker',
  title: 'Resume a Worker',
  description: 'Switch a paused Worker on again; what waited wakes it.',
  input: z.object({ workerId: required('workerId', 'The Worker.') }),
  output: workerStateResult,
  effect: 'changes',
  async handler({ workerId }, { change, stateOf }) {
    await change({ type: 'ResumeWorker', workerId });
    return { id: workerId, state: stateOf(workerId) };
  },
});
