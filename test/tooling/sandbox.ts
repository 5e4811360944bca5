// What the tests of the tooling share: made-up trees in temporary folders, and programs run in them.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A new folder with these files, gone when the test has ended. */
export function folder(files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'helix-tooling-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

/** A folder with our launcher and a command line of the test's own. */
export function cloneWith(files: Record<string, string>): string {
  const path = folder({ 'package.json': '{"name":"helix-org","version":"0.0.0","type":"module"}', ...files });
  cpSync(join(repository, 'bin'), join(path, 'bin'), { recursive: true });
  return path;
}

export type Run = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };
type RunOptions = { cwd: string; env?: NodeJS.ProcessEnv; onOutput?: (pid: number) => void };

/** Runs a program to its end, as a person's shell would: nothing of npm's or vitest's doing in its environment. */
export function run(program: string, args: string[], { cwd, env, onOutput }: RunOptions): Promise<Run> {
  const child = spawn(program, args, { cwd, env: { ...shell, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
    if (child.pid) onOutput?.(child.pid);
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

const ours =
  /^(npm_(?!config_(cache|registry|cafile|userconfig|globalconfig)$)|VITEST|TEST$|NODE_ENV$|CI$|FORCE_COLOR$|INIT_CWD$)/;
const shell: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
  NO_COLOR: '1',
  // Made-up trees have no place in the cache of the machine.
  NODE_DISABLE_COMPILE_CACHE: '1',
};
