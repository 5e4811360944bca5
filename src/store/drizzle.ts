// The parts of drizzle that we use, required instead of imported. Node parses the package.json of a package again for each
// of its ES modules and keeps what it parsed (nodejs/node#50322); drizzle's has 180 KB and is read for some 130 modules:
// 0.5 s and 130 MB at every start, beside 50 ms and 18 MB this way.
import { createRequire } from 'node:module';

export type { SQL } from 'drizzle-orm';
export type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';

const require = createRequire(import.meta.url);

export const { and, asc, desc, eq, getTableName, gt, inArray, isNotNull, isNull, like, lt, ne, or, sql } =
  require('drizzle-orm') as typeof import('drizzle-orm');

export const { blob, integer, primaryKey, real, sqliteTable, text } =
  require('drizzle-orm/sqlite-core') as typeof import('drizzle-orm/sqlite-core');

export const { drizzle } = require('drizzle-orm/better-sqlite3') as typeof import('drizzle-orm/better-sqlite3');

export const { migrate } =
  require('drizzle-orm/better-sqlite3/migrator') as typeof import('drizzle-orm/better-sqlite3/migrator');

export const { readMigrationFiles } = require('drizzle-orm/migrator') as typeof import('drizzle-orm/migrator');
