import { accessSync, constants, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { isFit, PINNED } from '../../bin/node-version.mjs';
import { cloneWith, folder, type Run, repository, run } from './sandbox.ts';

const SLOW = { timeout: 300_000 };
const OLD = '20.20.2';

/** A command line that says what it was given and ends as it is told. */
const main = `function stopped() {
  const alive = setInterval(() => {}, 1000);
  return new Promise((resolve) => process.once('SIGTERM', resolve)).finally(() => clearInterval(alive));
}

export async function main(argv: string[]) {
  const ready = argv.includes('wait') ? stopped() : undefined;
  console.log(JSON.stringify({ argv, version: process.version, pid: process.pid }));
  await ready;
  if (argv[0] === 'die') process.kill(process.pid, 'SIGKILL');
  return Number(argv.at(-1));
}`;
const clone = { 'src/cli/main.ts': main };

function launch(node: string, cwd: string, args: string[], options: Partial<Parameters<typeof run>[2]> = {}) {
  return run(node, [join(cwd, 'bin/helix-org.mjs'), ...args], { cwd, ...options });
}

const said = ({ stdout }: Run) => JSON.parse(stdout) as { argv: string[]; version: string; pid: number };

describe('under a Node that is new enough', () => {
  test('a clone runs its sources, with the arguments and the exit code of the command', async () => {
    const result = await launch(process.execPath, cloneWith(clone), ['call', '--json', '7']);
    expect(result).toMatchObject({ code: 7, signal: null, stderr: '' });
    expect(said(result)).toMatchObject({ argv: ['call', '--json', '7'], version: process.version });
  });

  test('there is one process only, which is therefore the one that is signalled', async () => {
    let launched = 0;
    const onOutput = (pid: number) => {
      launched = pid;
    };
    const result = await launch(process.execPath, cloneWith(clone), ['0'], { onOutput });
    expect(said(result).pid).toBe(launched);
  });

  test('a Node that strips types only when asked is asked', async () => {
    const result = await launch(process.execPath, cloneWith(clone), ['0'], { env: { NODE_OPTIONS: '' } });
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  test('an installed package runs what was compiled', async () => {
    const compiled = cloneWith({ 'dist/cli/main.js': main.replace(': string[]', '') });
    expect(await launch(process.execPath, compiled, ['3'])).toMatchObject({ code: 3, stderr: '' });
  });

  test('what was compiled is kept for the next start, in the cache of the user', async () => {
    const cache = folder();
    const env = { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined };
    const cwd = cloneWith(clone);
    expect(await launch(process.execPath, cwd, ['0'], { env })).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(cache, 'helix-org', 'compiled'))).toHaveLength(1);
  });

  test('a cache that cannot be written is gone without', async () => {
    const env = { XDG_CACHE_HOME: '/dev/null', NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined };
    expect(await launch(process.execPath, cloneWith(clone), ['0'], { env })).toMatchObject({ code: 0, stderr: '' });
  });

  test('npm start ends with what it started when npm is told to stop', SLOW, async () => {
    const cwd = cloneWith({ ...clone, 'package.json': readFileSync(join(repository, 'package.json'), 'utf8') });
    cpSync(join(repository, 'scripts'), join(cwd, 'scripts'), { recursive: true });
    const onOutput = (pid: number) => process.kill(pid, 'SIGTERM');
    const result = await run('npm', ['--silent', 'start', 'wait', '9'], { cwd, onOutput });
    expect(result).toMatchObject({ code: 9 });
    expect(said(result).argv).toEqual(['serve', 'wait', '9']);
  });

  test('npx runs the CLI of a clone', SLOW, async () => {
    const cwd = cloneWith({
      ...clone,
      'package.json': '{"name":"helix-org","version":"0.0.0","type":"module","bin":{"helix-org":"bin/helix-org.mjs"}}',
    });
    const result = await run('npx', ['--loglevel=error', 'helix-org', 'help', '5'], { cwd });
    expect(result).toMatchObject({ code: 5 });
    expect(said(result).argv).toEqual(['help', '5']);
  });
});

describe('on a fresh clone', () => {
  const manifest = (version: string) => ({
    'package.json': '{"name":"helix-org","version":"0.0.0","type":"module","dependencies":{"colour":"file:colour"}}',
    'package-lock.json': JSON.stringify({
      name: 'helix-org',
      version: '0.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'helix-org', version: '0.0.0', dependencies: { colour: 'file:colour' } },
        colour: { version },
        'node_modules/colour': { resolved: 'colour', link: true },
      },
    }),
    'colour/package.json': JSON.stringify({ name: 'colour', version, main: 'index.js' }),
    'colour/index.js': 'module.exports = "blue";',
    'src/cli/main.ts': `import colour from 'colour';\nexport const main = async () => console.log(colour) ?? 0;`,
  });
  const INSTALLING = 'Installing the dependencies of helix-org (npm ci; only when they changed).\n';

  test('installs what is locked first, and only once', SLOW, async () => {
    const cwd = cloneWith(manifest('1.0.0'));
    expect(await launch(process.execPath, cwd, [])).toMatchObject({ code: 0, stdout: 'blue\n', stderr: INSTALLING });
    expect(await launch(process.execPath, cwd, [])).toMatchObject({ code: 0, stdout: 'blue\n', stderr: '' });
    expect(existsSync(join(cwd, '.helix-install.lock'))).toBe(false);
  });

  test('two that start together install once', SLOW, async () => {
    const cwd = cloneWith(manifest('1.0.0'));
    const both = await Promise.all([launch(process.execPath, cwd, []), launch(process.execPath, cwd, [])]);
    expect(both).toMatchObject([{ stdout: 'blue\n' }, { stdout: 'blue\n' }]);
    const [first, second] = both.map(({ stderr }) => stderr).sort();
    expect(first).toBe('Another helix-org process is installing; waiting for it to finish.\n');
    expect(second).toBe(INSTALLING);
  });

  test('says in the end what to do when npm fails', SLOW, async () => {
    const { 'colour/package.json': _, ...broken } = manifest('1.0.0');
    const cwd = cloneWith({
      ...broken,
      'package.json': '{"name":"helix-org","dependencies":{"absent":"file:absent"}}',
    });
    const result = await launch(process.execPath, cwd, []);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('check the network and the lines above, then try again.');
    expect(result.stderr).not.toContain('    at ');
  });
});

describe('under an old Node', () => {
  test('goes on under the pinned one, announced the first time only', SLOW, async (context) => {
    const node = await oldNode(context);
    const cwd = cloneWith(clone);
    const env = { XDG_CACHE_HOME: folder(), NODE_OPTIONS: '' };
    const first = await launch(node, cwd, ['serve', '--port', '4'], { env });
    const again = await launch(node, cwd, ['5'], { env });
    expect(said(first)).toMatchObject({ argv: ['serve', '--port', '4'], version: `v${PINNED}` });
    expect(first).toMatchObject({ code: 4, stderr: expect.stringMatching(/^helix-org needs Node .* \(190 MB\)\.\n$/) });
    expect(again).toMatchObject({ code: 5, stderr: '' });
  });

  test('looks again when the Node it remembers is gone', SLOW, async (context) => {
    const node = await oldNode(context);
    const cache = folder({ [`helix-org/node-${PINNED}-${process.platform}-${process.arch}`]: '/nowhere/node\n' });
    const result = await launch(node, cloneWith(clone), ['0'], { env: { XDG_CACHE_HOME: cache, NODE_OPTIONS: '' } });
    expect(said(result).version).toBe(`v${PINNED}`);
  });

  test('passes a signal on and ends as the command ends', SLOW, async (context) => {
    const env = { NODE_OPTIONS: '' };
    const node = await oldNode(context);
    const stop = (pid: number) => process.kill(pid, 'SIGTERM');
    const stopped = await launch(node, cloneWith(clone), ['wait', '9'], { env, onOutput: stop });
    expect(stopped).toMatchObject({ code: 9, signal: null });
    const killed = await launch(node, cloneWith(clone), ['die'], { env });
    expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('says in one sentence what to do where npm cannot help', async (context) => {
    const node = await oldNode(context);
    const env = { XDG_CACHE_HOME: folder(), PATH: folder(), NODE_OPTIONS: '' };
    const result = await launch(node, cloneWith(clone), ['help'], { env });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/npm could not fetch Node .* install Node 24, or put npm on the PATH/);
    expect(result.stderr).not.toContain('    at ');
  });

  test('finds no syntax that it cannot parse', () => {
    const newer = /\?\.\D|\?\?|(?:&&|\|\|)=|\d_\d|#\w+[ ;(=]|^await |^ {2}static |from 'node:|import\('node:/m;
    for (const name of ['bin', 'scripts']) {
      for (const file of readdirSync(join(repository, name))) {
        expect(readFileSync(join(repository, name, file), 'utf8'), file).not.toMatch(newer);
      }
    }
  });
});

/** The machine's own, where it is old. Elsewhere only CI fetches one: it is large. */
async function oldNode({ skip }: TestContext): Promise<string> {
  for (const path of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(path, 'node');
    if (!isExecutable(node)) continue;
    const { stdout } = await run(node, ['-p', 'process.versions.node'], { cwd: repository, env: { NODE_OPTIONS: '' } });
    if (!isFit(stdout)) return node;
  }
  skip(!process.env.CI, 'no Node older than 22.14 on the PATH; only CI fetches one');
  const args = ['exec', '--yes', '--loglevel=error', `--package=node@${OLD}`, '--', 'node', '-p', 'process.execPath'];
  return (await run('npm', args, { cwd: folder() })).stdout.trim();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
