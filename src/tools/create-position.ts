import { z } from 'zod';
import { optionalId, required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const createPosition = defineTool({
  name: 'create_position',
  title: 'Create a Position',
  description: 'Add a seat for a Role to the org chart, below another Position or as a new root.',
  input: z.object({
    id: optionalId('Id such as p-editor; made up when left out.'),
    roleId: required('roleId', 'The Role whoever sits here has.'),
    parentId: optionalId('The Position above; left out, this becomes a root.'),
  }),
  output: idResult,
  effect: 'adds',
  async handler({ id, roleId, parentId }, { newId, change }) {
    const positionId = id ?? `p-${newId()}`;
    await change({ type: 'CreatePosition', positionId, roleId, parentId: parentId ?? null });
    return { id: positionId };
  },
});
