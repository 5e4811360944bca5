import { z } from 'zod';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { workerStateResult } from './result-schemas.ts';

export const activateWorker = defineTool({
  name: 'activate_worker',
  title: 'Wake a Worker',
  description: 'Wake an AI Worker without an Event, with a reason it is told. To say something to it, use dm.',
  input: z.object({ workerId: required('workerId', 'Whom to wake.'), reason: optionalId('What it shall do.') }),
  output: workerStateResult,
  effect: 'adds',
  async handler({ workerId, reason }, { change, caller, stateOf }) {
    await change({ type: 'ActivateWorker', workerId, reason: reason ?? `${caller.workerId} asks you to look around.` });
    return { id: workerId, state: stateOf(workerId) };
  },
});
