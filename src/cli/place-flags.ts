import type { DataOptions, DataPaths } from './data-dir.ts';

/**
 * For commands that a person is told to type: the flags that named the place here, without which they would be about another
 * organisation.
 * @returns such as ` --data-dir /srv/org`; empty when none was given
 */
export function placeFlags(options: DataOptions, { dataDir, db, envsDir }: DataPaths): string {
  const places = {
    '--data-dir': options.dataDir && dataDir,
    '--db': options.db && db,
    '--envs-dir': options.envsDir && envsDir,
  };
  return Object.entries(places)
    .flatMap(([flag, path]) => (path ? ` ${flag} ${quoted(path)}` : []))
    .join('');
}

const quoted = (path: string): string => (/^[\w./+:-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
