// Finding Events by words, and showing where the words stand.
import type { EventView } from '../../store/event-reader.ts';
import type { Queries } from '../../store/queries.ts';

export type Snippet = { text: string; isHit: boolean }[];

/** One look into the index; what somebody may not read is passed over, in a bounded number of looks. */
const LOOK = 200;
const LOOKS_MAX = 10;

export type Found = { views: EventView[]; before: number | undefined };

/** Newest first. `before` is where to go on, also when nothing was found so far. */
export function findEvents(
  queries: Pick<Queries, 'search' | 'eventAt'>,
  words: string,
  {
    stream,
    before,
    limit,
    mayRead,
  }: { stream?: string; before?: number; limit: number; mayRead(streamId: string): boolean },
): Found {
  const views: EventView[] = [];
  let from = before ?? Number.MAX_SAFE_INTEGER;
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const seqs = queries.search.find(words, { ...(stream === undefined ? {} : { stream }), before: from, limit: LOOK });
    for (const seq of seqs) {
      const view = queries.eventAt(seq);
      if (view && mayRead(view.streamId)) views.push(view);
      if (views.length === limit) return { views, before: seq };
    }
    if (seqs.length < LOOK) return { views, before: undefined };
    from = seqs.at(-1) ?? 0;
  }
  return { views, before: from };
}

const AROUND = 110;

/** The place where the first word stands, with every word marked. */
export function snippetOf({ body }: Pick<EventView, 'body'>, words: string): Snippet {
  const wanted = words.match(/[\p{L}\p{N}\p{M}]+/gu)?.slice(0, 20) ?? [];
  if (wanted.length === 0) return [{ text: body.slice(0, 2 * AROUND), isHit: false }];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}\\p{M}])(?:${wanted.join('|')})`, 'giu');
  // Texts of a million characters are looked through as far as a person would scroll.
  const text = body.slice(0, 200_000);
  const first = text.search(pattern);
  const start = Math.max(0, first - AROUND);
  const piece = text
    .slice(start, Math.max(first, 0) + 2 * AROUND)
    .toWellFormed()
    .replace(/\s+/g, ' ');
  const parts: Snippet = start > 0 ? [{ text: '…', isHit: false }] : [];
  let at = 0;
  for (const match of piece.matchAll(pattern)) {
    parts.push({ text: piece.slice(at, match.index), isHit: false }, { text: match[0], isHit: true });
    at = match.index + match[0].length;
  }
  parts.push({ text: piece.slice(at), isHit: false });
  return start + piece.length < body.length ? [...parts, { text: '…', isHit: false }] : parts;
}
