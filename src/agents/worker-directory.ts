// Directories of an agent's program in a Worker's HOME, where a run may have put a link in the place of anything.
import { lstat, readdir, rm } from 'node:fs/promises';

/** Whether there is a directory; a link to one is none. */
export const isDirectory = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Names in a directory; none where it cannot be read. */
export const entriesOf = (path: string): Promise<string[]> => readdir(path).catch(() => []);

export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
