// Pages of the protocol's lists. The cursor names the last row that was given, so that rows that come or go do not shift it.
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';

const PAGE_MAX = 100;

/**
 * One page of rows with distinct keys.
 * @throws ProtocolError −32602 when the row that the cursor names is gone; the client lists from the start then
 */
export function pageAfter<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  cursor: string | undefined,
): { page: Row[]; nextCursor?: string } {
  const start = cursor === undefined ? 0 : indexAfter(rows, keyOf, cursor);
  const page = rows.slice(start, start + PAGE_MAX);
  const last = page.at(-1);
  return { page, ...(last !== undefined && rows.length > start + PAGE_MAX ? { nextCursor: encode(keyOf(last)) } : {}) };
}

function indexAfter<Row>(rows: readonly Row[], keyOf: (row: Row) => string, cursor: string): number {
  const index = rows.findIndex((row) => encode(keyOf(row)) === cursor);
  if (index >= 0) return index + 1;
  throw new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    'This cursor is of no list there is now; list from the start.',
  );
}

const encode = (key: string): string => Buffer.from(key).toString('base64url');
