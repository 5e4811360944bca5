import { z } from 'zod';
import { missing } from '../domain/errors.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { grantResult } from './result-schemas.ts';

export const getGrant = defineTool({
  name: 'get_grant',
  title: 'Look at a Grant',
  description: 'One Grant: which Worker holds which tool.',
  input: z.object({ id: required('id', 'The Grant.') }),
  output: grantResult,
  effect: 'reads',
  async handler({ id }, { journal, queries }) {
    const grant = queries.grant(id);
    if (!grant) throw missing('grant', id, journal.org.grantIds.keys(), 'list_worker_grants');
    return { id, workerId: grant.worker, toolName: grant.tool };
  },
});
