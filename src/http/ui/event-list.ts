// Lists of cards: newest first, older ones on demand, new ones on top by themselves.

import type { Entry } from '../../store/entries.ts';
import type { EventView } from '../../store/event-reader.ts';
import { toView } from '../../store/event-reader.ts';
import type { Queries } from '../../store/queries.ts';
import { type Card, cardOf, type Outcome } from './event-card.ts';
import { type OutcomeDeps, outcomeOf } from './event-outcome.ts';
import { findEvents, type Snippet, snippetOf } from './event-search.ts';
import { readableStreams, type StreamIndexDeps } from './stream-index.ts';
import type { Visit } from './visit.ts';

export type EventListDeps = OutcomeDeps &
  StreamIndexDeps & {
    queries: Pick<Queries, 'events' | 'eventAt' | 'search' | 'lastSeqOf'>;
    journal: { lastSeq: number };
  };

export type ShownCard = Card & { outcome: Outcome | undefined; snippet?: Snippet };

/** What a list is of; an empty id means all Streams, empty words no search. */
export type ListOf = { id: string; thread: string; words: string };

export const PAGE = 50;

const wantedOf = ({ id, thread, words }: ListOf): Record<string, string> => ({
  ...(id ? { id } : {}),
  ...(thread ? { thread } : {}),
  ...(words ? { q: words } : {}),
});

/** A page of a list. */
export function listOf(deps: EventListDeps, visit: Visit, list: ListOf, before?: number) {
  const { views, older } = list.words === '' ? recent(deps, visit, list, before) : found(deps, visit, list, before);
  const cards = views.map((view) => shownCard(deps, visit, view, list));
  const url = (path: string, more: Record<string, string>) =>
    `${path}?${new URLSearchParams({ ...wantedOf(list), ...more })}`;
  const { lastSeq } = deps.journal;
  // New ones belong on top of the newest page alone.
  const isLive = list.words === '' && before === undefined;
  return {
    cards,
    older: older === undefined ? '' : url('/ui/streams', { before: String(older) }),
    newer: isLive ? newerOf(list, lastSeq) : undefined,
    outcomes: isLive ? url('/ui/streams/outcomes', { from: String(views.at(-1)?.seq ?? lastSeq) }) : '',
    hears: list.id === '' ? '' : `, live:stream:${list.id} from:body`,
  };
}

/** The place where new cards come in. What it asks for is the same for everybody. */
function newerOf(list: ListOf, after: number) {
  return {
    url: `/ui/streams/newer?${new URLSearchParams({ ...wantedOf(list), after: String(after) })}`,
    trigger:
      list.id === '' || list.thread !== ''
        ? 'live:streams'
        : isTranscript(list.id)
          ? `live:transcript:${list.id.slice(14)}`
          : `live:stream:${list.id}`,
  };
}

const isTranscript = (id: string): boolean => id.startsWith('s-activations-');

/** What came since; more than a page of it is left out, and the page says so. */
export function newerThan(deps: EventListDeps, visit: Visit, list: ListOf, after: number) {
  const views = deps.queries.events(idsOf(deps, visit, list), { after, limit: PAGE, ...threadOf(list) });
  return { newer: newerOf(list, deps.journal.lastSeq), cards: views.map((view) => shownCard(deps, visit, view, list)) };
}

/** What came of the Events that a page shows, as far as it may have changed. */
export function outcomesSince(deps: EventListDeps, visit: Visit, list: ListOf, from: number) {
  const views = deps.queries.events(idsOf(deps, visit, list), { after: from - 1, limit: PAGE, ...threadOf(list) });
  return { outcomes: views.map((view) => ({ seq: view.seq, outcome: outcomeOf(deps, view, visit.mayRead) })) };
}

/** The card of an Event that landed in this moment, as everybody who may read it sees it; undefined for other facts. */
export function carriedCard(deps: EventListDeps, entry: Entry) {
  const view = toView(entry);
  if (!view) return undefined;
  const card = cardOf(deps.journal.org, view, { namesStream: false, isBrief: true });
  const outcome = outcomeOf(deps, view, () => false);
  return { newer: newerOf({ id: view.streamId, thread: '', words: '' }, entry.seq), cards: [{ ...card, outcome }] };
}

function shownCard(deps: EventListDeps, visit: Visit, view: EventView, { id, words }: ListOf): ShownCard {
  const card = cardOf(deps.journal.org, view, { namesStream: id === '', isBrief: true });
  const outcome = outcomeOf(deps, view, visit.mayRead);
  return words === '' ? { ...card, outcome } : { ...card, outcome, snippet: snippetOf(view, words) };
}

const idsOf = (deps: EventListDeps, visit: Visit, { id }: ListOf): string[] =>
  id === '' ? readableStreams(deps, visit) : visit.mayRead(id) ? [id] : [];

const threadOf = ({ thread }: ListOf) => (thread === '' ? {} : { thread });

function recent(deps: EventListDeps, visit: Visit, list: ListOf, before: number | undefined) {
  const range = { limit: PAGE + 1, ...(before ? { before } : {}), ...threadOf(list) };
  const views = deps.queries.events(idsOf(deps, visit, list), range);
  const shown = views.slice(0, PAGE);
  return { views: shown, older: views.length > PAGE ? shown.at(-1)?.seq : undefined };
}

function found(deps: EventListDeps, visit: Visit, { id, words }: ListOf, before: number | undefined) {
  const { views, before: older } = findEvents(deps.queries, words, {
    ...(id === '' ? {} : { stream: id }),
    ...(before ? { before } : {}),
    limit: PAGE,
    mayRead: visit.mayRead,
  });
  return { views, older };
}
