import { z } from 'zod';
import { requirePosition } from '../domain/position.ts';
import { required } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { pageResult, positionResult } from './result-schemas.ts';

export const listPositionChildren = defineTool({
  name: 'list_position_children',
  title: 'List the Positions below',
  description: 'The Positions directly below one.',
  input: z.object({ parentId: required('parentId', 'The Position above.'), ...pageInput }),
  output: z.object({ positions: z.array(positionResult), ...pageResult }),
  effect: 'reads',
  async handler({ parentId, ...page }, { journal, queries }) {
    requirePosition(journal.org, parentId);
    const children = queries.positions().filter((position) => position.parentId === parentId);
    const { rows, ...rest } = pageOf(children, ({ id }) => id, page);
    return { positions: rows, ...rest };
  },
});
