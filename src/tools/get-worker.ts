import { z } from 'zod';
import { requireWorker } from '../domain/worker.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { agentResult, workerResult } from './result-schemas.ts';
import { roleTitle } from './role-text.ts';

export const getWorker = defineTool({
  name: 'get_worker',
  title: 'Look at a Worker',
  description: 'One Worker: kind, Positions with Role titles, state, who hired it, and what it listens to.',
  input: z.object({ id: required('id', 'The Worker.') }),
  output: workerResult.extend({
    hiredBy: z.string(),
    email: z.string().optional(),
    agent: agentResult.optional(),
    streams: z.array(z.string()).describe('It listens to these.'),
  }),
  effect: 'reads',
  async handler({ id }, { journal, queries, stateOf }) {
    const { kind, positions, hiredBy, email, agent } = requireWorker(journal.org, id);
    const titleOf = (position: string) =>
      roleTitle(queries.role(journal.org.positions.get(position)?.roleId ?? '')?.content ?? '');
    const streams = [...(journal.org.subscribed.get(id) ?? [])].sort();
    return {
      id,
      kind,
      positions,
      roles: positions.map(titleOf),
      state: stateOf(id),
      hiredBy,
      streams,
      ...(email ? { email } : {}),
      ...(kind === 'ai' ? { agent } : {}),
    };
  },
});
