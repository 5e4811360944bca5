// Lists come in pages of 100 rows with a cursor, so that a large org does not flood a model.
import { integer, optionalId } from './arguments.ts';

const PAGE_MAX = 100;

export const pageInput = {
  cursor: optionalId('Where the last page ended: its `cursor`.'),
  limit: integer('Rows to return; at most 100.'),
};

type PageArgs = { cursor?: string | undefined; limit?: number | undefined };

/** One page of rows that are in ascending order of their key. `cursor` is there when more rows follow. */
export function pageOf<Row>(rows: Row[], keyOf: (row: Row) => string, { cursor, limit }: PageArgs) {
  const size = limit === undefined || limit <= 0 ? PAGE_MAX : Math.min(limit, PAGE_MAX);
  const left = cursor === undefined ? rows : rows.filter((row) => keyOf(row) > cursor);
  const page = left.slice(0, size);
  const last = page.at(-1);
  return { rows: page, total: rows.length, ...(last && left.length > size ? { cursor: keyOf(last) } : {}) };
}
