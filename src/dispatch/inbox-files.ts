// The files of the Events a Worker is shown, in its folder while it works on them: agents read files better than tool results.
import { lstatSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Attachment } from '../domain/message.ts';

export const INBOX = 'inbox';

/** Of all files of a run; what is beyond is left to get_event. */
const BYTES_MAX = 64 * 1_048_576;
const STEM_MAX = 60;

/** An Event's files: what is said about them and, by the name of the part, their bytes. */
export type EventWithFiles = {
  id: string;
  attachments: readonly Attachment[];
  file(part: string): Iterable<Uint8Array> | undefined;
};

/**
 * Writes the files anew.
 * @returns where each one is, relative to the folder, by Event id and part: `e-…/attachment-1`
 */
export async function bringFiles(
  folder: string,
  events: readonly EventWithFiles[],
): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>();
  if (lstatSync(join(folder, INBOX), { throwIfNoEntry: false })) await rm(join(folder, INBOX), { recursive: true });
  let left = BYTES_MAX;
  for (const { id, attachments, file } of events) {
    for (const [index, { filename, size_bytes: size = 0, url = '' }] of attachments.entries()) {
      const slices = size > left ? undefined : file(url);
      if (!slices) continue;
      left -= size;
      const place = join(INBOX, id, `${index + 1}-${plainName(filename)}`);
      await mkdir(join(folder, INBOX, id), { recursive: true, mode: 0o750 });
      await write(join(folder, place), slices);
      places.set(`${id}/${url}`, place);
    }
  }
  return places;
}

async function write(path: string, slices: Iterable<Uint8Array>): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    for (const slice of slices) await handle.write(slice);
  } finally {
    await handle.close();
  }
}

/** Whatever a stranger calls a file: letters, digits, dashes and dots, with its ending, and no way out of the folder. */
function plainName(filename: string): string {
  const plain = filename
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^[._]+/, '');
  const ending = extname(plain).slice(0, 20);
  const stem = plain.slice(0, plain.length - extname(plain).length);
  return `${[...stem].slice(0, STEM_MAX).join('') || 'file'}${ending}`;
}
