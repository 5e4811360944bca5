// Sessions in which a Worker's agent can go on. Operational: losing them costs a Worker its context, nothing else.
import { agentSessions } from './agent-schema.ts';
import type { Db } from './database.ts';
import { and, eq, lt } from './drizzle.ts';

export type AgentSession = typeof agentSessions.$inferSelect;

export type AgentSessions = {
  find(worker: string, conversation: string): AgentSession | undefined;
  /** The agent's names of all sessions of a Worker. */
  namesOf(worker: string): string[];
  /** Replaces the one of the same Worker and conversation. */
  keep(session: AgentSession): void;
  drop(worker: string, conversation: string): void;
};

export function createAgentSessions({ orm }: Db): AgentSessions {
  const isOf = (worker: string, conversation: string) =>
    and(eq(agentSessions.worker, worker), eq(agentSessions.conversation, conversation));
  return {
    find: (worker, conversation) => orm.select().from(agentSessions).where(isOf(worker, conversation)).get(),
    namesOf: (worker) =>
      orm
        .select()
        .from(agentSessions)
        .where(eq(agentSessions.worker, worker))
        .all()
        .map(({ session }) => session),
    keep({ worker, conversation, ...session }) {
      orm
        .insert(agentSessions)
        .values({ worker, conversation, ...session })
        .onConflictDoUpdate({ target: [agentSessions.worker, agentSessions.conversation], set: session })
        .run();
    },
    drop: (worker, conversation) => void orm.delete(agentSessions).where(isOf(worker, conversation)).run(),
  };
}

/** Forgets sessions nobody has gone on in since the given time, and those of Workers that were fired. */
export function pruneAgentSessions({ orm, sqlite }: Db, before: string): number {
  const fired = 'DELETE FROM agent_sessions WHERE worker IN (SELECT id FROM workers WHERE fired_at IS NOT NULL)';
  return (
    sqlite.prepare(fired).run().changes + orm.delete(agentSessions).where(lt(agentSessions.at, before)).run().changes
  );
}
