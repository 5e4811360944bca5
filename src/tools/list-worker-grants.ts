import { z } from 'zod';
import { requireWorker } from '../domain/worker.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { grantResult, pageResult } from './result-schemas.ts';

export const listWorkerGrants = defineTool({
  name: 'list_worker_grants',
  title: 'List grants',
  description: 'The tools a Worker holds, each with the id of its Grant.',
  input: z.object({ workerId: required('workerId', 'The Worker.'), ...pageInput }),
  output: z.object({ grants: z.array(grantResult), ...pageResult }),
  effect: 'reads',
  async handler({ workerId, ...page }, { journal, queries }) {
    requireWorker(journal.org, workerId);
    const { rows, ...rest } = pageOf(queries.grantsOf(workerId), ({ tool }) => tool, page);
    return { grants: rows.map(({ id, worker, tool }) => ({ id, workerId: worker, toolName: tool })), ...rest };
  },
});
