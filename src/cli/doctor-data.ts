// What `doctor` looks at in the data directory. Everything is only read, on a connection of its own, so that it can be looked
// at beside a daemon, and when no daemon would start.
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Db, schemaAge } from '../store/database.ts';
import { drizzle } from '../store/drizzle.ts';
import { createHealth, tailProblem } from '../store/health.ts';
import { createSecretBox } from '../store/secrets.ts';
import { sealedSample, unreadableSecrets } from '../store/settings.ts';
import { createTokens } from '../store/tokens.ts';
import type { DataPaths } from './data-dir.ts';
import { broken, type Finding, fine, skipped, warning } from './finding.ts';
import { WAL_MAX } from './maintenance.ts';

const DAY_MS = 86_400_000;
const MIB = 1_048_576;
/** Newest entries whose links are looked at; `verify` looks at all. */
const TAIL = 1_000;
const CLOCK_OFF_MS = 60_000;
const BACKUP_DAYS = 7;
const RESTORE =
  'Restore the newest backup: `helix-org restore FILE.tar --data-dir ANOTHER`, and keep this directory aside.';

/** For everybody who reads it, or why nobody can. */
export type Opened = { db: Db; close(): void } | { problem: string };

export function openForReading({ db: file }: DataPaths): Opened {
  try {
    const sqlite = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    try {
      sqlite.pragma('schema_version');
      return { db: { sqlite, orm: drizzle({ client: sqlite }) }, close: () => sqlite.close() };
    } catch (error) {
      sqlite.close();
      throw error;
    }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

export function checkDirectory({ dataDir, envsDir }: DataPaths): Finding[] {
  const check = 'data directory';
  const found = statSync(dataDir, { throwIfNoEntry: false });
  if (!found)
    return broken(
      check,
      `There is nothing at ${dataDir}.`,
      'Make an organisation with `helix-org serve`, or name the directory: --data-dir, HELIX_ORG_HOME.',
    );
  for (const directory of [dataDir, envsDir]) {
    const problem = directoryProblem(directory);
    if (problem)
      return broken(
        check,
        `${directory} ${problem}.`,
        `Make it a directory that the daemon's user owns: \`chown "$USER" ${directory} && chmod 750 ${directory}\`.`,
      );
  }
  return found.mode & 0o007
    ? warning(check, `Everybody on this machine may look into ${dataDir}.`, `chmod 750 ${dataDir}`)
    : fine(check, `${dataDir} can be written, by its owner alone.`);
}

function directoryProblem(directory: string): string | undefined {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return 'is no directory';
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    rmSync(mkdtempSync(join(directory, '.doctor-')), { recursive: true });
    return undefined;
  } catch (error) {
    return `cannot be written: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** The key, and whether it opens what was sealed with it. */
export function checkKey({ keyFile }: DataPaths, opened: Opened): Finding[] {
  const check = 'secrets';
  const putBack = `Put ${keyFile} back from where you keep it (\`backup --with-secrets\` holds it), or set the secrets again; see docs/operations.md.`;
  const needed = 'db' in opened && sealedSample(opened.db) !== undefined;
  if (!existsSync(keyFile))
    return needed
      ? broken(check, `${keyFile} is missing, and with it every secret kept here.`, putBack)
      : fine(check, 'No key yet; it is made when the daemon starts.');
  const open = openFile(keyFile);
  if ('problem' in open) return broken(check, `${keyFile} cannot be read: ${open.problem}.`, `chmod 600 ${keyFile}`);
  const exposed = modeFinding(check, keyFile);
  try {
    const box = createSecretBox(Buffer.from(open.text, 'base64'), keyFile);
    const lost = 'db' in opened ? unreadableSecrets(opened.db, box) : [];
    if (lost.length > 0)
      return [
        ...exposed,
        ...broken(check, `${keyFile} does not open ${lost.join(', ')}: they were sealed with another key.`, putBack),
      ];
  } catch {
    return [...exposed, ...broken(check, `${keyFile} holds no key.`, putBack)];
  }
  return exposed.length > 0
    ? exposed
    : fine(check, needed ? 'The key opens every secret.' : 'The key is there; nothing is sealed with it yet.');
}

export function checkOwnerToken({ ownerTokenFile }: DataPaths, opened: Opened): Finding[] {
  const check = 'owner token';
  const renew = 'Start the daemon anew (`helix-org serve`): it makes one that holds.';
  if (!existsSync(ownerTokenFile))
    return broken(check, `${ownerTokenFile} is missing, so this command line cannot reach a daemon.`, renew);
  const open = openFile(ownerTokenFile);
  if ('problem' in open)
    return broken(check, `${ownerTokenFile} cannot be read: ${open.problem}.`, `chmod 600 ${ownerTokenFile}`);
  const exposed = modeFinding(check, ownerTokenFile);
  if (exposed.length > 0 || !('db' in opened)) return exposed;
  const holds = createTokens(opened.db).verify(open.text, 'token') !== undefined;
  return holds
    ? fine(check, 'It is the owner alone who can read it, and it holds.')
    : broken(check, `The token in ${ownerTokenFile} holds no more.`, renew);
}

function openFile(file: string): { text: string } | { problem: string } {
  try {
    return { text: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    return { problem: String((error as NodeJS.ErrnoException).code) };
  }
}

function modeFinding(check: string, file: string): Finding[] {
  const mode = statSync(file).mode & 0o777;
  return mode & 0o077
    ? broken(check, `Others on this machine may read ${file} (mode ${mode.toString(8)}).`, `chmod 600 ${file}`)
    : [];
}

/** Opens, has this version's tables, and its pages fit together. */
export function checkDatabase({ db: file }: DataPaths, opened: Opened): Finding[] {
  const check = 'database';
  if ('problem' in opened) return broken(check, `${file} cannot be opened: ${opened.problem}.`, RESTORE);
  const age = schemaAge(opened.db);
  if (age === 'newer')
    return broken(
      check,
      `${file} was written by a newer helix-org.`,
      'Upgrade this one (`npm install -g helix-org@latest`), or restore a copy made before the upgrade.',
    );
  if (age === 'older')
    return warning(
      check,
      `${file} has the tables of an older version.`,
      'Start `helix-org serve`: it brings them up to date, and keeps a copy from before.',
    );
  const problem = damage(opened.db);
  return problem === undefined
    ? fine(check, `${file} is whole.`)
    : broken(check, `${file} is damaged: ${problem.slice(0, 300)}.`, RESTORE);
}

function damage({ sqlite }: Db): string | undefined {
  try {
    const found = (sqlite.pragma('quick_check(3)') as { quick_check: string }[]).map(({ quick_check: each }) => each);
    return found[0] === 'ok' ? undefined : found.join('; ');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function checkTail(opened: Opened): Finding[] {
  if ('problem' in opened) return skipped('journal', 'The database cannot be read.');
  const problem = tailProblem(opened.db, TAIL);
  return problem
    ? broken(
        'journal',
        `The journal was tampered with or damaged: ${problem}.`,
        `\`helix-org verify\` names every place. ${RESTORE}`,
      )
    : fine('journal', `Its newest entries follow each other as they were written (\`verify\` looks at all).`);
}

export function checkWal({ db: file }: DataPaths): Finding[] {
  const bytes = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const says = `The write-ahead log has ${Math.round(bytes / MIB)} MiB`;
  return bytes > WAL_MAX
    ? broken(
        'write-ahead log',
        `${says}, so nothing was able to cut it.`,
        `End the program that reads ${file} and does not end, such as a sqlite3 shell (\`fuser ${file}\` names it); while no daemon runs, starting one cuts it.`,
      )
    : fine('write-ahead log', `${says}.`);
}

/** What was written in the future was written by a clock that was wrong, then or now. */
export function checkClock(opened: Opened, now: Date): Finding[] {
  if ('problem' in opened) return skipped('clock', 'The database cannot be read.');
  const newest = createHealth(opened.db).newestAt();
  const ahead = newest === undefined ? 0 : Date.parse(newest) - now.getTime();
  return ahead > CLOCK_OFF_MS
    ? broken(
        'clock',
        `The clock says ${now.toISOString()}, but the newest entry was written at ${newest}.`,
        'Set the clock by the network: `timedatectl set-ntp true`. Schedules, limits and retries wait until the time has come again.',
      )
    : fine('clock', 'It is not behind what was written.');
}

export function checkBackup(opened: Opened, now: Date): Finding[] {
  if ('problem' in opened) return skipped('backup', 'The database cannot be read.');
  const health = createHealth(opened.db);
  const made = health.lastBackupAt();
  const since = made ?? new Date(health.foundedAt() ?? now);
  const days = Math.floor((now.getTime() - since.getTime()) / DAY_MS);
  const fix = 'helix-org backup /another/disk/org.tar   # and again each day, as by cron; also while the daemon runs';
  if (days >= BACKUP_DAYS)
    return warning(
      'backup',
      made ? `The last backup is ${days} days old.` : `There was never a backup, for ${days} days.`,
      fix,
    );
  return fine(
    'backup',
    made ? `The last one was made at ${made.toISOString()}.` : 'None yet; the organisation is young.',
  );
}
