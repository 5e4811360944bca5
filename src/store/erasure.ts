import type Database from 'better-sqlite3';
import type { OrgEventEvent } from '../domain/event.ts';
import { decodeMessage } from '../domain/message.ts';

type EventRedacted = Extract<OrgEventEvent, { type: 'EventRedacted' }>;

export const REDACTED_LINE = '[redacted]';

/** Texts shorter than this stand in too many lines by chance to be looked for. */
const QUOTE_MIN = 8;
const QUOTE_MAX = 200;

/**
 * Erases what an Event said: its content, the prompts and transcripts of the runs it woke, and transcript lines of other
 * runs that quote it. Runs inside the transaction that records the redaction.
 */
export function createErasure(sqlite: Database.Database): (redacted: EventRedacted) => void {
  const message = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();
  const eraseContent = sqlite.prepare('UPDATE content SET salt = NULL, bytes = NULL WHERE seq = ?');
  const eraseRun = sqlite.prepare(
    `UPDATE transcripts SET body = '${REDACTED_LINE}', extra = NULL
     WHERE activation_id = (SELECT id FROM activations WHERE seq = ?) AND body NOT LIKE '=== %'`,
  );
  const eraseQuotes = sqlite.prepare(
    `UPDATE transcripts SET body = '${REDACTED_LINE}', extra = NULL
     WHERE seq > @seq AND (instr(body, @quote) > 0 OR instr(coalesce(extra, ''), @quote) > 0)`,
  );
  const eraseSearch = sqlite.prepare('DELETE FROM search WHERE rowid = ?');
  const forgetDigest = sqlite.prepare('UPDATE idempotency SET body_digest = NULL WHERE seq = ?');
  return ({ event, alsoErased }) => {
    const bytes = message.get(event) as Buffer | null | undefined;
    const quote = bytes ? quotable(decodeMessage(bytes)?.body ?? '') : undefined;
    if (quote !== undefined) eraseQuotes.run({ seq: event, quote });
    for (const seq of [event, ...alsoErased]) eraseContent.run(seq);
    for (const seq of alsoErased) eraseRun.run(seq);
    eraseSearch.run(event);
    forgetDigest.run(event);
  };
}

/** The longest stretch of a text that looks the same wherever it is quoted: no line break, no character JSON escapes. */
function quotable(text: string): string | undefined {
  let best = '';
  for (const stretch of text.split(/["\\\p{Cc}]|\s{2,}/u)) {
    const trimmed = stretch.trim().slice(0, QUOTE_MAX);
    if (trimmed.length > best.length) best = trimmed;
  }
  return best.length >= QUOTE_MIN ? best : undefined;
}

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
