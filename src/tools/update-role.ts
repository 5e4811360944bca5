import { z } from 'zod';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { refreshFolders, withWarnings } from './refresh-folders.ts';
import { idResult, warnings } from './result-schemas.ts';

export const updateRole = defineTool({
  name: 'update_role',
  title: 'Rewrite a Role',
  description: 'Replace the text of a Role. Every Worker in it reads the new text at its next activation.',
  input: z.object({
    roleId: required('roleId', 'The Role to rewrite.'),
    content: required('content', 'The whole new job description, in markdown.'),
  }),
  output: idResult.extend(warnings),
  effect: 'changes',
  async handler({ roleId, content }, context) {
    const { queries, change } = context;
    await change({ type: 'UpdateRole', roleId, content });
    const seats = new Set(queries.positions().flatMap((position) => (position.roleId === roleId ? [position.id] : [])));
    const holders = queries.workers().filter(({ positions }) => positions.some((id) => seats.has(id)));
    return {
      id: roleId,
      ...withWarnings(
        refreshFolders(
          context,
          holders.map(({ id }) => id),
        ),
      ),
    };
  },
});
