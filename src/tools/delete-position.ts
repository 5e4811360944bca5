import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const deletePosition = defineTool({
  name: 'delete_position',
  title: 'Delete a Position',
  description:
    'Remove an empty Position. Whoever sits there is fired or moved first, and what hangs below it moved or deleted.',
  input: z.object({ id: required('id', 'The Position.') }),
  output: idResult,
  effect: 'changes',
  async handler({ id }, { change }) {
    await change({ type: 'DeletePosition', positionId: id });
    return { id };
  },
});
