import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { notFound } from '../domain/errors.ts';
import type { EventView } from '../store/event-reader.ts';
import { integer, optionalId, required } from './arguments.ts';
import { defineTool, type ToolContext } from './define-tool.ts';
import { show } from './event-list.ts';
import { requireReadable } from './readable.ts';
import { eventResult } from './result-schemas.ts';

export const getEvent = defineTool({
  name: 'get_event',
  title: 'Read one Event',
  description:
    'One whole Event and where it stands in its causal chain: who caused it, through which door, and in which activation. ' +
    'With attachment, the content of one of its files instead.',
  input: z.object({
    id: required('id', 'The Event.'),
    attachment: optionalId(
      'The `url` of one of its attachments, such as attachment-1; attachment-html is the HTML of a mail.',
    ),
    offset: integer('With attachment: the byte to go on from, the `next` of the answer before.'),
  }),
  output: eventResult.partial().extend({
    actor: z.string().optional(),
    via: z.string().optional(),
    hops: z.number().int().optional(),
    activationId: z.string().nullable().optional(),
    causedBy: z.string().optional(),
    attachment: z.string().optional(),
    filename: z.string().optional(),
    content_type: z.string().optional(),
    size_bytes: z.number().int().optional(),
    offset: z.number().int().optional(),
    text: z.string().optional(),
    base64: z.string().optional(),
    next: z.number().int().optional(),
  }),
  effect: 'reads',
  async handler({ id, attachment, offset }, context) {
    const event = requireEvent(context, id);
    if (attachment !== undefined) return pieceOf(context, event, attachment, Math.max(0, offset ?? 0));
    const entry = context.queries.entry(event.seq);
    if (!entry) return show(event);
    const { actor, via, hops, activationId, causedBy } = entry;
    const cause = causedBy === null ? undefined : context.queries.eventAt(causedBy)?.id;
    return { ...show(event), actor, via, hops, activationId, ...(cause ? { causedBy: cause } : {}) };
  },
});

/** Bytes of a file in one answer. */
const PIECE_BYTES = 65_536;

/** Text as it is where the bytes are text, base64 where they are not. */
function pieceOf({ queries }: ToolContext, event: EventView, name: string, offset: number) {
  const file = queries.file(event.seq, name);
  if (!file) throw notFound(`Event ${event.id} has no file ${name}; its attachments name theirs in url.`);
  const about = event.message?.attachments?.find(({ url }) => url === name);
  const { end, text } = textAt(file, offset);
  return {
    attachment: name,
    ...(about ? { filename: about.filename, content_type: about.content_type } : {}),
    size_bytes: file.length,
    offset,
    ...(text === undefined ? { base64: file.subarray(offset, end).toString('base64') } : { text }),
    ...(end < file.length ? { next: end } : {}),
  };
}

/** A piece that does not cut a character in two. */
function textAt(file: Buffer, offset: number): { end: number; text?: string } {
  let end = Math.min(offset + PIECE_BYTES, file.length);
  const whole = end;
  while (end > offset && end < file.length && whole - end < 4 && ((file[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const piece = file.subarray(offset, end);
  return piece.includes(0) || !isUtf8(piece) ? { end: whole } : { end, text: piece.toString() };
}

/** The Event with this id, if the caller may read it. */
export function requireEvent(context: ToolContext, id: string): EventView {
  const event = context.queries.event(id);
  if (!event) throw notFound(`No Event ${id}; read_events shows ids. event "${id}": record not found`);
  requireReadable(context, event.streamId);
  return event;
}
