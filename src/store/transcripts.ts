// What agents said and did, line by line. Operational: never in the hash chain, pruned by age; numbered by the journal's counter.
import { activationStreamId, chatStreamId } from '../domain/ids.ts';
import type { Db } from './database.ts';

/** One line of a transcript as the dispatcher hands it over. `extra` is kept up to {@link EXTRA_MAX} characters of JSON. */
export type TranscriptLine = {
  worker: string;
  activationId: string;
  at: string;
  body: string;
  extra?: unknown;
  /** A line of a person's chat, kept for good with the whole of its `extra`; `activationId` then names the conversation. */
  isChat?: true;
};

export type TranscriptRow = Omit<TranscriptLine, 'extra'> & { seq: number; extra: string | null };

export const EXTRA_MAX = 16_384;

export function createTranscripts({ sqlite }: Db) {
  const insert = sqlite.prepare('INSERT INTO transcripts VALUES (@seq, @worker, @activationId, @at, @body, @extra)');
  const insertChat = sqlite.prepare('INSERT INTO chat_lines VALUES (@seq, @worker, @activationId, @at, @body, @extra)');
  return {
    insert(lines: TranscriptLine[], takeSeq: () => number): TranscriptRow[] {
      return lines.map((line) => {
        const { isChat, ...rest } = line;
        const extra = isChat ? (JSON.stringify(line.extra) ?? null) : boundedExtra(line.extra);
        const row = { ...rest, seq: takeSeq(), extra };
        (isChat ? insertChat : insert).run(row);
        return isChat ? { ...row, isChat } : row;
      });
    },
  };
}

/** The Stream as which others read a line. */
export const streamOfLine = ({ worker, isChat }: Pick<TranscriptLine, 'worker' | 'isChat'>): string =>
  isChat ? chatStreamId(worker) : activationStreamId(worker);

function boundedExtra(extra: unknown): string | null {
  try {
    const text = JSON.stringify(extra) as string | undefined;
    return text !== undefined && text.length <= EXTRA_MAX ? text : null;
  } catch {
    return null; // The text of the line matters more than what is beside it.
  }
}

/** Deletes lines older than the given time; the counter keeps their numbers from being given again. */
export function pruneTranscripts({ sqlite }: Db, before: string, most: number): number {
  return sqlite.transaction(() => {
    const highest = sqlite
      .prepare('SELECT max(seq) FROM (SELECT seq, at FROM transcripts ORDER BY seq LIMIT ?) WHERE at < ?')
      .pluck()
      .get(most, before) as number | null;
    if (highest === null) return 0;
    sqlite
      .prepare(
        "INSERT INTO counters VALUES ('seq', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
      )
      .run(highest);
    return sqlite.prepare('DELETE FROM transcripts WHERE seq <= ? AND at < ?').run(highest, before).changes;
  })();
}
