import { z } from 'zod';
import { defineTool } from './define-tool.ts';
import { pageInput, pageOf } from './paging.ts';
import { pageResult, workerResult } from './result-schemas.ts';
import { roleTitle } from './role-text.ts';

export const listWorkers = defineTool({
  name: 'list_workers',
  title: 'List Workers',
  description:
    'Who works here: id, kind, Positions with their Role titles, and state (idle, waiting, running, held, paused).',
  input: z.object(pageInput),
  output: z.object({ workers: z.array(workerResult), ...pageResult }),
  effect: 'reads',
  async handler(page, { queries, journal, stateOf }) {
    const titles = new Map(queries.roles().map((role) => [role.id, roleTitle(role.content)]));
    const titleOf = (positionId: string) => titles.get(journal.org.positions.get(positionId)?.roleId ?? '') ?? '';
    const { rows, ...rest } = pageOf(queries.workers(), ({ id }) => id, page);
    const workers = rows.map(({ id, kind, positions }) => ({
      id,
      kind,
      positions,
      roles: positions.map(titleOf),
      state: stateOf(id),
    }));
    return { workers, ...rest };
  },
});
