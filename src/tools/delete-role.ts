import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const deleteRole = defineTool({
  name: 'delete_role',
  title: 'Delete a Role',
  description: 'Remove a Role that no Position uses any more.',
  input: z.object({ id: required('id', 'The Role.') }),
  output: idResult,
  effect: 'changes',
  async handler({ id }, { change }) {
    await change({ type: 'DeleteRole', roleId: id });
    return { id };
  },
});
