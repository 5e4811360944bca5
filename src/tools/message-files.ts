// The files a Message takes along: from the Worker's own folder, or from an Event it may read.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import type { ContentPart } from '../domain/entry.ts';
import { invalid, notFound } from '../domain/errors.ts';
import type { Attachment } from '../domain/message.ts';
import type { ToolContext } from './define-tool.ts';
import { requireEvent } from './get-event.ts';

/** What mail servers take in one message, all files together. */
const BYTES_MAX = 10 * 1_048_576;
const FILES_MAX = 50;
const OF_EVENT = /^(e-[0-9a-f-]{36})\/(attachment-[a-z0-9]+)$/;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/**
 * Reads the files that `url` names: `notes/plan.pdf` in the caller's folder, or `<event id>/attachment-1`. What has an address of
 * the web, or none, stays a mention.
 * @throws OrgError when there is no such file, it lies elsewhere, or they are too large together
 */
export async function filesOf(
  context: ToolContext,
  given: readonly Attachment[],
): Promise<{ attachments: Attachment[]; parts: ContentPart[] }> {
  if (given.length > FILES_MAX) throw invalid(`attachments: at most ${FILES_MAX}`);
  const attachments: Attachment[] = [];
  const parts: ContentPart[] = [];
  let size = 0;
  for (const attachment of given) {
    const { url = '' } = attachment;
    if (url === '' || (HAS_SCHEME.test(url) && !OF_EVENT.test(url))) {
      attachments.push(attachment);
      continue;
    }
    const found = await contentOf(context, url, BYTES_MAX - size);
    size += found.bytes.length;
    const name = `attachment-${parts.length + 1}`;
    parts.push({ name, bytes: found.bytes });
    attachments.push({ ...found.about, ...attachment, size_bytes: found.bytes.length, url: name });
  }
  return { attachments, parts };
}

type Found = { bytes: Buffer; about: Partial<Attachment> };

async function contentOf(context: ToolContext, url: string, most: number): Promise<Found> {
  const [, eventId, name] = OF_EVENT.exec(url) ?? [];
  if (eventId === undefined || name === undefined)
    return { bytes: await fileOf(context.lifecycle.folderOf(context.caller.workerId), url, most), about: {} };
  const event = requireEvent(context, eventId);
  const bytes = context.queries.file(event.seq, name);
  if (!bytes) throw notFound(`attachments: Event ${eventId} has no ${name}; get_event lists what it has.`);
  if (bytes.length > most) throw tooLarge();
  const about = event.message?.attachments?.find((attachment) => attachment.url === name);
  return { bytes, about: about ?? {} };
}

async function fileOf(folder: string, path: string, most: number): Promise<Buffer> {
  const refusal = invalid(
    `attachments: url ${JSON.stringify(path.slice(0, 200))} is no file in your folder; give a path such as notes/plan.pdf, or <event id>/attachment-1.`,
  );
  const plain = normalize(path);
  if (path.includes('\0') || plain.split(sep).some((part) => part === '' || part.startsWith('.'))) throw refusal;
  try {
    const root = await realpath(folder);
    const real = await realpath(join(root, plain));
    // A link may lead anywhere.
    if (!real.startsWith(root + sep)) throw refusal;
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat().then((stat) => (stat.isFile() ? stat : Promise.reject(refusal)));
      if (size > most) throw tooLarge();
      const bytes = Buffer.alloc(size);
      const { bytesRead } = await file.read(bytes, 0, size, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as { code?: string };
    throw code?.startsWith('E') ? refusal : error;
  }
}

const tooLarge = () => invalid(`attachments: more than ${BYTES_MAX / 1_048_576} MiB together`);
