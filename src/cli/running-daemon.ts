// Who has the data: a running daemon, which is asked; or nobody, and then this process takes the lock itself.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { conflict, OrgError, type OrgErrorCode } from '../domain/errors.ts';
import { type DaemonAddress, readDaemonFile } from './daemon-file.ts';
import { type DataPaths, requireDatabase, requireDataDir } from './data-dir.ts';
import { type Lock, takeLock } from './lock.ts';

export type RunningDaemon = DaemonAddress & {
  /** The owner's. */
  token: string;
  /** Runs one of the daemon's control functions. @throws OrgError with the daemon's refusal */
  control(command: string, args?: Record<string, unknown>): Promise<unknown>;
};

/** A daemon that is just starting has the lock before it has an address, and a short command may be at work as well. */
const PATIENCE_MS = 3_000;
const POLL_MS = 25;

/** @throws OrgError when there are no data, or when something that does not answer holds them */
export async function daemonOrLock(paths: DataPaths): Promise<{ daemon: RunningDaemon } | { lock: Lock }> {
  requireDataDir(paths);
  for (const deadline = performance.now() + PATIENCE_MS; ; ) {
    const lock = takeExisting(paths);
    if (lock) return { lock };
    const daemon = await answering(paths);
    if (daemon) return { daemon };
    if (performance.now() > deadline) throw lockedBy(paths);
    await pause(POLL_MS);
  }
}

function takeExisting(paths: DataPaths): Lock | undefined {
  const lock = takeLock(paths.lockFiles);
  try {
    if (lock) requireDatabase(paths);
    return lock;
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** Takes the lock, or says who has it. @throws OrgError conflict */
export async function lockOrRefuse(paths: DataPaths): Promise<Lock> {
  for (const deadline = performance.now() + PATIENCE_MS; ; ) {
    const lock = takeLock(paths.lockFiles);
    if (lock) return lock;
    if (holderOf(paths) || performance.now() > deadline) throw lockedBy(paths);
    await pause(POLL_MS);
  }
}

/** The daemon that the file names, unless it was left behind by one that is gone. */
function holderOf({ daemonFile }: DataPaths): DaemonAddress | undefined {
  const found = readDaemonFile(daemonFile);
  return found && isAlive(found.pid) ? found : undefined;
}

/** Whether a process of this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function lockedBy(paths: DataPaths): OrgError {
  const { dataDir, db } = paths;
  const holder = holderOf(paths);
  if (!holder)
    return conflict(`Another helix-org process works on ${db} (data directory ${dataDir}); wait for it, or stop it.`);
  return conflict(
    `A daemon already runs on ${dataDir}: ${holder.url}, pid ${holder.pid}. Use that one, or stop it first (kill ${holder.pid}).`,
  );
}

/** The daemon that answers now, if one does. */
export async function answering({
  daemonFile,
  ownerTokenFile,
  db,
  isDbNamed,
}: DataPaths): Promise<RunningDaemon | undefined> {
  const found = readDaemonFile(daemonFile);
  const token = readToken(ownerTokenFile);
  if (!found || !token) return undefined;
  if (isDbNamed && found.db !== db)
    throw conflict(`The daemon on this data directory (${found.url}) uses another database: ${found.db}.`);
  try {
    await (await fetch(`${found.url}/healthz`, { signal: AbortSignal.timeout(PATIENCE_MS) })).text();
  } catch {
    return undefined;
  }
  const control = (command: string, args: Record<string, unknown> = {}) => post(found.url, token, { command, args });
  return { ...found, token, control };
}

function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

const CODES: Record<number, OrgErrorCode> = { 400: 'invalid', 403: 'forbidden', 404: 'not_found', 409: 'conflict' };

async function post(
  url: string,
  token: string,
  { command, args }: { command: string; args: object },
): Promise<unknown> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/control/${command}`, { method: 'POST', headers, body: JSON.stringify(args) });
  if (response.ok) return response.json();
  throw new OrgError(CODES[response.status] ?? 'conflict', (await response.text()).trim());
}
