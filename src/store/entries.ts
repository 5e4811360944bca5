// How an entry becomes a row and a link of the hash chain, and a row an entry again.
import { createHash, hash, randomFillSync } from 'node:crypto';
import type { ContentPart, EntryHeader, Via } from '../domain/entry.ts';
import { STATE_TYPES } from '../domain/evolve.ts';
import type { DomainEvent } from '../domain/org.ts';
import type { journal } from './schema.ts';

/** A fact as the journal holds it. Content parts that were erased are absent from `content`. */
export type Entry = EntryHeader & { event: DomainEvent; content: ContentPart[] };

export type JournalRow = typeof journal.$inferSelect;

/** What an entry's data says about each of its erasable parts: enough to prove the bytes, not to guess them. */
export type ContentDigest = { name: string; size: number; digest: string };

/** The current version of every entry type's data. A change of shape raises it and teaches {@link toEvent} the older one. */
const VERSION = 1;

export const GENESIS = Buffer.alloc(32);

const stateTypes: ReadonlySet<string> = new Set(STATE_TYPES);

/** Whether a fact is part of the org's decision state, and so read again at every start. */
export const shapesOrg = (type: string): boolean => stateTypes.has(type);

const SALT_BYTES = 16;
const pool = Buffer.alloc(4096);
let poolUsed = pool.length;

/** Random bytes from a pool, since a system call for each Event is dear. */
export function randomBytes(size: number): Buffer {
  if (poolUsed + size > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  poolUsed += size;
  return Buffer.from(pool.subarray(poolUsed - size, poolUsed));
}

/** Up to here, to copy bytes together and hash them at once is cheaper than to hash them one after the other. */
const COPIED_MAX = 65_536;

/** Salted, so that a digest that outlives its erased bytes cannot be tried against guesses. */
export function contentDigest(salt: Uint8Array, bytes: Uint8Array): string {
  if (bytes.length > COPIED_MAX) return createHash('sha256').update(salt).update(bytes).digest('hex');
  return hash('sha256', Buffer.concat([salt, bytes]), 'hex');
}

export type SaltedPart = ContentPart & { salt: Buffer };

/** Splits a fact into the text to store (digests in place of bytes) and its salted parts. */
export function toData(event: DomainEvent): { data: string; parts: SaltedPart[] } {
  const { type: _, ...rest } = event;
  if (!('content' in event) || typeof event.content === 'string') return { data: JSON.stringify(rest), parts: [] };
  const parts = event.content.map((part) => ({ ...part, salt: randomBytes(SALT_BYTES) }));
  const digests: ContentDigest[] = parts.map(({ name, bytes, salt }) => ({
    name,
    size: bytes.length,
    digest: contentDigest(salt, bytes),
  }));
  return { data: JSON.stringify({ ...rest, content: digests }), parts };
}

/** The fact a row holds. @param content its parts that still exist */
export function toEvent(row: Pick<JournalRow, 'seq' | 'type' | 'v' | 'data'>, content: ContentPart[]): DomainEvent {
  if (row.v !== VERSION)
    throw new Error(`Entry ${row.seq} (${row.type}) has version ${row.v}; this helix-org knows ${VERSION}.`);
  const data = JSON.parse(row.data) as Record<string, unknown>;
  if (Array.isArray(data.content)) data.content = content;
  return { type: row.type, ...data } as DomainEvent;
}

/** What an entry is made of again; the links of the chain are for who verifies it. */
export type ReadRow = Omit<JournalRow, 'prevHash' | 'hash' | 'shapesOrg'>;

/** Field by field: copying all but some of a row costs more than reading it. */
export function toEntry(row: ReadRow, content: ContentPart[]): Entry {
  const { seq, v, stream, subject, actor, onBehalfOf, via, causedBy, root, hops, activationId, at } = row;
  const header = {
    seq,
    v,
    stream,
    subject,
    actor,
    onBehalfOf,
    via: via as Via,
    causedBy,
    root,
    hops,
    activationId,
    at,
  };
  return { ...header, event: toEvent(row, content), content };
}

/** The values of an entry's header, in the order in which the chain and the table have them. */
export const headerValues = (row: Omit<JournalRow, 'data' | 'prevHash' | 'hash' | 'shapesOrg'>) => [
  row.seq,
  row.v,
  row.type,
  row.stream,
  row.subject,
  row.actor,
  row.onBehalfOf,
  row.via,
  row.causedBy,
  row.root,
  row.hops,
  row.activationId,
  row.at,
];

/** The link of the chain: SHA-256 over the previous link, the header as a JSON array, and the stored data text. */
export function entryHash(row: Omit<JournalRow, 'hash' | 'shapesOrg'>): Buffer {
  const header = JSON.stringify(headerValues(row));
  return hash('sha256', Buffer.concat([row.prevHash, Buffer.from(`${header}\n${row.data}`)]), 'buffer');
}

/** The row of a new entry. */
export function toRow(
  header: EntryHeader,
  event: DomainEvent,
  prevHash: Buffer,
): { row: JournalRow; parts: SaltedPart[] } {
  const { data, parts } = toData(event);
  const unhashed = { ...header, v: VERSION, type: event.type, data, prevHash };
  return { row: { ...unhashed, hash: entryHash(unhashed), shapesOrg: shapesOrg(event.type) }, parts };
}

/** Where an entry is filed: Events under their Stream, everything else under what it is about. */
export function filedUnder(event: DomainEvent): { stream: string | null; subject: string | null } {
  switch (event.type) {
    case 'EventPublished':
      return { stream: event.streamId, subject: null };
    case 'OrgPaused':
    case 'OrgResumed':
      return { stream: null, subject: null };
    case 'RoleCreated':
    case 'RoleUpdated':
    case 'RoleDeleted':
      return { stream: null, subject: event.roleId };
    case 'PositionCreated':
    case 'PositionUpdated':
    case 'PositionDeleted':
      return { stream: null, subject: event.positionId };
    case 'StreamCreated':
    case 'StreamUpdated':
    case 'StreamDeleted':
    case 'EventHeld':
    case 'EventReleased':
    case 'EventDiscarded':
    case 'EventRedacted':
    case 'EventDelivered':
    case 'DeliveryDied':
    case 'DeliveryRequeued':
    case 'DeliveryDiscarded':
    case 'SendingStopped':
    case 'SendingResumed':
      return { stream: null, subject: event.streamId };
    case 'WorkerHired':
    case 'IdentityUpdated':
    case 'WorkerMoved':
    case 'WorkerEmailChanged':
    case 'AgentUpdated':
    case 'WorkerFired':
    case 'WorkerPaused':
    case 'WorkerResumed':
    case 'ActivationRequested':
    case 'ToolGranted':
    case 'ToolRevoked':
    case 'WorkerSubscribed':
    case 'WorkerUnsubscribed':
    case 'ActivationStarted':
    case 'ActivationEnded':
    case 'TriggersHeld':
    case 'TriggersRequeued':
    case 'TriggersDropped':
    case 'TriggersExpired':
    case 'WorkHeld':
    case 'WorkResumed':
      return { stream: null, subject: event.workerId };
  }
}
