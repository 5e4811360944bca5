import { z } from 'zod';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';

export const updatePosition = defineTool({
  name: 'update_position',
  title: 'Change a Position',
  description: 'Give a Position another Role, or hang it below another one. Whoever sits there stays.',
  input: z.object({
    id: required('id', 'The Position.'),
    roleId: optionalId('Its new Role.'),
    parentId: optionalId('The Position it shall be below; "none" makes it a root.'),
  }),
  effect: 'changes',
  async handler({ id, roleId, parentId }, context) {
    const { change, queries } = context;
    const parent = parentId === undefined ? {} : { parentId: parentId === 'none' ? null : parentId };
    await change({ type: 'UpdatePosition', positionId: id, ...(roleId === undefined ? {} : { roleId }), ...parent });
    const holders = queries.workers().filter(({ positions }) => positions.includes(id));
    return {
      ...queries.position(id),
      ...withWarnings(
        refreshFolders(
          context,
          holders.map((worker) => worker.id),
        ),
      ),
    };
  },
});
