import type Database from 'better-sqlite3';
import type { ContentPart } from '../domain/entry.ts';
import type { OrgEventEvent } from '../domain/event.ts';
import { decodeMessage, type Message } from '../domain/message.ts';
import { createAttachmentErasure } from './attachments.ts';
import { createSearchErasure } from './search.ts';

type EventRedacted = Extract<OrgEventEvent, { type: 'EventRedacted' }>;

export const REDACTED_LINE = '[redacted]';
/** What replaces a line is never longer: a row that grows may leave its neighbours' old bytes behind in the file. */
const REDACTED = `body = iif(octet_length(body) >= ${REDACTED_LINE.length}, '${REDACTED_LINE}', ''), extra = NULL`;

/** Shorter texts stand in too many lines by chance to be looked for; longer ones are looked for in pieces. */
const QUOTE_MIN = 8;
const QUOTE_PIECES = /.{1,64}/gsu;
const QUOTES_MAX = 1_000;

/**
 * Erases what an Event said: its content, the prompts and transcripts of the runs it woke, and transcript lines of other
 * runs that quote it. The result is called inside the transaction that records the redaction.
 */
export function createErasure(sqlite: Database.Database): (redacted: EventRedacted) => void {
  const contentOf = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();
  const eraseContent = sqlite.prepare('UPDATE content SET salt = NULL, bytes = NULL WHERE seq = ?');
  // All but our own first and last line, which an agent may imitate but not place.
  const eraseRun = sqlite.prepare(
    `UPDATE transcripts SET ${REDACTED} WHERE activation_id = (SELECT id FROM activations WHERE seq = @seq)
     AND body <> (SELECT '=== exit: ' || coalesce(exit, '') || ' ===' FROM activations WHERE seq = @seq)
     AND NOT (body LIKE '=== activation: %' AND seq = (SELECT min(seq) FROM transcripts t WHERE t.activation_id = transcripts.activation_id))`,
  );
  const linesAfter = sqlite.prepare(
    `SELECT seq, body, extra FROM transcripts WHERE seq > @after
     UNION ALL SELECT seq, body, extra FROM chat_lines WHERE seq > @after`,
  );
  const eraseLines = ['transcripts', 'chat_lines'].map((table) =>
    sqlite.prepare(`UPDATE ${table} SET ${REDACTED} WHERE seq = ?`),
  );
  const filesOf = sqlite.prepare(
    "SELECT name, bytes FROM content WHERE seq = ? AND name LIKE 'attachment-%' AND bytes IS NOT NULL",
  );
  const files = createAttachmentErasure(sqlite);
  // What an agent remembers of a run is in its session: nobody goes on in it, and its file goes before the Worker's next run.
  const dropSessions = sqlite.prepare(
    'DELETE FROM agent_sessions WHERE worker = (SELECT worker FROM activations WHERE seq = ?)',
  );
  const eraseSearch = createSearchErasure(sqlite);
  const forgetDigest = sqlite.prepare('UPDATE idempotency SET body_digest = NULL WHERE seq = ?');

  function eraseQuotes(after: number, quotes: string[]): void {
    const quoting: number[] = [];
    for (const { seq, body, extra } of linesAfter.iterate({ after }) as Iterable<{
      seq: number;
      body: string;
      extra: string | null;
    }>) {
      if (quotes.some((quote) => body.includes(quote) || extra?.includes(quote))) quoting.push(seq);
    }
    for (const seq of quoting) for (const eraseLine of eraseLines) eraseLine.run(seq);
  }

  return ({ event, alsoErased }) => {
    const bytes = contentOf.get(event) as Buffer | null | undefined;
    const message = bytes ? decodeMessage(bytes) : undefined;
    if (message) {
      eraseSearch(event, message);
      eraseQuotes(event, quotesOf(message));
    }
    for (const part of filesOf.all(event) as ContentPart[]) files.remove(part);
    for (const seq of [event, ...alsoErased]) eraseContent.run(seq);
    for (const seq of alsoErased) {
      eraseRun.run({ seq });
      dropSessions.run(seq);
    }
    forgetDigest.run(event);
  };
}

/** Stretches of a Message that look the same wherever they are quoted: without line breaks and without what JSON or HTML escape. */
function quotesOf({ subject = '', body = '', attachments = [] }: Message): string[] {
  const quotes = new Set<string>();
  for (const text of [subject, body, ...attachments.flatMap(({ filename, url = '' }) => [filename, url])]) {
    for (const stretch of text.split(/["'`\\<>&\p{Cc}\u2028\u2029]|\s{2,}|(?<=[.,;:!?])\s/u)) {
      for (const piece of stretch.trim().match(QUOTE_PIECES) ?? [])
        if (piece.length >= QUOTE_MIN) quotes.add(piece).add(inAscii(piece));
    }
  }
  return [...quotes].sort((a, b) => b.length - a.length).slice(0, QUOTES_MAX);
}

/** As programs write JSON that keep to ASCII. */
const inAscii = (text: string) =>
  text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * Erased bytes must leave the write-ahead log as well. Never waits.
 * @returns false while a reader in another process keeps the log from being emptied
 */
export function emptyWal(sqlite: Database.Database): boolean {
  const timeoutMs = sqlite.pragma('busy_timeout', { simple: true });
  sqlite.pragma('busy_timeout = 0');
  try {
    return sqlite.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 0;
  } catch {
    return false;
  } finally {
    sqlite.pragma(`busy_timeout = ${timeoutMs}`);
  }
}
