// Where an agent's program is put: behind the command of a sandbox (`agent.wrap`), and under another user of the operating
// system (`agent.run_as`). Both hold for every kind of agent.
import { execFile } from 'node:child_process';
import { lchown, lstat, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { AgentRun } from '../domain/agent.ts';

export type OsUser = { uid: number; gid: number };

/** The command with what stands before it, and who runs it; or why it cannot be put there, which is no Worker's fault. */
export type Confined = { command: string[]; user?: OsUser } | { problem: string };

const run = promisify(execFile);

export async function confine(
  { folder, workerId, confinement: { wrap, runAs } }: Pick<AgentRun, 'folder' | 'workerId' | 'confinement'>,
  command: string[],
): Promise<Confined> {
  const names = { '{folder}': folder, '{worker}': workerId.slice(2), '{home}': homedir() };
  const named = (text: string) =>
    text.replace(/\{(folder|worker|home)\}/g, (name) => names[name as keyof typeof names]);
  const wrapped = [...wrap.map(named), ...command];
  if (runAs === undefined) return { command: wrapped };
  const name = named(runAs);
  const setting = `agent.run_as names ${JSON.stringify(name)}`;
  if (process.getuid?.() !== 0)
    return { problem: `${setting}, but only a daemon that runs as root may start programs as another user` };
  const user = await userOf(name);
  if (!user) return { problem: `${setting}: there is no such user here` };
  if (user.uid === 0) return { problem: `${setting}, which is root itself` };
  await handOver(folder, user);
  return (await canEnter(folder, user))
    ? { command: wrapped, user }
    : { problem: `${setting}, who cannot enter ${folder}: let others pass the directories above it (chmod o+x)` };
}

async function userOf(name: string): Promise<OsUser | undefined> {
  // A name that begins with a dash would be an option.
  if (!/^[A-Za-z0-9_][\w.-]*$/.test(name)) return undefined;
  const ids = await Promise.all(['-u', '-g'].map((option) => run('id', [option, name]).catch(() => undefined)));
  const [uid, gid] = ids.map((id) => Number(id?.stdout.trim() || Number.NaN));
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid: uid ?? 0, gid: gid ?? 0 } : undefined;
}

/** Gives the folder to the user: all of it where it was not his, else what the daemon has written since. */
async function handOver(folder: string, user: OsUser): Promise<void> {
  const home = join(folder, '.home');
  const isOurs = (path: string) => path === folder || path === home || dirname(path) === home;
  await give(folder, user, isOurs);
}

/** @param isOurs directories into which the daemon writes, and which are looked through each time */
async function give(path: string, user: OsUser, isOurs: (path: string) => boolean): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  const isHis = found.uid === user.uid;
  // A second name of a file can be somebody else's file, which a run has linked here.
  if (!isHis && (found.isDirectory() || found.nlink === 1)) await lchown(path, user.uid, user.gid);
  if (!found.isDirectory() || (isHis && !isOurs(path))) return;
  for (const entry of await readdir(path)) await give(join(path, entry), user, isOurs);
}

const canEnter = (folder: string, user: OsUser) =>
  run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
