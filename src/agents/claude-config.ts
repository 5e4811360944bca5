// The Worker's Claude Code directory, made anew for each run, so that nothing a run left there acts on the next one.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureHome } from './agent-environment.ts';
import { configDirectory, instructionsFile } from './claude-arguments.ts';
import { entriesOf, isDirectory, remove } from './worker-directory.ts';

/** Where Claude Code keeps its sessions, by folder. */
const SESSIONS = 'projects';

/** @param kept sessions that runs may go on in; undefined when this one leaves none */
export async function prepareConfig(folder: string, instructions: string, kept: string[] | undefined): Promise<void> {
  ensureHome(folder);
  const directory = configDirectory(folder);
  if (!kept || !(await isDirectory(directory))) await remove(directory);
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry);
    if (entry === SESSIONS && (await isDirectory(path))) await forgetSessions(path, kept ?? []);
    else await remove(path);
  }
  await mkdir(join(directory, 'tmp'), { recursive: true, mode: 0o700 });
  await writeFile(instructionsFile(folder), instructions, { mode: 0o600, flag: 'wx' });
}

/** A session is a file, and a directory of the same name for what belongs to it. */
async function forgetSessions(sessions: string, kept: string[]): Promise<void> {
  for (const project of await entriesOf(sessions)) {
    const path = join(sessions, project);
    if (!(await isDirectory(path))) await remove(path);
    for (const entry of await entriesOf(path))
      if (!kept.includes(entry.replace(/\.jsonl$/, ''))) await remove(join(path, entry));
  }
}

/** Whether the session can be gone on with. */
export async function hasSession(folder: string, session: string): Promise<boolean> {
  const sessions = join(configDirectory(folder), SESSIONS);
  const found = await Promise.all((await entriesOf(sessions)).map((project) => entriesOf(join(sessions, project))));
  return found.flat().includes(`${session}.jsonl`);
}
