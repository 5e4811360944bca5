import { z } from 'zod';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { pageResult, positionResult } from './result-schemas.ts';

export const listPositions = defineTool({
  name: 'list_positions',
  title: 'List Positions',
  description: 'All Positions of the org chart, each with its Role and the Position above it.',
  input: z.object(pageInput),
  output: z.object({ positions: z.array(positionResult), ...pageResult }),
  effect: 'reads',
  async handler(page, { queries }) {
    const { rows, ...rest } = pageOf(queries.positions(), ({ id }) => id, page);
    return { positions: rows, ...rest };
  },
});
