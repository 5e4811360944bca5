import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workerStateResult } from './result-schemas.ts';

export const pauseWorker = defineTool({
  name: 'pause_worker',
  title: 'Pause a Worker',
  description:
    'Switch a Worker off: its run is stopped and comes again later, and nothing wakes it until resume_worker. What arrives waits.',
  input: z.object({ workerId: required('workerId', 'The Worker.') }),
  output: workerStateResult,
  effect: 'changes',
  async handler({ workerId }, { change, stateOf }) {
    await change({ type: 'PauseWorker', workerId });
    return { id: workerId, state: stateOf(workerId) };
  },
});
