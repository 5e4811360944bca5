// Reads entries by seq. All that are wanted come by one statement: each statement takes and gives back a lock of the database,
// which costs more than the rows it reads.
import type { ContentPart } from '../domain/entry.ts';
import type { Db } from './database.ts';
import { type Entry, type ReadRow, toEntry } from './entries.ts';
import type { content } from './schema.ts';

/** The list comes as JSON text; CROSS JOIN keeps SQLite to its order. */
export const WANTED = 'json_each(?) wanted CROSS JOIN journal j ON j.seq = wanted.value';

type EntryRow = ReadRow & { place: number; part: string | null; bytes: Buffer | null };

/**
 * Reads entries by seq, in the order asked for, with the content that still exists.
 * @param part the only part wanted, where many are read: what is kept beside a Message can be large
 */
export function createEntryReader({ sqlite }: Db, part?: 'message'): (seqs: readonly number[]) => Entry[] {
  // By hand: mapping rows by the schema costs more than reading them.
  const rows = sqlite.prepare(
    `SELECT wanted.key AS place, j.seq, j.v, j.type, j.stream, j.subject, j.actor, j.on_behalf_of AS onBehalfOf, j.via,
     j.caused_by AS causedBy, j.root, j.hops, j.activation_id AS activationId, j.at, j.data, c.name AS part, c.bytes
     FROM ${WANTED} LEFT JOIN content c ON c.seq = j.seq${part === undefined ? '' : ` AND c.name = '${part}'`}`,
  );
  return (seqs) => {
    if (seqs.length === 0) return [];
    const entries: Entry[] = [];
    let place = -1;
    let parts: ContentPart[] = [];
    for (const row of rows.all(JSON.stringify(seqs)) as EntryRow[]) {
      // An entry has one row for each of its parts, next to each other.
      if (row.place !== place) {
        place = row.place;
        parts = [];
        entries.push(toEntry(row, parts));
      }
      if (row.part !== null && row.bytes) parts.push({ name: row.part, bytes: row.bytes });
    }
    return entries;
  };
}

type ContentPartRow = Pick<typeof content.$inferSelect, 'name' | 'bytes'>;

/** Parts whose bytes were not erased. */
export function existing(rows: ContentPartRow[]): ContentPart[] {
  return rows.flatMap(({ name, bytes }) => (bytes ? [{ name, bytes }] : []));
}
