import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { conflict } from '../domain/errors.ts';
import { type BetterSQLite3Database, drizzle, migrate, readMigrationFiles } from './drizzle.ts';
import { emptyWal } from './erasure.ts';

/** How hard an acknowledged commit is: `full` survives a power cut, `normal` only a crash of the process. */
export type Durability = 'full' | 'normal';

export type Db = { sqlite: Database.Database; orm: BetterSQLite3Database };

const ownMigrations = fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Opens the database and brings its schema up to date; a copy `<file>.before-<version>` is made first.
 * @param file path, or `:memory:`
 * @throws OrgError conflict when the file was written by a newer helix-org
 */
export function openDatabase(file: string, durability: Durability = 'full', migrationsFolder = ownMigrations): Db {
  const sqlite = new Database(file);
  try {
    setPragmas(sqlite, durability);
    keepPlans(sqlite);
    const orm = drizzle({ client: sqlite });
    migrateSchema(file, { sqlite, orm }, migrationsFolder);
    // What was erased just before a crash may still be in the log.
    emptyWal(sqlite);
    return { sqlite, orm };
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** better-sqlite3 is built with NORMAL as WAL's default, which loses acknowledged commits in a power cut; so FULL is asserted. */
function setPragmas(sqlite: Database.Database, durability: Durability): void {
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma(`synchronous = ${durability.toUpperCase()}`);
  sqlite.pragma('foreign_keys = ON');
  sqlite.pragma('secure_delete = ON');
  sqlite.pragma('busy_timeout = 5000');
  sqlite.pragma('cache_size = -65536');
  // Bounds the WAL file between checkpoints that find no reader in their way.
  sqlite.pragma('journal_size_limit = 67108864');
  const synchronous = sqlite.pragma('synchronous', { simple: true });
  if (synchronous !== (durability === 'full' ? 2 : 1)) throw new Error(`SQLite runs with synchronous=${synchronous}`);
}

/** Texts in quotes, and where a parameter stands alone behind `=` or LIMIT. */
const LONE_PARAMETERS = /'(?:[^']|'')*'|(=|\bLIMIT)\s*(?=[?@])/gi;

/**
 * Keeps statements prepared. SQLite plans a statement anew for each run when the value of a parameter might change the plan,
 * which takes longer than most of ours take to run, and better-sqlite3 gives no way to switch that off
 * (SQLITE_DBCONFIG_ENABLE_QPSG). Behind a plus, which changes no value of any type, a parameter is not looked at.
 */
function keepPlans(sqlite: Database.Database): void {
  const prepare = sqlite.prepare.bind(sqlite);
  sqlite.prepare = ((source: string) =>
    prepare(
      source.replace(LONE_PARAMETERS, (found, before?: string) => (before ? `${before} +` : found)),
    )) as typeof sqlite.prepare;
}

function migrateSchema(file: string, { sqlite, orm }: Db, migrationsFolder: string): void {
  const ours = readMigrationFiles({ migrationsFolder });
  const applied = appliedMigrations(sqlite);
  const latest = ours.at(-1)?.folderMillis ?? 0;
  if (applied.some((millis) => millis > latest)) {
    throw conflict(
      `${file} was written by a newer helix-org; upgrade this one, or restore a copy made before the upgrade.`,
    );
  }
  if (applied.length === ours.length) return;
  if (applied.length > 0) copyBefore(file, sqlite, ours.length);
  migrate(orm, { migrationsFolder });
}

/** How the tables of a database that was opened as it is compare to those of this version. */
export function schemaAge({ sqlite }: Pick<Db, 'sqlite'>): 'older' | 'current' | 'newer' {
  const ours = readMigrationFiles({ migrationsFolder: ownMigrations });
  const applied = appliedMigrations(sqlite);
  if (applied.some((millis) => millis > (ours.at(-1)?.folderMillis ?? 0))) return 'newer';
  return applied.length === ours.length ? 'current' : 'older';
}

function appliedMigrations(sqlite: Database.Database): number[] {
  const table = sqlite.prepare("SELECT 1 FROM sqlite_schema WHERE name = '__drizzle_migrations'").get();
  if (!table) return [];
  return sqlite.prepare('SELECT created_at FROM __drizzle_migrations ORDER BY created_at').pluck().all().map(Number);
}

/** Removes the copies that migrations left: they still hold what a redaction erases. */
export function removeCopies(file: string): void {
  const prefix = `${basename(file)}.before-`;
  for (const name of readdirSync(dirname(file))) {
    if (name.startsWith(prefix)) rmSync(join(dirname(file), name), { force: true });
  }
}

/** A schema's version is the number of its migrations. */
function copyBefore(file: string, sqlite: Database.Database, version: number): void {
  if (file === ':memory:') return;
  sqlite.pragma('wal_checkpoint(TRUNCATE)');
  copyFileSync(file, `${file}.before-${version}`);
}
