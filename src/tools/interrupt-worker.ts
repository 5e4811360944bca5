import { z } from 'zod';
import { requireWorker } from '../domain/worker.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { whileReporting } from './report-wait.ts';
import { idResult } from './result-schemas.ts';

export const interruptWorker = defineTool({
  name: 'interrupt_worker',
  title: 'Stop a run',
  description:
    'Stop the run a Worker is in. What it was working on is parked until somebody calls retry; what came later wakes it as usual.',
  input: z.object({ workerId: required('workerId', 'The Worker.') }),
  output: idResult.extend({ interrupted: z.boolean().describe('Whether a run was under way.') }),
  effect: 'changes',
  async handler({ workerId }, { journal, lifecycle, caller }) {
    requireWorker(journal.org, workerId);
    const stopping = () => lifecycle.interrupt(workerId);
    return { id: workerId, interrupted: await whileReporting(caller, `Stopping the run of ${workerId}.`, stopping) };
  },
});
