import { z } from 'zod';
import { requirePosition } from '../domain/position.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { positionResult } from './result-schemas.ts';

export const getPosition = defineTool({
  name: 'get_position',
  title: 'Read a Position',
  description: 'One Position: its Role, the Position above it, and who sits there.',
  input: z.object({ id: required('id', 'The Position.') }),
  output: positionResult.extend({ workers: z.array(z.string()) }),
  effect: 'reads',
  async handler({ id }, { journal, queries }) {
    const position = requirePosition(journal.org, id);
    const workers = queries.workers().flatMap((worker) => (worker.positions.includes(id) ? [worker.id] : []));
    return { id, ...position, workers };
  },
});
