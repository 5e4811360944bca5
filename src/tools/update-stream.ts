import { z } from 'zod';
import { requireStream } from '../domain/stream.ts';
import { optionalId, required } from './arguments.ts';
import { batchInput, checkTransport, flag, transportInput } from './create-stream.ts';
import { defineTool } from './define-tool.ts';
import { withWarnings } from './refresh-folders.ts';
import { idResult } from './result-schemas.ts';
import { strangerWarnings } from './strangers.ts';

export const updateStream = defineTool({
  name: 'update_stream',
  title: 'Change a Stream',
  description:
    'Change a Stream: its name, description, transport, privacy, holding or batching. What is left out stays as it is.',
  input: z.object({
    streamId: required('streamId', 'The Stream.'),
    name: optionalId('New name.'),
    description: optionalId('New description.'),
    transport: transportInput,
    private: flag('Only its members may read and publish.'),
    hold: flag('What is to leave through the transport waits until a person releases it.'),
    batch: batchInput,
  }),
  output: idResult
    .extend({ name: z.string().optional(), transportKind: z.string().optional(), secret: z.string().optional() })
    .catchall(z.unknown()),
  effect: 'changes',
  async handler(args, context) {
    const { streamId } = args;
    const { change, journal, settings, makeSecret, queries } = context;
    requireStream(journal.org, streamId);
    const transport = args.transport && checkTransport(args.transport, context);
    const signed = transport !== undefined && context.transports.get(transport.kind)?.signs(transport.config) === true;
    const secret = signed && settings.secret(`stream.${streamId}`) === undefined ? makeSecret() : undefined;
    if (secret) settings.setSecret(`stream.${streamId}`, secret);
    await change({
      type: 'UpdateStream',
      streamId,
      ...(args.name === undefined ? {} : { name: args.name }),
      ...(args.description === undefined ? {} : { description: args.description }),
      ...(transport ? { transport } : {}),
      ...(args.private === undefined ? {} : { private: args.private }),
      ...(args.hold === undefined ? {} : { hold: args.hold }),
      ...(args.batch === undefined ? {} : { batch: args.batch }),
    });
    const { name, transportKind } = queries.stream(streamId) ?? {};
    const warnings = transport ? strangerWarnings(context, queries.members(streamId)) : [];
    return { id: streamId, name, transportKind, ...(secret ? { secret } : {}), ...withWarnings(warnings) };
  },
});
