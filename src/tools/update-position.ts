import { z } from 'zod';
import { requirePosition } from '../domain/position.ts';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';
import { positionResult, warnings } from './result-schemas.ts';

export const updatePosition = defineTool({
  name: 'update_position',
  title: 'Change a Position',
  description: 'Give a Position another Role, or hang it below another one. Whoever sits there stays.',
  input: z.object({
    id: required('id', 'The Position.'),
    roleId: optionalId('Its new Role.'),
    parentId: optionalId('The Position it shall be below; "none" makes it a root.'),
  }),
  output: positionResult.extend(warnings),
  effect: 'changes',
  async handler({ id, roleId, parentId }, context) {
    const { change, queries, journal } = context;
    const parent = parentId === undefined ? {} : { parentId: parentId === 'none' ? null : parentId };
    await change({ type: 'UpdatePosition', positionId: id, ...(roleId === undefined ? {} : { roleId }), ...parent });
    const holders = queries.workers().filter(({ positions }) => positions.includes(id));
    return {
      id,
      ...requirePosition(journal.org, id),
      ...withWarnings(
        refreshFolders(
          context,
          holders.map((worker) => worker.id),
        ),
      ),
    };
  },
});
