// The tables of what leaves: where deliveries stand by the journal, and beside it what is still to be tried.
import { integer, sqliteTable, text } from './drizzle.ts';

/** Read table: where each delivery of an Event stands. */
export const deliveries = sqliteTable('deliveries', {
  id: text('id').primaryKey(),
  seq: integer('seq').notNull(),
  stream: text('stream').notNull(),
  worker: text('worker').notNull(),
  kind: text('kind').notNull(),
  recipient: text('recipient'),
  state: text('state', {
    enum: ['queued', 'paused', 'stopped', 'held', 'delivered', 'dead', 'discarded'],
  }).notNull(),
  reason: text('reason').notNull(),
  attempts: integer('attempts').notNull(),
  messageId: text('message_id'),
  detail: text('detail'),
  at: text('at').notNull(),
  entrySeq: integer('entry_seq').notNull(),
});

/** Operational: what is still to leave. `nextAt` is set on the first queued one of each lane. */
export const outbox = sqliteTable('outbox', {
  id: text('id').primaryKey(),
  seq: integer('seq').notNull(),
  stream: text('stream').notNull(),
  lane: text('lane').notNull(),
  attempts: integer('attempts').notNull(),
  firstAt: text('first_at'),
  nextAt: text('next_at'),
  lastError: text('last_error'),
});
