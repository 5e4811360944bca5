import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/helix-org/', import.meta.url));
const SEPARATES_IN_LD_PRELOAD = /[ :]/;

/** The path of the compiled shim, compiled at most once per version of its source; or why this machine cannot. */
export function compileShim(name: 'power-cut-shim' | 'bad-machine-shim'): { library: string } | { missing: string } {
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  if (platform() !== 'linux')
    return { missing: `a Linux machine (this is ${platform()}): the shim is preloaded by ld.so` };
  const version = createHash('sha256').update(readFileSync(source)).update(arch()).digest('hex').slice(0, 16);
  const folder = SEPARATES_IN_LD_PRELOAD.test(CACHE) ? mkdtempSync(join(tmpdir(), 'helix-shim-')) : CACHE;
  const library = join(folder, `${name}-${version}.so`);
  if (existsSync(library)) return { library };
  mkdirSync(folder, { recursive: true });
  const unfinished = `${library}.${process.pid}`;
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', unfinished, source, '-ldl'], { stdio: 'pipe' });
  } catch (error) {
    return { missing: whatIsMissing(error) };
  }
  // Whole or absent, also when several test processes compile at once.
  renameSync(unfinished, library);
  return { library };
}

function whatIsMissing(error: unknown): string {
  const { code, stderr } = error as { code?: string; stderr?: Buffer };
  if (code === 'ENOENT') return 'a C compiler: there is no cc on the PATH';
  const firstError = stderr?.toString().match(/.*error.*/)?.[0];
  return `a C compiler and glibc that can build the shim: ${firstError ?? error}`;
}
