// A clone installs its own dependencies: `npm start` on a fresh one is the whole set-up.
import { readFileSync } from 'fs';
import { join } from 'path';
import { withLock } from './lock.mjs';
import { npm, refusal, say } from './node-version.mjs';

const CI = ['ci', '--no-audit', '--no-fund', '--include=dev', '--engine-strict=false', '--ignore-scripts'];

/** `dev` asks for the development dependencies as well. */
export async function ensureInstalled(root, dev) {
  if (isInstalled(root, dev)) return;
  await withLock(join(root, '.helix-install.lock'), async () => {
    if (isInstalled(root, dev)) return;
    say('Installing the dependencies of helix-org (npm ci; only when they changed).');
    // No scripts: none is needed, yet from a lockfile npm would run node-gyp for better-sqlite3, prebuilt as it is.
    const result = await npm(CI, root);
    if (result.code === 0) return;
    throw refusal(
      `${result.stderr.trim()}\nnpm ci failed in ${root}; check the network and the lines above, then try again.`,
    );
  });
}

/** Compares what is locked with what npm recorded at the end of its last install; a broken-off one leaves no record. */
export function isInstalled(root, dev) {
  const locked = packages(join(root, 'package-lock.json'));
  const found = packages(join(root, 'node_modules', '.package-lock.json'));
  return Object.keys(locked).every((path) => {
    const { version, optional, dev: forDevelopment } = locked[path];
    if (path === '' || optional || (forDevelopment && !dev)) return true;
    return found[path] !== undefined && found[path].version === version;
  });
}

function packages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return {};
  }
}
