import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dockerfile, instructions, words } from './dockerfile.ts';
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
    expect.arrayContaining(['LICENSE', 'bin', 'deploy', 'dist', 'package.json', 'templates']),
  );
  expect(readdirSync(join(installed, 'deploy')).sort()).toEqual(readdirSync(join(repository, 'deploy')).sort());
  expect(readdirSync(installed)).not.toContain('src');
  // Started by its name, so that no import tells whether it is there.
  expect(readdirSync(join(installed, 'dist/agents'))).toContain('launcher-process.mjs');
  const migrations = (path: string) => readdirSync(join(path, 'store/migrations'), { recursive: true }).sort();
  expect(migrations(join(installed, 'dist'))).toEqual(migrations(join(repository, 'src')));

  const help = await run(join(empty, 'node_modules/.bin/helix-org'), ['help'], { cwd: empty });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toMatch(/helix-org serve|usage/i);

  await playContainer(empty);
});

/** What the image would do, on what was installed: as its user, with its commands, in an empty volume, until it is stopped. */
async function playContainer(installed: string): Promise<void> {
  const image = dockerfile().at(-1) ?? [];
  const [program = '', ...fixed] = words(image, 'ENTRYPOINT');
  const port = await freePort();
  const here = (word: string) => word.replace('/opt/helix-org', installed).replaceAll('8080', String(port));
  const world = folder();
  const data = join(world, 'data');
  mkdirSync(data, { mode: 0o700 });
  const node = join(world, 'node');
  copyFileSync(process.execPath, node);
  for (const directory of [world, installed]) chmodSync(directory, 0o755);
  const [uid = 0, gid = 0] = (instructions(image, 'USER')[0] ?? '').split(':').map(Number);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(data, uid, gid);
  const options = {
    cwd: data,
    env: { PATH: `${world}:/usr/bin:/bin`, HOME: data, HELIX_ORG_HOME: data, NODE_ENV: 'production' },
    ...(isRoot ? { uid, gid } : {}),
  };
  const daemon = spawn(here(program), [...fixed, ...words(image, 'CMD')].map(here), { ...options, stdio: 'pipe' });
  onTestFinished(() => void daemon.kill('SIGKILL'));
  const log = outputOf(daemon);
  const [probe = '', ...args] = words(image, 'HEALTHCHECK').map(here);
  let health: number | null = null;
  for (let attempt = 0; health !== 0 && attempt < 120 && daemon.exitCode === null; attempt++) {
    health = await ended(spawn(probe, args, options));
    if (health !== 0) await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(health, log()).toBe(0);
  expect(statSync(join(data, 'org.db')).uid).toBe(isRoot ? uid : process.getuid?.());
  const verified = spawn(here(program), ['verify'], options);
  const said = outputOf(verified);
  expect(await ended(verified), said()).toBe(0);
  const over = ended(daemon);
  daemon.kill('SIGTERM');
  expect(await over, log()).toBe(0);
  expect(await ended(spawn(probe, args, options))).toBe(1);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));

function outputOf(child: ChildProcess): () => string {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      said += chunk;
    });
  return () => said;
}
