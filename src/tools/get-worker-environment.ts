import { z } from 'zod';
import { requireWorker } from '../domain/worker.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';

export const getWorkerEnvironment = defineTool({
  name: 'get_worker_environment',
  title: "Find a Worker's folder",
  description: 'The absolute path of the folder in which a Worker works.',
  input: z.object({ workerId: required('workerId', 'The Worker.') }),
  output: z.object({ workerId: z.string(), path: z.string(), createdAt: z.string().optional() }),
  effect: 'reads',
  async handler({ workerId }, { journal, queries, lifecycle }) {
    requireWorker(journal.org, workerId);
    return { workerId, path: lifecycle.folderOf(workerId), createdAt: queries.worker(workerId)?.hiredAt };
  },
});
