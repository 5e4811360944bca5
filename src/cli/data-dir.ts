// Where everything this program keeps lies: one directory, of which the database and the folders can be moved elsewhere.
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { notFound } from '../domain/errors.ts';

export const MEMORY = ':memory:';

/** What a person says about where things lie; all optional. */
export type DataOptions = { dataDir?: string | undefined; db?: string | undefined; envsDir?: string | undefined };

/** Absolute paths, except that `db` may be `:memory:`. */
export type DataPaths = {
  dataDir: string;
  db: string;
  envsDir: string;
  /** Opens the settings' secrets; 0600. */
  keyFile: string;
  /** The token with which the command line acts as the owner; 0600. */
  ownerTokenFile: string;
  /** Says where the running daemon listens; 0600. */
  daemonFile: string;
  /** Held by whoever writes: that of the directory, and that of a database elsewhere. */
  lockFiles: string[];
  /** The database was named by the person; else that of the running daemon is meant, whichever it is. */
  isDbNamed: boolean;
};

const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o600;

export function dataPaths(
  { dataDir, db, envsDir }: DataOptions,
  environment: NodeJS.ProcessEnv = process.env,
): DataPaths {
  const root = resolve(dataDir || environment.HELIX_ORG_HOME || join(homedir(), '.helix-org'));
  const own = join(root, 'org.db');
  const database = db === MEMORY ? MEMORY : resolve(db || own);
  const locked = database === MEMORY ? [own] : [...new Set([own, database])];
  return {
    dataDir: root,
    db: database,
    envsDir: resolve(envsDir || join(root, 'workers')),
    keyFile: join(root, 'key'),
    ownerTokenFile: join(root, 'owner-token'),
    daemonFile: join(root, 'daemon.json'),
    lockFiles: locked.map((file) => `${file}.lock`),
    isDbNamed: Boolean(db),
  };
}

/** Makes what is missing. Nobody but its owner reads the files; the group may look into the folders. */
export function createDataDir({ dataDir, db, envsDir, lockFiles }: DataPaths): void {
  for (const directory of [dataDir, envsDir]) makeDirectory(directory);
  // SQLite gives its other files the mode of the database.
  for (const file of [...lockFiles, ...(db === MEMORY ? [] : [db])]) {
    if (!existsSync(file)) closeSync(openSync(file, 'a', FILE_MODE));
  }
}

/** @throws OrgError not_found when nobody ever ran here */
export function requireDataDir({ dataDir, db, lockFiles }: DataPaths): void {
  if (!existsSync(dataDir)) throw nothingHere(dataDir);
  if (!existsSync(db) && !lockFiles.every((file) => existsSync(file))) throw nothingHere(db);
}

/** Asked under the lock, when no daemon has the data. @throws OrgError not_found */
export function requireDatabase({ db }: DataPaths): void {
  if (!existsSync(db)) throw nothingHere(db);
}

const nothingHere = (path: string) =>
  notFound(
    `There is no organisation here: ${path} does not exist. ` +
      '`helix-org serve` or `helix-org bootstrap` makes one; --data-dir or HELIX_ORG_HOME names another.',
  );

/** Each missing folder in turn: on file systems that take none, Node's own recursive way tries for ever (seen on /proc). */
function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let each = path; !existsSync(each); each = dirname(each)) missing.unshift(each);
  for (const each of missing) mkdirSync(each, { mode: DIRECTORY_MODE });
}
