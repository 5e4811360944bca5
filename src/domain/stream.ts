import { conflict, forbidden, invalid, missing } from './errors.ts';
import { checkId } from './ids.ts';
import { mayRead } from './may-read.ts';
import type { Context, DomainEvent, Org, StreamState } from './org.ts';
import { resumeSending } from './outbox.ts';

/**
 * How a Stream reaches outside: the kind names a transport, which alone understands the config. Of an `address`, such as a
 * mail alias, no two Streams have the same.
 */
export type StreamTransport = { kind: string; config: Record<string, unknown>; address?: string };

/** What a Stream is for; only `open` and `dm` Streams wake anybody. */
export type StreamPurpose = 'open' | 'dm' | 'transcript' | 'notices' | 'chat';

/**
 * What one activation may be shown of a Stream at once: whatever waits, or one conversation, which is one thread. Answers to
 * several correspondents are then never written in one run.
 */
export type StreamBatch = 'stream' | 'conversation';

type StreamFields = {
  name: string;
  description: string;
  transport: StreamTransport;
  private: boolean;
  /** What is to leave waits for a person's release. */
  hold: boolean;
  batch: StreamBatch;
};
type Optional = 'hold' | 'batch';

export type StreamCommand =
  | ({ type: 'CreateStream'; streamId: string } & Omit<StreamFields, Optional> & Partial<Pick<StreamFields, Optional>>)
  | ({ type: 'UpdateStream'; streamId: string } & Partial<StreamFields>)
  | { type: 'DeleteStream'; streamId: string };

export type StreamEvent =
  | ({ type: 'StreamCreated'; streamId: string; purpose: StreamPurpose; members: string[] } & StreamFields)
  | ({ type: 'StreamUpdated'; streamId: string } & StreamFields)
  | { type: 'StreamDeleted'; streamId: string };

const NAME_MAX = 200;
const DESCRIPTION_MAX = 4_000;

export function createStream(org: Org, command: Extract<StreamCommand, { type: 'CreateStream' }>): DomainEvent[] {
  const { type: _, streamId, ...given } = command;
  const fields = { ...given, hold: given.hold ?? false, batch: given.batch ?? ('stream' as const) };
  checkId('s', streamId);
  const known = org.streams.get(streamId);
  if (known) {
    const since =
      known.deletedAt === null ? '' : ` (deleted on ${known.deletedAt.slice(0, 10)}; ids are never given twice)`;
    throw conflict(`Stream ${streamId} already exists${since}; pick another id.`);
  }
  if (/^s-(activations|dm|chat)-/.test(streamId)) {
    throw invalid(`Ids that begin with s-activations-, s-dm- or s-chat- are given by the daemon; pick another id.`);
  }
  checkFields(org, streamId, fields);
  return [{ type: 'StreamCreated', streamId, ...fields, purpose: 'open', members: [] }];
}

export function updateStream(
  org: Org,
  command: Extract<StreamCommand, { type: 'UpdateStream' }>,
  { actor }: Context,
): DomainEvent[] {
  const { streamId } = command;
  const stream = requireStream(org, streamId);
  if (stream.purpose !== 'open' && stream.purpose !== 'notices')
    throw conflict(`Stream ${streamId} is kept by the daemon and cannot be changed.`);
  checkMayChange(org, streamId, actor);
  const fields = {
    name: command.name ?? stream.name,
    description: command.description ?? stream.description,
    transport: command.transport ?? stream.transport,
    private: command.private ?? stream.private,
    hold: command.hold ?? stream.hold,
    batch: command.batch ?? stream.batch,
  };
  if (org.workers.get(actor)?.kind === 'ai') checkKeepsHold(stream, fields);
  checkFields(org, streamId, fields);
  const { name, description, transport, hold, batch } = stream;
  const before = { name, description, transport, private: stream.private, hold, batch };
  // Whoever names the transport again, changed or not, has seen to its target.
  const resumed = command.transport ? resumeSending(org, streamId) : [];
  if (JSON.stringify(fields) === JSON.stringify(before)) return resumed;
  return [{ type: 'StreamUpdated', streamId, ...fields }, ...resumed];
}

export function deleteStream(org: Org, streamId: string, { actor }: Context): DomainEvent[] {
  const stream = requireStream(org, streamId);
  if (stream.purpose !== 'open') throw conflict(`Stream ${streamId} is kept by the daemon and cannot be deleted.`);
  checkMayChange(org, streamId, actor);
  const events: DomainEvent[] = [...(org.subscriptions.get(streamId)?.keys() ?? [])].map((workerId) => ({
    type: 'WorkerUnsubscribed',
    workerId,
    streamId,
  }));
  return [...events, { type: 'StreamDeleted', streamId }];
}

/** Whoever opened a private Stream, or sent it elsewhere, could read it. */
function checkMayChange(org: Org, streamId: string, actor: string): void {
  if (org.workers.has(actor) && !mayRead(org, actor, streamId))
    throw forbidden(`Stream ${streamId} is private; only its members and the owner change it.`);
}

/** What waits for a person's release would leave without it, or to somebody else than the person was shown. */
function checkKeepsHold(stream: StreamFields, changed: StreamFields): void {
  if (!stream.hold) return;
  if (!changed.hold || JSON.stringify(changed.transport) !== JSON.stringify(stream.transport))
    throw forbidden(
      'On a Stream that holds, only a person ends the holding or changes the transport; ask one of them.',
    );
}

/** The Stream, which must not have been deleted. */
export function requireStream(org: Org, streamId: string): StreamState {
  const stream = org.streams.get(streamId);
  if (!stream) throw missing('stream', streamId, existing(org), 'list_streams');
  if (stream.deletedAt !== null) throw conflict(`Stream ${streamId} was deleted on ${stream.deletedAt.slice(0, 10)}.`);
  return stream;
}

function* existing(org: Org): Iterable<string> {
  for (const [id, stream] of org.streams) if (stream.deletedAt === null) yield id;
}

function checkFields(org: Org, streamId: string, { name, description, transport }: StreamFields): void {
  if (name.trim() === '') throw invalid('stream name is empty');
  if (name.length > NAME_MAX) throw invalid(`The stream name is longer than ${NAME_MAX} characters.`);
  if (description.length > DESCRIPTION_MAX)
    throw invalid(`The description is longer than ${DESCRIPTION_MAX} characters.`);
  const holder = org.streamNames.get(name);
  if (holder !== undefined && holder !== streamId)
    throw conflict(`A Stream named "${name}" already exists: ${holder}.`);
  checkAddress(org, streamId, transport);
}

function checkAddress(org: Org, streamId: string, { kind, address }: StreamTransport): void {
  if (address === undefined) return;
  for (const [otherId, { transport, deletedAt }] of org.streams) {
    if (otherId === streamId || deletedAt !== null) continue;
    if (transport.kind === kind && transport.address === address)
      throw conflict(`Stream ${otherId} has ${address} already; take another.`);
  }
}
