// A Worker's own files, for itself to read over the endpoint. The folder is a place where an agent writes what it likes,
// links included, and this daemon may read more than a Worker may: so only plain files that truly lie inside are opened.
import { constants, type Dirent } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { invalid, notFound } from '../../domain/errors.ts';

/** `path` is relative to the folder, with slashes. */
export type FolderFile = { path: string; size: number };

/** Largest file that is given, in bytes. */
export const FILE_BYTES_MAX = 1_048_576;
const FILES_MAX = 1_000;
const DEPTH_MAX = 8;

/** Beside whatever begins with a dot: how the agent finds the endpoint, and other people's code. */
const NOT_SHOWN = new Set(['mcp.json', 'node_modules']);

const isShown = (name: string): boolean => !name.startsWith('.') && !NOT_SHOWN.has(name);

/** The files of a folder in order of their paths, {@link FILES_MAX} at most; none while there is no folder. */
export async function listFiles(folder: string): Promise<FolderFile[]> {
  const found: FolderFile[] = [];
  await collect(folder, [], found);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function collect(folder: string, below: string[], found: FolderFile[]): Promise<void> {
  for (const entry of await entriesOf(join(folder, ...below))) {
    if (found.length >= FILES_MAX) return;
    if (!isShown(entry.name)) continue;
    const path = [...below, entry.name];
    if (entry.isDirectory() && path.length < DEPTH_MAX) await collect(folder, path, found);
    if (!entry.isFile()) continue;
    const size = await lstat(join(folder, ...path)).then(
      (stats) => stats.size,
      () => undefined,
    );
    if (size !== undefined) found.push({ path: path.join('/'), size });
  }
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/**
 * The bytes of one file of a folder.
 * @param path relative, with slashes
 * @throws OrgError not_found for what is no plain file inside the folder; invalid for one that is too large
 */
export async function readFolderFile(folder: string, path: string): Promise<Buffer> {
  const names = path.split('/');
  const missing = () => notFound(`There is no file ${JSON.stringify(path.slice(0, 200))} in your folder.`);
  if (names.length > DEPTH_MAX || !names.every((name) => name !== '' && isShown(name) && !/[\\\0]/.test(name)))
    throw missing();
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) throw missing();
  const target = join(root, ...names);
  // Not through a link, and not waiting for somebody to write into a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(target, flags).catch(() => undefined);
  if (!file) throw missing();
  try {
    const opened = await file.stat();
    if (!opened.isFile() || !(await isInside(root, target, opened))) throw missing();
    if (opened.size > FILE_BYTES_MAX)
      throw invalid(`${path} has ${opened.size} bytes; files of at most ${FILE_BYTES_MAX} bytes are read here.`);
    // What grows meanwhile is cut off where the limit is.
    const bytes = Buffer.alloc(opened.size);
    const { bytesRead } = await file.read(bytes, 0, opened.size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Asked after opening: what was opened is what lies at that path, and no folder on the way there is a link to elsewhere. */
async function isInside(root: string, target: string, opened: { dev: number; ino: number }): Promise<boolean> {
  const real = await realpath(target).catch(() => '');
  if (real !== target || !real.startsWith(root + sep)) return false;
  const there = await lstat(real).catch(() => undefined);
  return there !== undefined && there.dev === opened.dev && there.ino === opened.ino;
}
