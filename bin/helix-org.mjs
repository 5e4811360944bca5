#!/usr/bin/env node
// Starts the CLI: compiled in an installed package, straight from src/ in a clone; under a Node that is new enough.
import { existsSync } from 'fs';
import nodeModule from 'module';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';
import { ensureInstalled } from './dependencies.mjs';
import { CACHE, fail, findPinnedNode, isFit, runUnder, STRIP_TYPES } from './node-version.mjs';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const args = process.argv.slice(2);

async function launch() {
  const isClone = existsSync(join(root, 'src'));
  // Before the Node changes: npm finds its global configuration (registry, certificates) beside the machine's own.
  if (isClone) await ensureInstalled(root, false);
  if (!isFit(process.versions.node)) return runUnder(await findPinnedNode(), [self].concat(args));
  if (!isClone) return start('../dist/cli/main.js');
  if (process.features.typescript) return start('../src/cli/main.ts');
  return runUnder(process.execPath, STRIP_TYPES.concat(self, args));
}

async function start(module) {
  // What V8 made of the sources is kept for the next start, which takes half as long then. Where nothing can be written it
  // is made each time. NODE_COMPILE_CACHE names another place, NODE_DISABLE_COMPILE_CACHE=1 turns it off.
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE || join(CACHE, 'compiled'));
  const { main } = await import(module);
  process.exitCode = await main(args);
}

launch().catch(fail);
