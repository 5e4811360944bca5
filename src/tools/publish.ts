import { z } from 'zod';
import { conflict, invalid } from '../domain/errors.ts';
import { encodeMessage, type Message } from '../domain/message.ts';
import { list, optionalId } from './arguments.ts';
import { defineTool } from './define-tool.ts';
import { foresee } from './foresee.ts';
import { foreseenResult } from './result-schemas.ts';

/** Largest body, in UTF-16 units: what an inbound webhook may bring as well. */
const BODY_MAX = 1_048_576;

const attachment = z.object({
  filename: z.string(),
  content_type: z.string().optional(),
  url: z.string().optional(),
  size_bytes: z.number().optional(),
});

const needed = { error: 'streamId and body are required' };

export const publish = defineTool({
  name: 'publish',
  title: 'Publish an Event',
  description:
    'Put a Message on a Stream; it wakes the AI Workers that listen there, except you. For one Worker alone, use dm.',
  input: z.object({
    streamId: z.string(needed).min(1, needed).describe('Where to publish.'),
    body: z.string(needed).min(1, needed).max(BODY_MAX).describe('The text.'),
    to: list(z.string(), 'Worker ids or addresses it is meant for.'),
    subject: optionalId('Subject line.'),
    bodyContentType: optionalId('Content type; plain text unless given.'),
    threadId: optionalId('Thread it belongs to.'),
    inReplyTo: optionalId('Message it answers.'),
    messageId: optionalId('Its own message id.'),
    attachments: list(attachment, 'What is attached.'),
  }),
  output: z.object({ id: z.string(), streamId: z.string(), ...foreseenResult }),
  effect: 'adds',
  async handler(args, context) {
    const { caller, journal, transports, change } = context;
    const stream = journal.org.streams.get(args.streamId);
    const refusal = stream && transports.get(stream.transport.kind)?.inboundOnly;
    if (refusal) throw conflict(`stream "${args.streamId}": ${refusal}`);
    if (args.body.trim() === '') throw invalid('streamId and body are required');
    const message = toMessage(caller.workerId, args);
    const { entries } = await change({
      type: 'Publish',
      streamId: args.streamId,
      content: [{ name: 'message', bytes: encodeMessage(message) }],
    });
    const [first] = entries;
    const id = first?.event.type === 'EventPublished' ? first.event.id : '';
    return { id, streamId: args.streamId, ...foresee(context, args.streamId, entries) };
  },
});

type PublishArgs = z.output<typeof publish.input>;

function toMessage(from: string, args: Omit<PublishArgs, 'streamId'>): Message {
  const message: Record<string, unknown> = {
    from,
    to: args.to,
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
