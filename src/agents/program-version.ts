// What an agent's program says of itself. Asked once for each state of its file, so that an update is noticed and a start of
// a run costs nothing more.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PATIENCE_MS = 10_000;
const ANSWER_BYTES_MAX = 16 * 2 ** 20;

const run = promisify(execFile);
/** By file, its state and what was asked. */
const answers = new Map<string, Promise<string | null>>();

/** What the program prints when it is asked with these arguments, in a home of its own; null when it does not answer well. */
export async function askProgram(file: string, args: string[]): Promise<string | null> {
  const { mtimeMs, size } = await stat(file);
  const key = JSON.stringify([file, mtimeMs, size, args]);
  let known = answers.get(key);
  if (!known) {
    known = ask(file, args);
    answers.set(key, known);
    // A failure may pass, such as a machine without memory.
    void known.then((answer) => answer === null && answers.delete(key));
  }
  return known;
}

/** The version that the program prints, such as `2.1.329`; null when it prints none. */
export async function versionOf(file: string): Promise<string | null> {
  const answer = await askProgram(file, ['--version']);
  return /\b\d+\.\d+\.\d+/.exec(answer ?? '')?.[0] ?? null;
}

async function ask(file: string, args: string[]): Promise<string | null> {
  const home = await mkdtemp(join(tmpdir(), 'helix-ask-'));
  const environment = { PATH: process.env.PATH ?? '', HOME: home, CODEX_HOME: home, DISABLE_AUTOUPDATER: '1' };
  const limits = { timeout: PATIENCE_MS, killSignal: 'SIGKILL' as const, maxBuffer: ANSWER_BYTES_MAX };
  try {
    return (await run(file, args, { env: environment, ...limits })).stdout;
  } catch {
    return null;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

export function isOlder(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((text) => text.split('.').map(Number));
  for (let n = 0; n < 3; n++) if (a?.[n] !== b?.[n]) return (a?.[n] ?? 0) < (b?.[n] ?? 0);
  return false;
}
