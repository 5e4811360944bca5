// A disk and a clock that misbehave when told to, for the processes that are started with this environment.
import { mkdirSync, writeFileSync } from 'node:fs';
import { compileShim } from './compile-shim.ts';

export type BadMachine = {
  env: Record<string, string>;
  /** From now on; the words are explained at the head of bad-machine-shim.c. An empty text is a good machine. */
  is(words: string): void;
};

/** @returns the machine, or what this one lacks to have it */
export function badMachine(dataDir: string, controlFile: string): BadMachine | { missing: string } {
  const shim = compileShim('bad-machine-shim');
  if ('missing' in shim) return shim;
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(controlFile, '');
  return {
    env: {
      LD_PRELOAD: process.env.LD_PRELOAD ? `${shim.library}:${process.env.LD_PRELOAD}` : shim.library,
      HELIX_BAD_MACHINE: controlFile,
      HELIX_BAD_MACHINE_DIR: dataDir,
      UV_USE_IO_URING: '0',
    },
    is: (words) => writeFileSync(controlFile, words),
  };
}
