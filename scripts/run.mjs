// `npm start`, `npm run demo`, `npm test` and the rest, on any machine with npm: installs what a fresh clone lacks and
// changes to the pinned Node where the machine's own is too old.
import fs from 'fs';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';
import { ensureInstalled } from '../bin/dependencies.mjs';
import { fail, findPinnedNode, isFit, refusal, runUnder, STRIP_TYPES } from '../bin/node-version.mjs';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const [task, ...args] = process.argv.slice(2);

const tasks = {
  start: () => cli('serve'),
  demo: () => cli('demo'),
  demos: () => cli('demo', '--all'),
  test,
  'test:faults': () => {
    // Longer than in the whole suite, where the same tests take a minute; each of them prints its seed.
    process.env.HELIX_KILLS = process.env.HELIX_KILLS || '200';
    process.env.HELIX_RUNS = process.env.HELIX_RUNS || '1500';
    args.unshift('test/faults', 'test/dispatch/interleavings.test.ts', 'test/dispatch/nothing-lost.test.ts');
    return test();
  },
  'test:conformance': testConformance,
  bench: () => bench('run'),
  'bench:agents': benchAgents,
  'bench:chat': () => bench('chat'),
  'test:browser': () => test('test/browser'),
  screenshots,
  'test:agents': testAgents,
  typecheck: () => tool('typescript/bin/tsc', args),
  lint: () => tool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings'].concat(args)),
  format: () => tool('@biomejs/biome/bin/biome', ['check', '--write'].concat(args)),
  build,
  check,
};

const benchmarks = 'ingest fan-out reads wake dispatch mcp sse loop ui memory recovery soak';
for (const name of benchmarks.split(' ')) tasks[`bench:${name}`] = () => bench(name);

async function run() {
  if (!tasks[task]) throw refusal(`Unknown task ${task}; one of ${Object.keys(tasks).join(', ')}.`);
  await ensureInstalled(root, true);
  if (!isFit(process.versions.node)) return runUnder(await findPinnedNode(), [self, task].concat(args));
  await tasks[task]();
}

/** In this process: bin reads its arguments when it is imported. */
function cli(...words) {
  process.argv.splice.apply(process.argv, [2, 1].concat(words));
  return import('../bin/helix-org.mjs');
}

function tool(script, toolArgs) {
  return runUnder(process.execPath, [join(root, 'node_modules', script)].concat(toolArgs));
}

function test(...only) {
  letNodeRunTypeScript();
  return tool('vitest/vitest.mjs', ['run'].concat(only, args));
}

/** Programs of others that only these tests need are installed beside them; the large ones, real agents, in CI only. */
async function testConformance() {
  const folder = join(root, 'test', 'conformance');
  await ensureInstalled(folder, false);
  if (process.env.CI) await installAgents();
  letNodeRunTypeScript();
  return tool('vitest/vitest.mjs', ['run', '--config', join(folder, 'vitest.config.ts')].concat(args));
}

/** @returns their folder */
async function installAgents() {
  const folder = join(root, 'test', 'real-agents');
  await ensureInstalled(folder, true);
  // Puts the program for this machine in its place; `npm ci` runs no scripts.
  await runUnder(process.execPath, [join(folder, 'node_modules', '@anthropic-ai', 'claude-code', 'install.cjs')]);
  return folder;
}

/** With the real agents, which are large and so installed beside the tests that need them. */
async function testAgents() {
  const folder = await installAgents();
  letNodeRunTypeScript();
  return tool('vitest/vitest.mjs', ['run', '--config', join(folder, 'vitest.config.ts')].concat(args));
}

/** What the daemon adds to the starts of the real agents. */
async function benchAgents() {
  await installAgents();
  return bench('agents');
}

function bench(name) {
  letNodeRunTypeScript();
  return runUnder(process.execPath, [join(root, 'bench', `${name}.ts`)].concat(args));
}

/** Tests start .ts programs as `node file.ts`. */
function letNodeRunTypeScript() {
  if (!process.features.typescript)
    process.env.NODE_OPTIONS = STRIP_TYPES.concat(process.env.NODE_OPTIONS || []).join(' ');
}

/** Every page, as docs/screenshots/ shows it. */
function screenshots() {
  process.env.HELIX_SCREENSHOTS = join(root, 'docs', 'screenshots');
  return test('test/browser/screenshots.test.ts');
}

async function build() {
  const src = join(root, 'src');
  const dist = join(root, 'dist');
  fs.rmSync(dist, { recursive: true, force: true });
  if ((await tool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])) !== 0) return;
  // What is not code (migrations) goes beside the compiled files that read it.
  fs.cpSync(src, dist, { recursive: true, filter: (path) => !path.endsWith('.ts') });
}

/** Everything is run, so that one look shows all that is wrong; the tests' count comes last. */
async function check() {
  const codes = [await tasks.typecheck(), await tasks.lint(), await tasks.test()];
  process.exitCode = Math.max(...codes);
}

run().catch(fail);
