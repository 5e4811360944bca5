// Beside every page about Streams: all of them that one may read, in the order in which they were made; DMs, chats and
// transcripts folded.
import type { Queries, StreamRow } from '../../store/queries.ts';
import { streamHref } from './links.ts';
import { type NeedsDeps, needsByStream } from './stream-needs.ts';
import type { Visit } from './visit.ts';

export type StreamIndexDeps = NeedsDeps & { queries: Pick<Queries, 'streams'> };

/** Conversations and transcripts that are listed; the others are found by their Workers. */
const FOLDED_MAX = 60;

export function streamIndex(deps: StreamIndexDeps, visit: Visit, at: string) {
  const needs = needsByStream(deps, visit);
  const rows = deps.queries.streams().filter(({ id }) => visit.mayRead(id));
  // The org knows them in the order in which they were made; several may bear the same time.
  const order = new Map([...deps.journal.org.streams.keys()].map((id, index) => [id, index]));
  const made = (a: StreamRow, b: StreamRow) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0);
  const shown = ({ id, name, transportKind, private: isPrivate }: StreamRow) => ({
    id,
    name,
    href: streamHref(id),
    kind: transportKind === 'local' ? '' : transportKind,
    isPrivate,
    isCurrent: id === at,
    needs: needs.get(id) ?? 0,
  });
  const folded = (purpose: StreamRow['purpose']) => {
    const all = rows.filter((row) => row.purpose === purpose).sort((a, b) => b.lastSeq - a.lastSeq);
    return {
      total: all.length,
      isOpen: all.some(({ id }) => id === at),
      streams: all.slice(0, FOLDED_MAX).map((row) => ({ ...shown(row), name: row.name.replace(/^(dm|Chat): /, '') })),
    };
  };
  return {
    at,
    url: `/ui/streams/side?${new URLSearchParams({ id: at })}`,
    streams: rows
      .filter(({ purpose }) => purpose === 'open' || purpose === 'notices')
      .sort(made)
      .map(shown),
    dms: folded('dm'),
    chats: folded('chat'),
    transcripts: folded('transcript'),
  };
}

/** What "all Streams" means to somebody: transcripts would drown everything else. */
export function readableStreams({ journal }: Pick<NeedsDeps, 'journal'>, visit: Visit): string[] {
  return [...journal.org.streams].flatMap(([id, { purpose }]) =>
    purpose !== 'transcript' && purpose !== 'chat' && visit.mayRead(id) ? [id] : [],
  );
}
