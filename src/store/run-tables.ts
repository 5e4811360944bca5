// Read tables about what ran and what stood still; the other tables are in schema.ts.
import { integer, primaryKey, sqliteTable, text } from './drizzle.ts';

export const activations = sqliteTable('activations', {
  id: text('id').primaryKey(),
  worker: text('worker').notNull(),
  seq: integer('seq').notNull(),
  state: text('state', { enum: ['running', 'done', 'failed', 'timed_out', 'interrupted', 'lost'] }).notNull(),
  attempt: integer('attempt').notNull(),
  triggers: text('triggers').notNull(),
  agent: text('agent').notNull(),
  ranWith: text('ran_with').notNull(),
  root: integer('root').notNull(),
  hops: integer('hops').notNull(),
  startedAt: text('started_at').notNull(),
  endedAt: text('ended_at'),
  endedSeq: integer('ended_seq'),
  exit: text('exit'),
  published: integer('published'),
  changed: integer('changed'),
  usage: text('usage'),
});

export const activationTriggers = sqliteTable(
  'activation_triggers',
  { seq: integer('seq').notNull(), activationSeq: integer('activation_seq').notNull() },
  (table) => [primaryKey({ columns: [table.seq, table.activationSeq] })],
);

/** When work stood still, for one Worker (`scope` is its id), for all (`org`), or for those of a kind of agent (`agent:codex`): paused, or held by a limit or a broken agent. */
export const stoppages = sqliteTable(
  'stoppages',
  {
    scope: text('scope').notNull(),
    fromSeq: integer('from_seq').notNull(),
    /** `paused`, or the name of the hold. */
    hold: text('hold').notNull(),
    reason: text('reason').notNull(),
    fromAt: text('from_at').notNull(),
    /** In the year 9999 while it lasts. */
    toAt: text('to_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.scope, table.fromSeq] })],
);
