import { z } from 'zod';
import { requireStream } from '../domain/stream.ts';
import { optionalId, required, tolerant } from './arguments.ts';
import { checkTransport, transportInput } from './create-stream.ts';
import { defineTool } from './define-tool.ts';
import { idResult } from './result-schemas.ts';

export const updateStream = defineTool({
  name: 'update_stream',
  title: 'Change a Stream',
  description: 'Change the name, description, transport or privacy of a Stream. What is left out stays as it is.',
  input: z.object({
    streamId: required('streamId', 'The Stream.'),
    name: optionalId('New name.'),
    description: optionalId('New description.'),
    transport: transportInput,
    private: tolerant(z.boolean().optional()).describe('Only its members may read and publish.'),
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
    const signed = transport?.config.secret === true;
    const secret = signed && settings.secret(`stream.${streamId}`) === undefined ? makeSecret() : undefined;
    if (secret) settings.setSecret(`stream.${streamId}`, secret);
    await change({
      type: 'UpdateStream',
      streamId,
      ...(args.name === undefined ? {} : { name: args.name }),
      ...(args.description === undefined ? {} : { description: args.description }),
      ...(transport ? { transport } : {}),
      ...(args.private === undefined ? {} : { private: args.private }),
    });
    const { name, transportKind } = queries.stream(streamId) ?? {};
    return { id: streamId, name, transportKind, ...(secret ? { secret } : {}) };
  },
});
