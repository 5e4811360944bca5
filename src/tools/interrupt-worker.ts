import { z } from 'zod';
import { requireWorker } from '../domain/worker.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';

export const interruptWorker = defineTool({
  name: 'interrupt_worker',
  title: 'Stop a run',
  description:
    'Stop the run a Worker is in. What it was working on is parked until somebody calls retry; what came later wakes it as usual.',
  input: z.object({ workerId: required('workerId', 'The Worker.') }),
  effect: 'changes',
  async handler({ workerId }, { journal, lifecycle }) {
    requireWorker(journal.org, workerId);
    return { id: workerId, interrupted: await lifecycle.interrupt(workerId) };
  },
});
