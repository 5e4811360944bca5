// What a Worker wrote down for itself, for runs that have no tool to read files with.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'helix-log.md';
const BYTES_MAX = 16_384;

/** The end of the Worker's helix-log.md as a block of the prompt, and its size; undefined where there is none. */
export async function memoryBlock(folder: string): Promise<{ text: string; bytes: number } | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(folder, NAME), flags).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size, nlink } = await file.stat();
    // A second name of a file can be somebody else's file.
    if (!(await file.stat()).isFile() || nlink !== 1 || size === 0) return undefined;
    const bytes = Math.min(size, BYTES_MAX);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, size - bytes);
    const whole = buffer.toString('utf8', 0, bytesRead);
    const content = bytes < size ? whole.slice(whole.indexOf('\n') + 1) : whole;
    const indented = content.trimEnd().replace(/^/gm, '    ');
    const note = `You have no tool that reads files in this run, so here is your ${NAME}${bytes < size ? ' (its end)' : ''}. apply_patch writes to it.`;
    return { text: `${note}\n\n=== ${NAME} ===\n${indented}\n=== end ${NAME} ===`, bytes: bytesRead };
  } finally {
    await file.close();
  }
}
