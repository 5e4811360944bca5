// Codex as npm installs it is a script that finds the native program, sets a few variables about updates, which Workers do not
// make, and becomes that program. To start Node for that takes longer than all that we do.
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const TARGETS: Record<string, string> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
};

/** What describes a whole Codex: codex-package.json. */
type CodexPackage = { layoutVersion?: number; entrypoint?: string };

/** The native program of a Codex that was found as this file; the file itself where it lies in no order that we know. */
export function nativeCodex(file: string): string {
  const host = `${process.platform}-${process.arch}`;
  const target = TARGETS[host];
  try {
    const script = realpathSync(file);
    if (target === undefined || !script.endsWith('/@openai/codex/bin/codex.js')) return file;
    const vendor = join(dirname(createRequire(script).resolve(`@openai/codex-${host}/package.json`)), 'vendor', target);
    const { layoutVersion, entrypoint } = JSON.parse(
      readFileSync(join(vendor, 'codex-package.json'), 'utf8'),
    ) as CodexPackage;
    if (layoutVersion !== 1 || entrypoint === undefined) return file;
    const native = join(vendor, entrypoint);
    accessSync(native, constants.X_OK);
    return native;
  } catch {
    return file;
  }
}
