// Operational, like the last tables of schema.ts: what people and their agents said to each other.
import { integer, real, sqliteTable, text } from './drizzle.ts';

/** A chat from its first message on. The one that was opened last is the one its person is in. */
export const conversations = sqliteTable('conversations', {
  id: text('id').primaryKey(),
  worker: text('worker').notNull(),
  title: text('title').notNull(),
  /** The agent's own name for it, by which it goes on. */
  session: text('session'),
  /** The one that answered last. */
  model: text('model'),
  costUsd: real('cost_usd').notNull(),
  startedAt: text('started_at').notNull(),
  openedAt: text('opened_at').notNull(),
  lastAt: text('last_at').notNull(),
  /** While an answer comes: what of it is not among the lines yet. */
  unfinished: text('unfinished'),
});

/** Numbered by the journal's counter, as transcripts are. */
export const chatLines = sqliteTable('chat_lines', {
  seq: integer('seq').primaryKey(),
  worker: text('worker').notNull(),
  conversation: text('conversation').notNull(),
  at: text('at').notNull(),
  body: text('body').notNull(),
  extra: text('extra'),
});
