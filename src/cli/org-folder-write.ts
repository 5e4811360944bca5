// An organisation's document as files: one per noun, in an order and a form that only change where the organisation does.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { conflict } from '../domain/errors.ts';
import type { OrgDocument, StreamDocument, WorkerDocument } from './org-document.ts';

/** Says that a folder is an export, and in which form. */
export const MARK_FILE = 'helix-org.yaml';
export const MARK = 'format: 1\n';
export const POSITIONS_FILE = 'positions.yaml';
/** Folder → how its files end. */
export const FOLDERS = { roles: '.md', streams: '.yaml', workers: '.md' } as const;

/** @returns path within the folder → text */
export function filesOf({ roles, positions, streams, workers }: OrgDocument): Map<string, string> {
  return new Map([
    [MARK_FILE, MARK],
    [POSITIONS_FILE, yaml(sorted(positions))],
    ...Object.entries(sorted(roles)).map(([id, text]): [string, string] => [`roles/${id}.md`, `${text}\n`]),
    ...Object.entries(sorted(streams)).map(([id, stream]): [string, string] => [
      `streams/${id}.yaml`,
      yaml(streamHead(stream)),
    ]),
    ...Object.entries(sorted(workers)).map(([id, worker]): [string, string] => [
      `workers/${id}.md`,
      `---\n${yaml(workerHead(worker))}---\n\n${worker.identity}\n`,
    ]),
  ]);
}

/**
 * Writes an export. In the folder of an earlier one, files of what is gone go as well; everything else there stays.
 * @throws OrgError conflict when the folder holds something that is no export
 */
export function writeFolder(folder: string, files: Map<string, string>): void {
  const found = listed(folder).filter((name) => !name.startsWith('.'));
  if (found.length > 0 && !found.includes(MARK_FILE))
    throw conflict(`${folder} is not empty and no export (it has no ${MARK_FILE}); name another folder, or empty it.`);
  for (const [directory, suffix] of Object.entries(FOLDERS)) {
    for (const name of listed(join(folder, directory))) {
      const path = `${directory}/${name}`;
      if (name.endsWith(suffix) && !files.has(path)) rmSync(join(folder, path));
    }
  }
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (textOf(file) !== text) writeFileSync(file, text);
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** What is as it is by itself is left out, so that a file says what was decided. */
function streamHead({ name, description, transport: { kind, config }, batch, ...flags }: StreamDocument): object {
  return {
    name,
    ...(description === '' ? {} : { description }),
    transport: { kind, ...(Object.keys(config).length === 0 ? {} : { config: ordered(config) }) },
    ...(flags.private ? { private: true } : {}),
    ...(flags.hold ? { hold: true } : {}),
    batch,
  };
}

function workerHead({ kind, positions, email, agent, grants, subscriptions }: WorkerDocument): object {
  return {
    kind,
    positions,
    ...(email === undefined ? {} : { email }),
    ...(Object.keys(agent).length === 0 ? {} : { agent: sorted(agent) }),
    grants: [...grants].sort(),
    subscriptions: ordered(subscriptions),
  };
}

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

function sorted<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as T;
}

/** The same with the names of all maps in it sorted. */
export function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(sorted(value)).map(([name, part]) => [name, ordered(part)]));
}
