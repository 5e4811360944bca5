import { z } from 'zod';
import { tolerant } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { pageResult } from './result-schemas.ts';
import { roleSummary, roleTitle } from './role-text.ts';

export const listRoles = defineTool({
  name: 'list_roles',
  title: 'List Roles',
  description: 'All Roles with title and summary. For one whole text, use get_role.',
  input: z.object({ ...pageInput, content: tolerant(z.boolean().optional()).describe('true to get the whole texts.') }),
  output: z.object({
    roles: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        content: z.string().optional(),
        summary: z.string().optional(),
        createdAt: z.string(),
        updatedAt: z.string(),
      }),
    ),
    ...pageResult,
  }),
  effect: 'reads',
  async handler({ content: whole, ...page }, { queries }) {
    const { rows, ...rest } = pageOf(queries.roles(), ({ id }) => id, page);
    const roles = rows.map(({ id, content, createdAt, updatedAt }) => ({
      id,
      title: roleTitle(content),
      ...(whole ? { content } : { summary: roleSummary(content) }),
      createdAt,
      updatedAt,
    }));
    return { roles, ...rest };
  },
});
