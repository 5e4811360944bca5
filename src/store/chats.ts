// Conversations of people with their agents: which there are, and what was said. Lines are written by the journal, beside
// transcripts; nothing here depends on what the agent itself keeps.
import { conversations } from './chat-schema.ts';
import type { Db } from './database.ts';
import { and, desc, eq, isNotNull, ne } from './drizzle.ts';
import type { RunLine } from './run-pages.ts';

export type Conversation = typeof conversations.$inferSelect;

export type LineRange = {
  /** Exclusive upper end. */
  before?: number;
  /** Exclusive lower end: the first lines after it, instead of the last before. */
  after?: number;
  limit: number;
};

export type Chats = {
  find(id: string): Conversation | undefined;
  /** The one that its person opened last. */
  current(worker: string): Conversation | undefined;
  /** Of those in which something was said, the latest first. */
  recent(worker: string, limit: number): Conversation[];
  /** The agent's names of all conversations of a person. */
  sessionsOf(worker: string): ReadonlySet<string>;
  bySession(worker: string, session: string): Conversation | undefined;
  add(conversation: Conversation): void;
  change(id: string, change: Partial<Omit<Conversation, 'id' | 'worker'>>): void;
  /** In which an answer was under way when the daemon ended. */
  unfinished(): Conversation[];
  /** Oldest first. */
  lines(id: string, range: LineRange): RunLine[];
  /** seqs of the last messages of its person before a seq, oldest first. */
  questions(id: string, before: number, limit: number): number[];
  /** Conversations in which all words were said, the latest first, each with the seq of the newest line that has them. */
  search(worker: string, text: string, limit: number): (Conversation & { seq: number })[];
};

const WORDS_MAX = 8;

export function createChats({ orm, sqlite }: Db): Chats {
  const ofWorker = (worker: string) => orm.select().from(conversations).where(eq(conversations.worker, worker));
  const before = sqlite.prepare(
    'SELECT seq, at, body, extra FROM chat_lines WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
  );
  const following = sqlite.prepare(
    'SELECT seq, at, body, extra FROM chat_lines WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const questions = sqlite
    .prepare(
      "SELECT seq FROM chat_lines WHERE conversation = ? AND seq < ? AND body LIKE 'you: %' ORDER BY seq DESC LIMIT ?",
    )
    .pluck();
  const find = (id: string) => orm.select().from(conversations).where(eq(conversations.id, id)).get();
  return {
    find,
    current: (worker) => ofWorker(worker).orderBy(desc(conversations.openedAt)).limit(1).get(),
    recent: (worker, limit) =>
      orm
        .select()
        .from(conversations)
        .where(and(eq(conversations.worker, worker), ne(conversations.title, '')))
        .orderBy(desc(conversations.lastAt))
        .limit(limit)
        .all(),
    sessionsOf: (worker) =>
      new Set(
        ofWorker(worker)
          .all()
          .flatMap(({ session }) => session ?? []),
      ),
    bySession: (worker, session) =>
      orm
        .select()
        .from(conversations)
        .where(and(eq(conversations.worker, worker), eq(conversations.session, session)))
        .get(),
    add: (conversation) => void orm.insert(conversations).values(conversation).run(),
    change: (id, change) => void orm.update(conversations).set(change).where(eq(conversations.id, id)).run(),
    unfinished: () => orm.select().from(conversations).where(isNotNull(conversations.unfinished)).all(),
    lines(id, { before: end = Number.MAX_SAFE_INTEGER, after, limit }) {
      if (after !== undefined) return following.all(id, after, limit) as RunLine[];
      return (before.all(id, end, limit) as RunLine[]).reverse();
    },
    questions: (id, end, limit) => (questions.all(id, end, limit) as number[]).reverse(),
    search(worker, text, limit) {
      const words = text.toLowerCase().match(/\S+/g)?.slice(0, WORDS_MAX) ?? [];
      if (words.length === 0) return [];
      const said = "lower(CASE WHEN extra IS NULL THEN body ELSE body || ' ' || extra END)";
      const found = sqlite
        .prepare(
          `SELECT conversation, max(seq) AS seq FROM chat_lines
           WHERE worker = ? ${words.map(() => `AND instr(${said}, ?) > 0`).join(' ')}
           GROUP BY conversation ORDER BY seq DESC LIMIT ?`,
        )
        .all(worker, ...words, limit) as { conversation: string; seq: number }[];
      return found.flatMap(({ conversation, seq }) => {
        const row = find(conversation);
        return row ? [{ ...row, seq }] : [];
      });
    },
  };
}
