import type { Db } from './database.ts';
import { asc, eq, getTableName, gt } from './drizzle.ts';
import { toEntry } from './entries.ts';
import { existing } from './entry-reader.ts';
import { createProjections } from './projections.ts';
import { content, journal, readTables } from './schema.ts';

/** Empties the read tables and fills them again from the journal, in one transaction. @returns the number of entries replayed */
export function rebuildReadTables(db: Db): number {
  const { sqlite, orm } = db;
  return sqlite.transaction(() => {
    for (const table of readTables) sqlite.exec(`DELETE FROM ${getTableName(table)}`);
    const project = createProjections(sqlite);
    const page = 1_000;
    let replayed = 0;
    for (let after = 0; ; ) {
      const rows = orm.select().from(journal).where(gt(journal.seq, after)).orderBy(asc(journal.seq)).limit(page).all();
      for (const row of rows) {
        const parts = orm.select().from(content).where(eq(content.seq, row.seq)).all();
        project(toEntry(row, existing(parts)));
      }
      replayed += rows.length;
      const last = rows.at(-1);
      if (!last || rows.length < page) return replayed;
      after = last.seq;
    }
  })();
}

/** Every row of the read tables as text, in key order; two equal dumps are two equal tables. */
export function dumpReadTables({ sqlite }: Db): string {
  return readTables
    .map((table) => {
      const name = getTableName(table);
      const rows = sqlite.prepare(`SELECT * FROM ${name}`).raw().all();
      return [name, ...rows.map((row) => JSON.stringify(row)).sort()].join('\n');
    })
    .join('\n\n');
}
