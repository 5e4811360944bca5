import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { folder, repository, run } from './sandbox.ts';

const NOT_COPIED = new Set(['.git', 'node_modules', 'dist', 'coverage', 'tmp', 'test']);

test('npm pack gives a package that works installed into an empty folder', { timeout: 600_000 }, async () => {
  // Packed from a copy, so that nobody else's dist/ changes under them.
  const tree = folder();
  cpSync(repository, tree, { recursive: true, filter: (path) => !NOT_COPIED.has(relative(repository, path)) });
  symlinkSync(join(repository, 'node_modules'), join(tree, 'node_modules'));
  const empty = folder();
  const npm = async (cwd: string, ...args: string[]) => {
    const result = await run('npm', ['--loglevel=error', '--prefer-offline', ...args], { cwd });
    expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
  };

  await npm(tree, 'pack', '--pack-destination', empty);
  const [tarball = ''] = readdirSync(empty);
  await npm(empty, 'install', '--no-audit', '--no-fund', `./${tarball}`);

  const installed = join(empty, 'node_modules/helix-org');
  expect(readdirSync(installed)).toEqual(
    expect.arrayContaining(['LICENSE', 'bin', 'dist', 'package.json', 'templates']),
  );
  expect(readdirSync(installed)).not.toContain('src');
  const migrations = (path: string) => readdirSync(join(path, 'store/migrations'), { recursive: true }).sort();
  expect(migrations(join(installed, 'dist'))).toEqual(migrations(join(repository, 'src')));

  const help = await run(join(empty, 'node_modules/.bin/helix-org'), ['help'], { cwd: empty });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toMatch(/helix-org serve|usage/i);
});
