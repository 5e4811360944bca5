// The journal for people: newest first, by what happened, by whom and about what. Messages' content is left out.
import type { Db } from './database.ts';
import { type Entry, type JournalRow, toEntry } from './entries.ts';

export type JournalFilter = {
  /** Exclusive upper end. */
  before?: number;
  /** Exclusive lower end. */
  after?: number;
  /** Types of facts; none means all. */
  types?: readonly string[];
  actor?: string;
  /** What the entry is about, or the Stream an Event landed on. */
  about?: string;
  limit: number;
};

export type JournalPage = {
  entries: Entry[];
  /** Where to go on; absent at the beginning of the journal. */
  before?: number;
};

export type JournalPages = {
  journalPage(filter: JournalFilter): JournalPage;
  /** seqs of what a Worker did by chat between two seqs, both exclusive, oldest first. */
  chatDoings(workerId: string, range: { from: number; to: number; limit: number }): number[];
};

/** Entries looked at for one page: a filter that fits nothing must not read a journal of a million. */
const LOOKED_AT_MAX = 20_000;

const COLUMNS = `seq, v, type, stream, subject, actor, on_behalf_of AS onBehalfOf, via, caused_by AS causedBy, root, hops,
  activation_id AS activationId, at, data`;

export function createJournalPages({ sqlite }: Db): JournalPages {
  const everything = sqlite.prepare(
    `SELECT ${COLUMNS} FROM journal WHERE seq < @before AND seq >= @after
     AND (@types IS NULL OR instr(@types, '"' || type || '"') > 0) AND (@actor IS NULL OR actor = @actor)
     ORDER BY seq DESC LIMIT @limit`,
  );
  const about = sqlite.prepare(
    `SELECT ${COLUMNS} FROM journal WHERE seq IN (
       SELECT seq FROM journal WHERE subject = @about AND seq < @before AND seq >= @after
       UNION ALL SELECT seq FROM journal WHERE stream = @about AND seq < @before AND seq >= @after ORDER BY seq DESC LIMIT @looked)
     AND (@types IS NULL OR instr(@types, '"' || type || '"') > 0) AND (@actor IS NULL OR actor = @actor)
     ORDER BY seq DESC LIMIT @limit`,
  );
  const byChat = sqlite
    .prepare(
      `SELECT seq FROM journal WHERE via = 'chat' AND actor = @workerId AND seq > @from AND seq < @to
       AND type NOT IN ('StreamCreated', 'ToolGranted', 'WorkerSubscribed') ORDER BY seq LIMIT @limit`,
    )
    .pluck();
  const nth = sqlite.prepare('SELECT seq FROM journal WHERE seq < ? ORDER BY seq DESC LIMIT 1 OFFSET ?').pluck();
  return {
    chatDoings: (workerId, range) => byChat.all({ workerId, ...range }) as number[],
    journalPage({ before = Number.MAX_SAFE_INTEGER, after: from = 0, types, actor, about: subject, limit }) {
      const window = subject === undefined ? ((nth.get(before, LOOKED_AT_MAX) as number | undefined) ?? 0) : 0;
      const after = Math.max(window, from + 1);
      const parameters = {
        before,
        after,
        types: types && types.length > 0 ? JSON.stringify(types) : null,
        actor: actor ?? null,
        about: subject ?? null,
        looked: LOOKED_AT_MAX,
        limit,
      };
      const rows = (subject === undefined ? everything : about).all(parameters) as JournalRow[];
      const entries = rows.map((row) => toEntry(row, []));
      const oldest = entries.at(-1)?.seq;
      if (entries.length === limit && oldest !== undefined) return { entries, before: oldest };
      return window > from ? { entries, before: window } : { entries };
    },
  };
}
