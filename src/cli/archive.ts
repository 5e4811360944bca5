// A backup as a file: what goes in, and what comes out again. Holds no secret unless asked to.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import * as tar from 'tar';
import { z } from 'zod';
import { conflict, invalid } from '../domain/errors.ts';
import { openDatabase } from '../store/database.ts';
import { verifyJournal } from '../store/verify.ts';
import type { DataPaths } from './data-dir.ts';
import { version } from './version.ts';

const manifest = z.object({
  format: z.literal(1),
  version: z.string(),
  createdAt: z.string(),
  /** Entries of the journal, and the hash of the newest one. */
  entries: z.number(),
  head: z.string(),
  withSecrets: z.boolean(),
  /** Settings and signing secrets that are not in it. */
  leftOut: z.array(z.string()),
  /** Files of Workers that were left out: links, and what vanished meanwhile. */
  skipped: z.array(z.string()),
});
export type Manifest = z.output<typeof manifest>;

/** Credentials that agents keep in a Worker's folder. */
const AGENT_CREDENTIALS = new Set(['auth.json', '.credentials.json']);

export type BackupOptions = {
  file: string;
  withSecrets: boolean;
  /** Writes a copy of the database to a file, and to another the key that opens the secrets in it. */
  snapshot(file: string, key?: string): Promise<unknown>;
};

/**
 * Writes an archive (mode 0600), also while a daemon works on.
 * @throws OrgError conflict when the file exists, when its folder does not, or when the journal is damaged
 */
export async function writeArchive(
  { envsDir }: Pick<DataPaths, 'envsDir'>,
  { file, withSecrets, snapshot }: BackupOptions,
): Promise<Manifest> {
  if (existsSync(file)) throw conflict(`${file} exists already; name another file.`);
  if (!existsSync(dirname(file))) throw conflict(`${dirname(file)} does not exist; make it first.`);
  // Beside its destination, so that it is complete or absent, and never on a small /tmp.
  const staging = mkdtempSync(join(dirname(file), '.helix-org-backup-'));
  try {
    const copy = join(staging, 'org.db');
    await snapshot(copy, withSecrets ? join(staging, 'key') : undefined);
    const leftOut = prepareCopy(copy, withSecrets);
    const { entries, head } = inspect(copy);
    const skipped = copyFolders(envsDir, join(staging, 'workers'), withSecrets);
    const made: Manifest = {
      format: 1,
      version,
      createdAt: new Date().toISOString(),
      entries,
      head,
      withSecrets,
      leftOut,
      skipped,
    };
    writeFileSync(join(staging, 'manifest.json'), `${JSON.stringify(made, null, 2)}\n`);
    const names = readdirSync(staging).sort((a, b) => Number(b === 'manifest.json') - Number(a === 'manifest.json'));
    const unfinished = join(staging, 'archive.tar');
    await tar.create({ file: unfinished, cwd: staging, portable: true }, names);
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, file);
    return made;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Takes out of the copied database what ends with this machine or is secret. @returns names of the secrets */
function prepareCopy(file: string, withSecrets: boolean): string[] {
  const copy = new Database(file);
  try {
    copy.pragma('secure_delete = ON');
    copy.exec('DELETE FROM processes');
    if (withSecrets) return [];
    const isSecret = "key LIKE 'secret.%' OR value LIKE 'sealed:%'";
    const names = copy.prepare(`SELECT key FROM settings WHERE ${isSecret} ORDER BY key`).pluck().all() as string[];
    copy.exec(`DELETE FROM settings WHERE ${isSecret}; DELETE FROM tokens; VACUUM`);
    return names;
  } finally {
    copy.close();
    for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }
}

/** @throws OrgError conflict when the journal in it is not what was written */
function inspect(file: string): { entries: number; head: string } {
  const db = openDatabase(file);
  try {
    const { entries, head, problems } = verifyJournal(db);
    const [first] = problems;
    if (first)
      throw conflict(`The journal is damaged (seq ${first.seq}: ${first.problem}); \`helix-org verify\` says more.`);
    return { entries, head };
  } finally {
    db.sqlite.close();
    for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }
}

/** Agents write meanwhile, so each file is copied as it is found. @returns what was left out */
function copyFolders(from: string, to: string, withSecrets: boolean): string[] {
  const skipped: string[] = [];
  const copy = (path: string) => {
    const source = join(from, path);
    for (const entry of existsSync(source) ? readdirSync(source, { withFileTypes: true }) : []) {
      const below = join(path, entry.name);
      if (entry.isDirectory()) {
        mkdirSync(join(to, below), { recursive: true });
        copy(below);
      } else if (!entry.isFile()) skipped.push(`${below} (no plain file)`);
      else if (!withSecrets && AGENT_CREDENTIALS.has(entry.name)) skipped.push(`${below} (credentials)`);
      else if (!copied(join(from, below), join(to, below))) skipped.push(`${below} (gone meanwhile)`);
    }
  };
  mkdirSync(to);
  copy('');
  return skipped;
}

function copied(from: string, to: string): boolean {
  try {
    writeFileSync(to, readFileSync(from), { mode: statSync(from).mode & 0o777 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Unpacks an archive into an empty data directory.
 * @throws OrgError invalid when the file is no backup, conflict when there is an organisation already or the backup is damaged
 */
export async function readArchive(paths: DataPaths, file: string): Promise<Manifest> {
  for (const path of [paths.db, paths.keyFile]) {
    if (existsSync(path)) throw conflict(`${path} exists already; restore into an empty data directory.`);
  }
  if (existsSync(paths.envsDir) && readdirSync(paths.envsDir).length > 0)
    throw conflict(`${paths.envsDir} is not empty; restore into an empty data directory.`);
  if (!existsSync(file)) throw invalid(`${file} does not exist.`);
  mkdirSync(paths.dataDir, { recursive: true, mode: 0o750 });
  const staging = mkdtempSync(join(paths.dataDir, '.restore-'));
  try {
    await tar.extract({ file, cwd: staging, strict: true, filter: isExpected }).catch((error: unknown) => {
      throw invalid(
        `${basename(file)} is no backup of helix-org: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    const found = readManifest(staging, file);
    const { entries, head } = inspect(join(staging, 'org.db'));
    if (entries !== found.entries || head !== found.head)
      throw conflict(`The journal in ${basename(file)} is not the one its manifest names; use another backup.`);
    mkdirSync(paths.envsDir, { recursive: true, mode: 0o750 });
    for (const name of readdirSync(join(staging, 'workers'))) {
      cpSync(join(staging, 'workers', name), join(paths.envsDir, name), { recursive: true });
    }
    if (found.withSecrets) cpSync(join(staging, 'key'), paths.keyFile, { mode: 0 });
    // Last: a restore that was cut off has left no organisation.
    mkdirSync(dirname(paths.db), { recursive: true, mode: 0o750 });
    cpSync(join(staging, 'org.db'), paths.db);
    for (const secret of [paths.db, ...(found.withSecrets ? [paths.keyFile] : [])]) chmodSync(secret, 0o600);
    return found;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Names we write, and nothing that could point elsewhere. */
function isExpected(path: string, entry: tar.ReadEntry | import('node:fs').Stats): boolean {
  const type = 'type' in entry ? entry.type : undefined;
  return (
    /^(manifest\.json|org\.db|key|workers(\/.*)?)$/.test(path.replace(/\/$/, '')) &&
    (type === 'File' || type === 'Directory')
  );
}

function readManifest(folder: string, file: string): Manifest {
  const path = join(folder, 'manifest.json');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(`${basename(file)} is no backup of helix-org: it has no manifest.`);
  }
  const parsed = manifest.safeParse(value);
  if (!parsed.success)
    throw invalid(`${basename(file)} was made by another version of helix-org; restore it with that one.`);
  return parsed.data;
}
