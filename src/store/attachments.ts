// Files that come or go with an Event. They may be large, so they lie in slices of their own, written before the Event that
// names them, one in each turn of the event loop; the Event holds a note of the id, size and SHA-256 in their place.
import { createHash, randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { ContentPart } from '../domain/entry.ts';
import { OrgError } from '../domain/errors.ts';
import type { Command } from '../domain/org.ts';
import type { Db } from './database.ts';
import type { CommitOptions, Committed, Journal } from './journal.ts';

/** What the Event's part says. */
type Note = { file: string; size: number; sha256: string };

const SLICE_BYTES = 524_288;
/** What was written for an Event that never came, as when the daemon was killed in between, is kept this long. */
export const UNUSED_HOURS = 24;

/** Whether a part of this name is a file: `attachment-1`, `attachment-html`. */
export const isFilePart = (name: string): boolean => name.startsWith('attachment-');

/** The journal, with the files of what is published through it kept apart. */
export function keepFilesApart(journal: Journal, { sqlite }: Db): Journal {
  const insert = sqlite.prepare('INSERT INTO attachments VALUES (?, ?, NULL)');
  const insertSlice = sqlite.prepare('INSERT INTO attachment_slices VALUES (?, ?, ?)');
  const { remove } = createAttachmentErasure(sqlite);

  async function keep({ name, bytes }: ContentPart): Promise<ContentPart> {
    const file = randomUUID();
    const hash = createHash('sha256');
    insert.run(file, new Date().toISOString());
    for (let at = 0, n = 0; at < bytes.length; at += SLICE_BYTES, n++) {
      const slice = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(SLICE_BYTES, bytes.length - at));
      hash.update(slice);
      insertSlice.run(file, n, slice);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const note: Note = { file, size: bytes.length, sha256: hash.digest('hex') };
    return { name, bytes: Buffer.from(JSON.stringify(note)) };
  }

  async function publishWithFiles(actor: string, command: Publish, options?: CommitOptions): Promise<Committed> {
    const kept: ContentPart[] = [];
    try {
      const content: ContentPart[] = [];
      for (const part of command.content) {
        if (isFile(part)) kept.push(await keep(part));
        content.push((isFile(part) && kept.at(-1)) || part);
      }
      const committed = await journal.commit(actor, { ...command, content }, options);
      if (committed.repeatOf !== undefined) kept.forEach(remove);
      return committed;
    } catch (error) {
      if (error instanceof OrgError) kept.forEach(remove);
      throw error;
    }
  }

  return {
    get org() {
      return journal.org;
    },
    get lastSeq() {
      return journal.lastSeq;
    },
    commit: (actor, command, options) =>
      command.type === 'Publish' && command.content.some(isFile)
        ? publishWithFiles(actor, command, options)
        : journal.commit(actor, command, options),
    transcribe: journal.transcribe,
    flush: journal.flush,
    onCommit: journal.onCommit,
    close: journal.close,
  };
}

type Publish = Extract<Command, { type: 'Publish' }>;

const isFile = ({ name }: ContentPart): boolean => isFilePart(name);

/** What becomes of files with their Events; inside the caller's transaction. */
export function createAttachmentErasure(sqlite: Database.Database) {
  const adopt = sqlite.prepare('UPDATE attachments SET event = ? WHERE id = ?');
  const removeSlices = sqlite.prepare('DELETE FROM attachment_slices WHERE id = ?');
  const removeRow = sqlite.prepare('DELETE FROM attachments WHERE id = ?');
  const unused = sqlite.prepare('SELECT id FROM attachments WHERE event IS NULL AND at < ? LIMIT ?').pluck();
  const removeFile = (file: string) => {
    removeSlices.run(file);
    removeRow.run(file);
  };
  return {
    /** The Event with this part exists now. */
    adopt({ name, bytes }: ContentPart, event: number): void {
      const note = isFilePart(name) ? noteOf(bytes) : undefined;
      if (note) adopt.run(event, note.file);
    },
    remove({ name, bytes }: ContentPart): void {
      const note = isFilePart(name) ? noteOf(bytes) : undefined;
      if (note) removeFile(note.file);
    },
    /** Removes what no Event names, at most so many. @returns how many were removed */
    prune(before: string, most: number): number {
      const files = unused.all(before, most) as string[];
      files.forEach(removeFile);
      return files.length;
    },
  };
}

export function createAttachmentReader(sqlite: Database.Database) {
  const all = sqlite.prepare('SELECT bytes FROM attachment_slices WHERE id = ? ORDER BY n').pluck();
  const one = sqlite.prepare('SELECT bytes FROM attachment_slices WHERE id = ? AND n = ?').pluck();
  return {
    /** The bytes a note stands for, when they are all there and unchanged. */
    whole(bytes: Uint8Array): Buffer | undefined {
      const note = noteOf(bytes);
      if (!note) return undefined;
      const file = Buffer.concat(all.all(note.file) as Buffer[]);
      const isWhole = file.length === note.size && createHash('sha256').update(file).digest('hex') === note.sha256;
      return isWhole ? file : undefined;
    },
    /** The same in pieces of half a MiB, each read when it is asked for. */
    *slices(bytes: Uint8Array): Iterable<Buffer> {
      const note = noteOf(bytes);
      for (let n = 0; note !== undefined && n * SLICE_BYTES < note.size; n++) {
        const slice = one.get(note.file, n) as Buffer | undefined;
        if (!slice) return;
        yield slice;
      }
    },
  };
}

function noteOf(bytes: Uint8Array): Note | undefined {
  try {
    const note = JSON.parse(Buffer.from(bytes).toString()) as Partial<Note> | null;
    const { file, size, sha256 } = note ?? {};
    return typeof file === 'string' && typeof size === 'number' && typeof sha256 === 'string'
      ? { file, size, sha256 }
      : undefined;
  } catch {
    return undefined;
  }
}
