// The tables of files that come or go with Events: operational, but erased with their Event.
import { blob, integer, primaryKey, sqliteTable, text } from './drizzle.ts';

/** Files of Events; `event` is the seq of the one that names it, null until there is one. */
export const attachments = sqliteTable('attachments', {
  id: text('id').primaryKey(),
  at: text('at').notNull(),
  event: integer('event'),
});

export const attachmentSlices = sqliteTable(
  'attachment_slices',
  { id: text('id').notNull(), n: integer('n').notNull(), bytes: blob('bytes', { mode: 'buffer' }).notNull() },
  (table) => [primaryKey({ columns: [table.id, table.n] })],
);
