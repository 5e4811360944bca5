import { createAttachmentReader, isFilePart } from './attachments.ts';
import type { Db } from './database.ts';
import { asc, gt } from './drizzle.ts';
import { type ContentDigest, contentDigest, entryHash, GENESIS, type JournalRow, shapesOrg } from './entries.ts';
import { journal } from './schema.ts';

/** A place where the journal is not what was written. */
export type Problem = { seq: number; problem: string };

export type Verification = { entries: number; redacted: number; head: string; problems: Problem[] };

const PROBLEMS_MAX = 100;
const GUARDS = [
  'journal_no_update',
  'journal_no_delete',
  'journal_no_replace',
  'content_only_erased',
  'content_no_delete',
  'content_no_replace',
];

/** Walks the whole chain: each entry's hash, its content's digests, and that what is erased was redacted. */
export function verifyJournal(db: Db): Verification {
  const result: Verification = { entries: 0, redacted: 0, head: '', problems: [] };
  const note = (seq: number, problem: string) => {
    if (result.problems.length < PROBLEMS_MAX) result.problems.push({ seq, problem });
  };
  for (const guard of missingGuards(db))
    note(0, `the trigger ${guard}, which keeps the journal append-only, is missing`);
  const checkContent = createContentCheck(db);
  let prev: Buffer = GENESIS;
  for (const row of eachRow(db)) {
    result.entries += 1;
    if (!row.prevHash.equals(prev))
      note(row.seq, 'does not follow the entry before it: something was removed, added or changed');
    if (!entryHash(row).equals(row.hash)) note(row.seq, 'was changed: its hash does not fit what it says');
    if (row.shapesOrg !== shapesOrg(row.type)) note(row.seq, 'is filed wrongly: shapes_org does not fit its type');
    const { redacted, problem } = checkContent(row);
    result.redacted += redacted;
    if (problem) note(row.seq, problem);
    prev = row.hash;
  }
  const stray = db.sqlite
    .prepare('SELECT seq FROM content WHERE seq NOT IN (SELECT seq FROM journal)')
    .pluck()
    .all() as number[];
  for (const seq of stray) note(seq, 'has content but no entry');
  return { ...result, head: prev.toString('hex') };
}

function* eachRow({ orm }: Db): Iterable<JournalRow> {
  const page = 1_000;
  for (let after = 0; ; ) {
    const rows = orm.select().from(journal).where(gt(journal.seq, after)).orderBy(asc(journal.seq)).limit(page).all();
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < page) return;
    after = last.seq;
  }
}

function createContentCheck({ sqlite }: Db) {
  const parts = sqlite.prepare('SELECT name, salt, bytes FROM content WHERE seq = ? ORDER BY name');
  const readFile = createAttachmentReader(sqlite);
  let redacted = redactedSeqs(sqlite);
  return (row: JournalRow): { redacted: number; problem?: string } => {
    const digests = declaredContent(row);
    const stored = new Map(
      (parts.all(row.seq) as { name: string; salt: Buffer | null; bytes: Buffer | null }[]).map((part) => [
        part.name,
        part,
      ]),
    );
    if (stored.size !== digests.length) return { redacted: 0, problem: 'has other content than it says' };
    for (const { name, digest } of digests) {
      const part = stored.get(name);
      if (!part) return { redacted: 0, problem: `lacks its content "${name}"` };
      if (part.bytes || part.salt) {
        if (redacted.has(row.seq))
          return { redacted: 0, problem: `still has content "${name}" although it was redacted` };
        if (!part.bytes || !part.salt || contentDigest(part.salt, part.bytes) !== digest)
          return { redacted: 0, problem: `its content "${name}" was changed` };
        if (row.type === 'EventPublished' && isFilePart(name) && !readFile.whole(part.bytes))
          return { redacted: 0, problem: `its file "${name}" was changed` };
      } else if (!redacted.has(row.seq)) {
        // A daemon may have redacted it while we were on our way here.
        redacted = redactedSeqs(sqlite);
        if (!redacted.has(row.seq))
          return { redacted: 0, problem: `its content "${name}" was erased without a redaction` };
      }
    }
    return { redacted: digests.length > 0 && redacted.has(row.seq) ? 1 : 0 };
  };
}

function declaredContent(row: JournalRow): ContentDigest[] {
  try {
    const { content } = JSON.parse(row.data) as { content?: unknown };
    return Array.isArray(content) ? (content as ContentDigest[]) : [];
  } catch {
    return [];
  }
}

/** From the journal itself: read tables may be wrong when something was tampered with. */
function redactedSeqs(sqlite: Db['sqlite']): Set<number> {
  const rows = sqlite.prepare("SELECT data FROM journal WHERE type = 'EventRedacted'").pluck().all() as string[];
  const seqs = new Set<number>();
  for (const data of rows) {
    try {
      const { event, alsoErased } = JSON.parse(data) as { event: number; alsoErased: number[] };
      for (const seq of [event, ...alsoErased]) seqs.add(seq);
    } catch {
      // Changed by somebody; its hash says so.
    }
  }
  return seqs;
}

function missingGuards({ sqlite }: Db): string[] {
  const present = new Set(sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all());
  return GUARDS.filter((guard) => !present.has(guard));
}
