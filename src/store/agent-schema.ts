// Operational, like the last tables of schema.ts.
import { integer, primaryKey, sqliteTable, text } from './drizzle.ts';

/** Sessions of agents that go on from one activation to the next, by Worker and conversation. */
export const agentSessions = sqliteTable(
  'agent_sessions',
  {
    worker: text('worker').notNull(),
    conversation: text('conversation').notNull(),
    kind: text('kind').notNull(),
    /** The agent's own name for it. */
    session: text('session').notNull(),
    /** Which Roles, identity and policy it began with. */
    texts: text('texts').notNull(),
    grantsSeq: integer('grants_seq').notNull(),
    /** The last one in it, and its end. */
    activationId: text('activation_id').notNull(),
    at: text('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.worker, table.conversation] })],
);
