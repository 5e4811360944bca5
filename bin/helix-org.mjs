#!/usr/bin/env node
// Starts the CLI: compiled in an installed package, straight from src/ in a clone; under a Node that is new enough.
import { existsSync } from 'fs';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';
import { ensureInstalled } from './dependencies.mjs';
import { fail, findPinnedNode, isFit, runUnder, STRIP_TYPES } from './node-version.mjs';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const args = process.argv.slice(2);

async function launch() {
  if (!isFit(process.versions.node)) return runUnder(await findPinnedNode(), [self].concat(args));
  if (!existsSync(join(root, 'src'))) return start('../dist/cli/main.js');
  await ensureInstalled(root, false);
  if (process.features.typescript) return start('../src/cli/main.ts');
  return runUnder(process.execPath, STRIP_TYPES.concat(self, args));
}

async function start(module) {
  const { main } = await import(module);
  process.exitCode = await main(args);
}

launch().catch(fail);
