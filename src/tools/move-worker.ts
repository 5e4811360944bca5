import { z } from 'zod';
import { list, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';
import { idResult, warnings } from './result-schemas.ts';

export const moveWorker = defineTool({
  name: 'move_worker',
  title: 'Move a Worker',
  description: 'Put a Worker into other Positions; it has the Roles of all of them from its next activation on.',
  input: z.object({
    workerId: required('workerId', 'Whom to move.'),
    positions: list(z.string(), 'All Positions it shall hold; an empty list leaves it without a seat.'),
  }),
  output: idResult.extend({ positions: z.array(z.string()), ...warnings }),
  effect: 'changes',
  async handler({ workerId, positions = [] }, context) {
    await context.change({ type: 'MoveWorker', workerId, positions });
    return { id: workerId, positions, ...withWarnings(refreshFolders(context, [workerId])) };
  },
});
