import { z } from 'zod';
import { optionalId } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const createRole = defineTool({
  name: 'create_role',
  title: 'Create a Role',
  description:
    'Write a new Role: a job description in markdown. Put a Worker into it with create_position and hire_worker.',
  input: z.object({
    id: optionalId('Id such as r-editor; made up when left out.'),
    content: z.string({ error: 'role content is empty' }).describe('The whole job description, in markdown.'),
  }),
  output: idResult,
  effect: 'adds',
  async handler({ id, content }, { newId, change }) {
    const roleId = id ?? `r-${newId()}`;
    await change({ type: 'CreateRole', roleId, content });
    return { id: roleId };
  },
});
