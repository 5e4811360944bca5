// daemon.json: where the running daemon is found. True only while the lock is held; what a killed daemon left means nothing.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const shape = z.object({
  pid: z.number(),
  url: z.string(),
  db: z.string(),
  version: z.string(),
  startedAt: z.string(),
});

export type DaemonAddress = z.output<typeof shape>;

/** Whole or not at all: readers poll for it. */
export function writeDaemonFile(file: string, address: DaemonAddress): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, `${JSON.stringify(address, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

export function readDaemonFile(file: string): DaemonAddress | undefined {
  try {
    return shape.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export function removeDaemonFile(file: string): void {
  rmSync(file, { force: true });
}
