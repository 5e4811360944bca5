// What must not be in the repository: traces of the machine it was written on, and versions that move.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PINNED } from '../../bin/node-version.mjs';
import { repository } from './sandbox.ts';

const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage', 'tmp']);
const MACHINE_PATH = /(?<![\w.)}\]$~-])\/(root|home|work)\//;
const REGISTRY = /\bregistry\.[\w-]+\.\w+|"resolved": "https?:/;

function filesBelow(path: string): string[] {
  return readdirSync(join(repository, path), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const file = join(path, entry.name);
    return entry.isDirectory() ? filesBelow(file) : [file];
  });
}

function filesWith(pattern: RegExp): string[] {
  const files = filesBelow('').filter((file) => statSync(join(repository, file)).isFile());
  expect(files).toContain('package-lock.json');
  return files.filter((file) => pattern.test(readFileSync(join(repository, file), 'utf8')));
}

test('no file names a folder of somebody’s machine', () => {
  expect(filesWith(MACHINE_PATH)).toEqual([]);
  expect(`see ${['', 'home', 'ann', 'a'].join('/')}`).toMatch(MACHINE_PATH);
});

test('no file names the host of a package registry', () => {
  expect(filesWith(REGISTRY)).toEqual([]);
  expect(['https://registry', 'example', 'com/a'].join('.')).toMatch(REGISTRY);
});

test('.gitignore swallows no file of ours (UI bug 12)', () => {
  const ignored = spawnSync('git', ['-c', 'safe.directory=*', 'check-ignore', '--no-index', '--stdin'], {
    cwd: repository,
    input: filesBelow('').join('\n'),
    encoding: 'utf8',
  });
  // 1 is git's way to say that there is none.
  expect(ignored).toMatchObject({ status: 1, stdout: '' });
});

test('every dependency has one exact version', () => {
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(versions.length).toBeGreaterThan(10);
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))).toEqual([]);
});

test('.nvmrc names the Node that older machines get', () => {
  expect(readFileSync(join(repository, '.nvmrc'), 'utf8')).toBe(`${PINNED}\n`);
});
