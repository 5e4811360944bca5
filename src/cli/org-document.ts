// An organisation as it is described in files: what people decide about it, without its history and without secrets.
import { z } from 'zod';
import type { SubscriptionFilter } from '../domain/filter.ts';
import { NOTICES, OWNER } from '../domain/ids.ts';
import type { Org } from '../domain/org.ts';
import { createMask, maskAll } from '../store/mask.ts';
import type { StreamRow, WorkerRow } from '../store/queries.ts';
import { toolNames } from '../tools/catalog.ts';
import type { Core } from './core.ts';

const patterns = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** Null and an empty map stand for all Events. */
const filter = z.preprocess(
  (value) => value ?? {},
  z.strictObject(
    Object.fromEntries(
      ['event', 'action', 'label', 'from', 'subject', 'body'].map((field) => [field, patterns.optional()]),
    ),
  ),
);

export const positionShape = z.strictObject({ role: z.string(), parent: z.string().optional() });

export const streamShape = z.strictObject({
  name: z.string(),
  description: z.string().default(''),
  transport: z
    .strictObject({ kind: z.string(), config: z.record(z.string(), z.unknown()).default({}) })
    .default({ kind: 'local', config: {} }),
  private: z.boolean().default(false),
  hold: z.boolean().default(false),
  batch: z.enum(['stream', 'conversation']).optional(),
});

const agentShape = z.strictObject({
  kind: z.string().optional(),
  command: z.array(z.string()).optional(),
  model: z.string().optional(),
  effort: z.string().optional(),
  runSeconds: z.number().int().positive().optional(),
  context: z.enum(['fresh', 'resume']).optional(),
});

/** The head of a Worker's file; its text is who the Worker is. */
export const workerShape = z.strictObject({
  kind: z.enum(['human', 'ai']),
  positions: z.array(z.string()),
  email: z.string().optional(),
  agent: agentShape.default({}),
  grants: z.array(z.string()).default([]),
  subscriptions: z.record(z.string(), filter).default({}),
});

export const documentShape = z.object({
  roles: z.record(z.string(), z.string()),
  positions: z.record(z.string(), positionShape),
  streams: z.record(z.string(), streamShape),
  workers: z.record(z.string(), workerShape.extend({ identity: z.string() })),
});

/** Everything by its id. */
export type OrgDocument = z.output<typeof documentShape>;
export type StreamDocument = OrgDocument['streams'][string];
export type WorkerDocument = OrgDocument['workers'][string];

/** An organisation's document, and the ids of what held a secret that is masked in it. */
export type Described = { document: OrgDocument; masked: string[] };

/**
 * What there is now. Conversations, transcripts and chats are kept by the daemon and are left out, as is what was fired or
 * deleted. A secret that somebody wrote into a text is masked.
 */
export function describeOrg({ journal, queries, settings }: Pick<Core, 'journal' | 'queries' | 'settings'>): Described {
  const { org } = journal;
  const streams = queries.streams().filter(({ id }) => isDescribed(org, id));
  const plain: OrgDocument = {
    roles: byId(queries.roles(), ({ content }) => content),
    positions: byId(queries.positions(), ({ roleId, parentId }) => ({
      role: roleId,
      ...(parentId === null ? {} : { parent: parentId }),
    })),
    streams: byId(streams, toStream),
    workers: byId(queries.workers(), (row) => toWorker(org, row)),
  };
  const document = maskAll(createMask(settings), plain);
  return { document, masked: differing(plain, document) };
}

/** Whether a Stream is people's to describe. */
export function isDescribed(org: Org, streamId: string): boolean {
  const stream = org.streams.get(streamId);
  return stream !== undefined && stream.deletedAt === null && (stream.purpose === 'open' || streamId === NOTICES);
}

function byId<Row extends { id: string }, T>(rows: Row[], describe: (row: Row) => T): Record<string, T> {
  return Object.fromEntries(rows.map((row) => [row.id, describe(row)]));
}

function toStream({ name, description, transportKind, transportConfig, ...row }: StreamRow): StreamDocument {
  const transport = { kind: transportKind, config: transportConfig };
  return { name, description, transport, private: row.private, hold: row.hold, batch: row.batch };
}

function toWorker(org: Org, { id, kind, positions, identity }: WorkerRow): WorkerDocument {
  const { email = null, agent = {} } = org.workers.get(id) ?? {};
  const tools = [...(org.grants.get(id)?.keys() ?? [])].sort();
  const streams = [...(org.subscribed.get(id) ?? [])].filter((streamId) => isDescribed(org, streamId)).sort();
  return {
    kind,
    positions,
    ...(email === null ? {} : { email }),
    agent: agentShape.parse(agent),
    // The owner holds every tool there is, which is another set with every version.
    grants: id === OWNER ? tools.filter((tool) => !toolNames.has(tool)) : tools,
    subscriptions: Object.fromEntries(
      streams.map((streamId) => [streamId, filterOf(org.subscriptions.get(streamId)?.get(id)?.filter)]),
    ),
    identity,
  };
}

const filterOf = (given: SubscriptionFilter | null | undefined) => (given ?? {}) as Record<string, string[]>;

function differing(plain: OrgDocument, masked: OrgDocument): string[] {
  return (['roles', 'positions', 'streams', 'workers'] as const).flatMap((noun) =>
    Object.keys(plain[noun]).filter((id) => JSON.stringify(plain[noun][id]) !== JSON.stringify(masked[noun][id])),
  );
}
