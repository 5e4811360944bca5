import { z } from 'zod';
import { conflict, invalid } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import { type Attachment, encodeMessage, type Message } from '../domain/message.ts';
import { list, optionalId } from './arguments.ts';
import { defineTool, type ToolContext } from './define-tool.ts';
import { foresee } from './foresee.ts';
import { filesOf } from './message-files.ts';
import { foreseenResult } from './result-schemas.ts';

/** Largest body, in UTF-16 units: what an inbound webhook may bring as well. */
const BODY_MAX = 1_048_576;

const attachment = z.object({
  filename: z.string(),
  content_type: z.string().optional(),
  url: z.string().optional().describe('A URL, a file in your folder, or <event id>/attachment-1.'),
  size_bytes: z.number().optional(),
});

const needed = { error: 'streamId and body are required' };

export const publish = defineTool({
  name: 'publish',
  title: 'Publish an Event',
  description: 'Put a Message on a Stream; it wakes the AI Workers that listen, but not you. For one Worker, use dm.',
  input: z.object({
    streamId: z.string(needed).min(1, needed).describe('The Stream.'),
    body: z.string(needed).min(1, needed).max(BODY_MAX).describe('The text.'),
    to: list(z.string(), 'Worker ids or addresses.'),
    cc: list(z.string(), 'Copies to.'),
    subject: optionalId('Subject.'),
    bodyContentType: optionalId('Default: plain text.'),
    threadId: optionalId('Its thread.'),
    inReplyTo: optionalId('Answered one.'),
    messageId: optionalId('Own id.'),
    attachments: list(attachment, 'Files.'),
  }),
  output: z.object({ id: z.string(), streamId: z.string(), ...foreseenResult }),
  effect: 'adds',
  async handler(args, context) {
    const { caller, journal, transports, change } = context;
    const stream = journal.org.streams.get(args.streamId);
    const refusal = stream && transports.get(stream.transport.kind)?.inboundOnly;
    if (refusal) throw conflict(`stream "${args.streamId}": ${refusal}`);
    if (args.body.trim() === '') throw invalid('streamId and body are required');
    const files = await filesOf(context, (args.attachments ?? []) as Attachment[]);
    const attachments = files.attachments.length > 0 ? { attachments: files.attachments } : {};
    const message = toMessage(caller.workerId, { ...args, ...answered(context, args), ...attachments });
    const { entries } = await change({
      type: 'Publish',
      streamId: args.streamId,
      content: [{ name: 'message', bytes: encodeMessage(message) }, ...files.parts],
    });
    const [first] = entries;
    const id = first?.event.type === 'EventPublished' ? first.event.id : '';
    return { id, streamId: args.streamId, ...foresee(context, args.streamId, entries) };
  },
});

type PublishArgs = z.output<typeof publish.input>;

/** Events of the Stream among which the answered one is looked for. */
const ANSWERED_AMONG = 200;

/** What an answer has from what it answers, unless it says otherwise: the thread, the subject, and the id its sender knows. */
function answered({ queries, journal, caller }: ToolContext, args: PublishArgs): Partial<PublishArgs> {
  const { streamId, inReplyTo, threadId, subject } = args;
  if (inReplyTo === undefined || !mayRead(journal.org, caller.workerId, streamId)) return {};
  const range = { limit: ANSWERED_AMONG, ...(threadId === undefined ? {} : { thread: threadId }) };
  const named = queries.event(inReplyTo);
  const event =
    named?.streamId === streamId
      ? named
      : queries.events([streamId], range).find(({ message }) => message?.message_id === inReplyTo);
  const { message_id: messageId, thread_id: thread, subject: theirs } = event?.message ?? {};
  const mine = subject ?? (theirs && (/^\s*re\s*:/i.test(theirs) ? theirs : `Re: ${theirs}`));
  return {
    ...(messageId ? { inReplyTo: messageId } : {}),
    ...(threadId === undefined && (thread ?? messageId) ? { threadId: thread ?? messageId } : {}),
    ...(mine ? { subject: mine } : {}),
  };
}

function toMessage(from: string, args: Omit<PublishArgs, 'streamId'>): Message {
  const message: Record<string, unknown> = {
    from,
    to: args.to,
    cc: args.cc,
    subject: args.subject,
    body: args.body,
    body_content_type: args.bodyContentType,
    thread_id: args.threadId,
    in_reply_to: args.inReplyTo,
    message_id: args.messageId,
    attachments: args.attachments,
  };
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
}
