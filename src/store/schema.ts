// The tables as the code sees them; migrations/ holds what SQLite sees (a test compares the two).
// Three kinds: the journal and its content; read tables, which a rebuild refills; operational tables, which it never touches.
import { blob, integer, primaryKey, sqliteTable, text } from './drizzle.ts';
import { deliveries } from './outbox-schema.ts';
import { activations, activationTriggers, stoppages } from './run-tables.ts';

const bytes = (name: string) => blob(name, { mode: 'buffer' });
const flag = (name: string) => integer(name, { mode: 'boolean' });

// --- Journal: appended to, never changed. Only `content` bytes can be erased.

export const journal = sqliteTable('journal', {
  seq: integer('seq').primaryKey(),
  v: integer('v').notNull(),
  type: text('type').notNull(),
  stream: text('stream'),
  subject: text('subject'),
  actor: text('actor').notNull(),
  onBehalfOf: text('on_behalf_of'),
  via: text('via').notNull(),
  causedBy: integer('caused_by'),
  root: integer('root').notNull(),
  hops: integer('hops').notNull(),
  activationId: text('activation_id'),
  at: text('at').notNull(),
  data: text('data').notNull(),
  prevHash: bytes('prev_hash').notNull(),
  hash: bytes('hash').notNull(),
  shapesOrg: flag('shapes_org').notNull(),
});

export const content = sqliteTable(
  'content',
  { seq: integer('seq').notNull(), name: text('name').notNull(), salt: bytes('salt'), bytes: bytes('bytes') },
  (table) => [primaryKey({ columns: [table.seq, table.name] })],
);

// --- Read tables: derived from the journal by projections.ts.

export const roles = sqliteTable('roles', {
  id: text('id').primaryKey(),
  content: text('content').notNull(),
  seq: integer('seq').notNull(),
  createdAt: text('created_at').notNull(),
  updatedAt: text('updated_at').notNull(),
});

export const positions = sqliteTable('positions', {
  id: text('id').primaryKey(),
  roleId: text('role_id').notNull(),
  parentId: text('parent_id'),
});

export const workers = sqliteTable('workers', {
  id: text('id').primaryKey(),
  kind: text('kind', { enum: ['human', 'ai'] }).notNull(),
  identity: text('identity').notNull(),
  identitySeq: integer('identity_seq').notNull(),
  /** JSON array of Position ids. */
  positions: text('positions').notNull(),
  hiredBy: text('hired_by').notNull(),
  hiredAt: text('hired_at').notNull(),
  hiredSeq: integer('hired_seq').notNull(),
  pausedAt: text('paused_at'),
  firedAt: text('fired_at'),
  grantsSeq: integer('grants_seq').notNull(),
  /** Everything up to here has been shown to the Worker or set aside. */
  checkpoint: integer('checkpoint').notNull(),
  /** JSON of an OpenBatch. */
  openBatch: text('open_batch'),
  /** JSON of a WorkerAgent. */
  agent: text('agent').notNull(),
});

export const grants = sqliteTable('grants', {
  id: text('id').primaryKey(),
  worker: text('worker').notNull(),
  tool: text('tool').notNull(),
  seq: integer('seq').notNull(),
});

export const streams = sqliteTable('streams', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  description: text('description').notNull(),
  transportKind: text('transport_kind').notNull(),
  transportConfig: text('transport_config').notNull(),
  purpose: text('purpose', { enum: ['open', 'dm', 'transcript', 'notices', 'chat'] }).notNull(),
  members: text('members').notNull(),
  private: flag('private').notNull(),
  hold: flag('hold').notNull(),
  batch: text('batch', { enum: ['stream', 'conversation'] }).notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: text('created_at').notNull(),
  deletedAt: text('deleted_at'),
  lastSeq: integer('last_seq').notNull(),
  eventCount: integer('event_count').notNull(),
});

/** One row per interval: a Worker listens from `fromSeq` (exclusive) to `toSeq` (inclusive; null while it lasts). */
export const subscriptions = sqliteTable(
  'subscriptions',
  {
    worker: text('worker').notNull(),
    stream: text('stream').notNull(),
    fromSeq: integer('from_seq').notNull(),
    toSeq: integer('to_seq'),
    filter: text('filter'),
  },
  (table) => [primaryKey({ columns: [table.worker, table.stream, table.fromSeq] })],
);

/** Entries addressed to one Worker that are no Events: its hire, a request to run. */
export const wakes = sqliteTable(
  'wakes',
  { worker: text('worker').notNull(), seq: integer('seq').notNull() },
  (table) => [primaryKey({ columns: [table.worker, table.seq] })],
);

export const threads = sqliteTable(
  'threads',
  { thread: text('thread').notNull(), stream: text('stream').notNull(), seq: integer('seq').notNull() },
  (table) => [primaryKey({ columns: [table.thread, table.stream, table.seq] })],
);

/** Triggers outside the plain order of the inbox: held, parked, dropped, expired, or requeued for delivery. */
export const setAside = sqliteTable(
  'set_aside',
  {
    worker: text('worker').notNull(),
    seq: integer('seq').notNull(),
    state: text('state', { enum: ['held', 'parked', 'dropped', 'expired', 'requeued'] }).notNull(),
    reason: text('reason').notNull(),
    entrySeq: integer('entry_seq').notNull(),
  },
  (table) => [primaryKey({ columns: [table.worker, table.seq] })],
);

/** Events that wake nobody by themselves: held for a person, or already released or discarded by one, or quiet by nature. */
export const heldEvents = sqliteTable('held_events', {
  seq: integer('seq').primaryKey(),
  state: text('state', { enum: ['held', 'released', 'discarded', 'quiet'] }).notNull(),
  reason: text('reason').notNull(),
  entrySeq: integer('entry_seq').notNull(),
});

export const redactions = sqliteTable('redactions', {
  seq: integer('seq').primaryKey(),
  bySeq: integer('by_seq').notNull(),
});

// --- Operational tables: never journaled, never rebuilt.

export const idempotency = sqliteTable(
  'idempotency',
  {
    stream: text('stream').notNull(),
    provider: text('provider').notNull(),
    key: text('key').notNull(),
    bodyDigest: bytes('body_digest'),
    seq: integer('seq').notNull(),
    at: text('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.stream, table.provider, table.key] })],
);

export const transcripts = sqliteTable('transcripts', {
  seq: integer('seq').primaryKey(),
  worker: text('worker').notNull(),
  activationId: text('activation_id').notNull(),
  at: text('at').notNull(),
  body: text('body').notNull(),
  extra: text('extra'),
});

/** Agent processes that run now, so that the next daemon finds what this one left behind. */
export const processes = sqliteTable('processes', {
  activationId: text('activation_id').primaryKey(),
  worker: text('worker').notNull(),
  pid: integer('pid').notNull(),
  startedAt: text('started_at').notNull(),
});

export const tokens = sqliteTable('tokens', {
  id: text('id').primaryKey(),
  worker: text('worker').notNull(),
  /** SHA-256 of the token; the token itself is stored nowhere. */
  hash: bytes('hash').notNull(),
  label: text('label').notNull(),
  kind: text('kind', { enum: ['token', 'session', 'login', 'chat'] }).notNull(),
  onBehalfOf: text('on_behalf_of'),
  createdAt: text('created_at').notNull(),
  expiresAt: text('expires_at'),
  lastUsedAt: text('last_used_at'),
  revokedAt: text('revoked_at'),
});

export const settings = sqliteTable('settings', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
  updatedAt: text('updated_at').notNull(),
});

export const counters = sqliteTable('counters', { name: text('name').primaryKey(), value: integer('value').notNull() });

/** What a rebuild empties and refills, in the order of the tables above. */
export const readTables = [
  roles,
  positions,
  workers,
  grants,
  streams,
  subscriptions,
  wakes,
  threads,
  setAside,
  heldEvents,
  stoppages,
  redactions,
  activations,
  activationTriggers,
  deliveries,
] as const;
