import { z } from 'zod';
import { invalid, notFound } from '../domain/errors.ts';
import { optionalId } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const revokeTool = defineTool({
  name: 'revoke_tool',
  title: 'Take a tool away',
  description:
    'Take a tool from a Worker, by the id of the Grant or by Worker and tool name. It holds from the next call on, also in runs under way.',
  input: z.object({
    grantId: optionalId('The Grant, as list_worker_grants shows it.'),
    workerId: optionalId('Instead of grantId: the Worker …'),
    toolName: optionalId('… and the tool it shall lose.'),
  }),
  output: idResult,
  effect: 'changes',
  async handler({ grantId, workerId, toolName }, { change, journal }) {
    if (grantId === undefined && (workerId === undefined || toolName === undefined)) {
      throw invalid('Give grantId, or workerId and toolName.');
    }
    const id = grantId ?? journal.org.grants.get(workerId ?? '')?.get(toolName ?? '');
    if (id === undefined) throw notFound(`${workerId} does not hold ${toolName}: record not found`);
    await change({ type: 'RevokeTool', grantId: id });
    return { id };
  },
});
