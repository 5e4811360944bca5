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
  test,
  'test:agents': testAgents,
  typecheck: () => tool('typescript/bin/tsc', args),
  lint: () => tool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings'].concat(args)),
  format: () => tool('@biomejs/biome/bin/biome', ['check', '--write'].concat(args)),
  build,
  check,
};

async function run() {
  if (!tasks[task]) throw refusal(`Unknown task ${task}; one of ${Object.keys(tasks).join(', ')}.`);
  await ensureInstalled(root, true);
  if (!isFit(process.versions.node)) return runUnder(await findPinnedNode(), [self, task].concat(args));
  await tasks[task]();
}

/** In this process: the launcher reads its arguments when it is imported. */
function cli(command) {
  process.argv.splice(2, 1, command);
  return import('../bin/helix-org.mjs');
}

function tool(script, toolArgs) {
  return runUnder(process.execPath, [join(root, 'node_modules', script)].concat(toolArgs));
}

function test() {
  return vitest(args);
}

/** With the real agents, which are large and so installed beside the tests that need them. */
async function testAgents() {
  const folder = join(root, 'test', 'real-agents');
  await ensureInstalled(folder, true);
  // Puts the program for this machine in its place; `npm ci` runs no scripts.
  await runUnder(process.execPath, [join(folder, 'node_modules', '@anthropic-ai', 'claude-code', 'install.cjs')]);
  return vitest(['--config', join(folder, 'vitest.config.ts')].concat(args));
}

function vitest(vitestArgs) {
  // Tests start .ts programs as `node file.ts`.
  if (!process.features.typescript)
    process.env.NODE_OPTIONS = STRIP_TYPES.concat(process.env.NODE_OPTIONS || []).join(' ');
  return tool('vitest/vitest.mjs', ['run'].concat(vitestArgs));
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
