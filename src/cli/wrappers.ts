// Wrappers of gh and git, first on the search path of AI Workers: what these write on GitHub and commit is marked, so that it
// is known again when it comes back. They lie in a directory of the daemon's.
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

/** Not even its owner changes them by accident. */
const MODE = 0o555;
const DIRECTORY_MODE = 0o755;

/** Brings them up to date. @returns the directory to put first on the search path */
export function installWrappers(dataDir: string): string {
  const directory = join(dataDir, 'wrappers');
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  chmodSync(directory, DIRECTORY_MODE);
  const source = (name: string) => join(packageRoot, 'templates', 'wrappers', name);
  const gh = [process.execPath, source('gh.mjs'), directory].map(quoted).join(' ');
  install(join(directory, 'gh'), `#!/bin/sh\nexec ${gh} "$@"\n`);
  const git = readFileSync(source('git.sh'), 'utf8');
  install(join(directory, 'git'), `#!/bin/sh\nwrappers=${quoted(directory)}\n${git}`);
  return directory;
}

/** Whole or not at all: a Worker may be starting it now. */
function install(file: string, text: string): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: MODE });
  chmodSync(temporary, MODE);
  renameSync(temporary, file);
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
