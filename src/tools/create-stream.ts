import { z } from 'zod';
import { invalid } from '../domain/errors.ts';
import type { StreamTransport } from '../domain/stream.ts';
import { optionalId, tolerant } from './arguments.ts';
import { defineTool, type ToolDeps } from './define-tool.ts';
import { idResult } from './result-schemas.ts';
import { TRANSPORT } from './tool-schema.ts';

export const flag = (describe: string) => tolerant(z.boolean().optional()).describe(describe);

/** The kinds are listed so that a model sees them; which exist is the transports' matter and checked below. */
export const transportInput = z
  .preprocess((value) => {
    if (typeof value !== 'string') return value ?? undefined;
    return value.trim().startsWith('{') ? parsed(value) : { kind: value };
  }, z.object({ kind: z.string(), config: z.record(z.string(), z.unknown()).optional() }).optional())
  .describe('How it reaches outside; with settings such as {"kind": "webhook", "config": {"secret": true}}.')
  .meta(TRANSPORT);

export const batchInput = tolerant(z.enum(['stream', 'conversation']).optional()).describe(
  'What one activation is shown at once: all that waits (stream), or one thread (conversation; the default for email).',
);

export const createStream = defineTool({
  name: 'create_stream',
  title: 'Create a Stream',
  description:
    'Open a Stream on which Events are published. Nobody listens until it subscribes or is invited; a webhook Stream answers with the URL to post to.',
  input: z.object({
    id: optionalId('Id such as s-support; made up when left out.'),
    name: z.string({ error: 'stream name is empty' }).describe('What people call it; unique in the org.'),
    description: optionalId('What it is for.'),
    transport: transportInput,
    private: flag('Only its members may read and publish.'),
    hold: flag('What is to leave through the transport waits until a person releases it.'),
    batch: batchInput,
  }),
  output: idResult.extend({ url: z.string().optional(), secret: z.string().optional() }).catchall(z.unknown()),
  effect: 'adds',
  async handler(args, context) {
    const streamId = args.id ?? `s-${context.newId()}`;
    const transport = checkTransport(args.transport, context);
    const { change, settings, makeSecret, journal } = context;
    // Kept before the Stream exists: a Stream that wants signatures is never without its secret.
    const signs = context.transports.get(transport.kind)?.signs(transport.config) === true;
    const secret = signs && !journal.org.streams.has(streamId) ? makeSecret() : undefined;
    if (secret) settings.setSecret(`stream.${streamId}`, secret);
    await change({
      type: 'CreateStream',
      streamId,
      name: args.name,
      description: args.description ?? '',
      transport,
      private: args.private ?? false,
      hold: args.hold ?? false,
      batch: args.batch ?? context.transports.get(transport.kind)?.batch ?? 'stream',
    });
    const info = context.transports.get(transport.kind);
    const described = { ...info?.describeInbound?.(streamId, transport), ...info?.describeTimes?.(transport) };
    return { id: streamId, ...described, ...(secret ? { secret } : {}) };
  },
});

/** @throws OrgError invalid */
export function checkTransport(
  given: { kind: string; config?: Record<string, unknown> | undefined } | undefined,
  { transports }: Pick<ToolDeps, 'transports'>,
): StreamTransport {
  const kind = given?.kind ?? 'local';
  if (kind.trim() === '') throw invalid('transport kind is empty');
  const transport = transports.get(kind);
  if (!transport) {
    const valid = [...transports.keys()].map((name) => `"${name}"`).join(', ');
    throw invalid(`unknown transport kind "${kind}" (valid: ${valid})`);
  }
  const config = transport.checkConfig(given?.config ?? {});
  return { kind, config, ...(transport.addressOf ? { address: transport.addressOf(config) } : {}) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { kind: text };
  }
}
