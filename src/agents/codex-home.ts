// The Worker's Codex directory, made anew for each run, so that nothing a run left there acts on the next one.
import { constants } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureHome } from './agent-environment.ts';
import type { CodexUsage } from './codex-message.ts';
import { catalogFile, codexDirectory, temporaryDirectory } from './codex-settings.ts';
import { entriesOf, isDirectory, remove } from './worker-directory.ts';

/** Where Codex keeps its sessions, by year, month and day. */
const SESSIONS = 'sessions';

export type CodexHome = {
  config: string;
  auth: string | undefined;
  catalog: string | undefined;
  /** Sessions that runs may go on in; undefined when this one leaves none. */
  kept: string[] | undefined;
};

export async function prepareHome(folder: string, { config, auth, catalog, kept }: CodexHome): Promise<void> {
  ensureHome(folder);
  const directory = codexDirectory(folder);
  const temporary = temporaryDirectory(folder);
  // Side by side: each wait is long where other starts keep all cores busy.
  await Promise.all([empty(directory, kept), remove(temporary)]);
  // Both are named in the rules of its sandbox, which wants them there.
  await mkdir(join(directory, SESSIONS), { recursive: true, mode: 0o700 });
  await Promise.all([
    mkdir(temporary, { mode: 0o700 }),
    write(join(directory, 'auth.json'), auth ?? '{}'),
    write(join(directory, 'config.toml'), config),
    ...(catalog === undefined ? [] : [write(catalogFile(folder), catalog)]),
  ]);
}

/** Leaves nothing but sessions that are kept. */
async function empty(directory: string, kept: string[] | undefined): Promise<void> {
  if (!kept || !(await isDirectory(directory))) return remove(directory);
  await Promise.all(
    (await entriesOf(directory)).map(async (entry) => {
      const path = join(directory, entry);
      if (entry === SESSIONS && (await isDirectory(path))) await forgetSessions(path, kept);
      else await remove(path);
    }),
  );
}

const write = (path: string, text: string) => writeFile(path, text, { mode: 0o600, flag: 'wx' });

async function forgetSessions(directory: string, kept: string[]): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry);
    if (await isDirectory(path)) await forgetSessions(path, kept);
    else if (!kept.some((session) => isOf(entry, session))) await remove(path);
  }
}

const isOf = (file: string, session: string) => file.endsWith(`-${session}.jsonl`);

async function fileOf(directory: string, session: string): Promise<string | undefined> {
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry);
    if (isOf(entry, session)) return path;
    const found = (await isDirectory(path)) ? await fileOf(path, session) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** Whether the session can be gone on with. */
export async function hasCodexSession(folder: string, session: string): Promise<boolean> {
  return (await fileOf(join(codexDirectory(folder), SESSIONS), session)) !== undefined;
}

/** A session as a run found it. */
export type LeftSession = {
  file: string;
  bytes: number;
  /** A run that goes on in it counts on from there. */
  used: CodexUsage | undefined;
};

export async function leftSession(folder: string, session: string): Promise<LeftSession | undefined> {
  const file = await fileOf(join(codexDirectory(folder), SESSIONS), session);
  if (!file) return undefined;
  const content = await readFile(file).catch(() => Buffer.alloc(0));
  const last = content.subarray(Math.max(0, content.lastIndexOf('"total_token_usage"'))).toString();
  const [, json] = /"total_token_usage":(\{[^{}]*\})/.exec(last) ?? [];
  return { file, bytes: content.length, used: json ? (JSON.parse(json) as CodexUsage) : undefined };
}

/** Codex only adds to a session, so that its beginning is the session as it was. */
export async function restoreSession({ file, bytes }: LeftSession): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_NOFOLLOW).catch(() => undefined);
  try {
    if ((await handle?.stat())?.nlink === 1) await handle?.truncate(bytes);
  } finally {
    await handle?.close();
  }
}
