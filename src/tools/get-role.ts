import { z } from 'zod';
import { missing } from '../domain/errors.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';

export const getRole = defineTool({
  name: 'get_role',
  title: 'Read a Role',
  description: 'The whole text of one Role.',
  input: z.object({ id: required('id', 'The Role.') }),
  output: z.object({ id: z.string(), content: z.string(), createdAt: z.string(), updatedAt: z.string() }),
  effect: 'reads',
  async handler({ id }, { queries, journal }) {
    const role = queries.role(id);
    if (!role) throw missing('role', id, journal.org.roles, 'list_roles');
    const { content, createdAt, updatedAt } = role;
    return { id, content, createdAt, updatedAt };
  },
});
