// /ui/streams: what needs somebody, what was said last, how transports are doing; and one Stream with everything about it.
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import type { Settings } from '../../store/settings.ts';
import type { ToolDoor } from '../../tools/call-tool.ts';
import type { TransportInfo } from '../../tools/define-tool.ts';
import { carriedCard, type ListOf, listOf, newerThan, outcomesSince } from './event-list.ts';
import type { FrameDeps } from './frame.ts';
import type { Ui, View } from './kit.ts';
import type { Live } from './live.ts';
import { clip } from './shown.ts';
import { settingsOf, streamForms, streamHead } from './stream-detail.ts';
import { streamFormRoutes } from './stream-forms.ts';
import { streamIndex } from './stream-index.ts';
import { needsOf } from './stream-needs.ts';
import { healthOfAll } from './transport-health.ts';
import type { Visit } from './visit.ts';

export type StreamsPageDeps = FrameDeps & {
  journal: Journal;
  queries: Queries;
  settings: Pick<Settings, 'secret'>;
  door: ToolDoor;
  transportInfos: ReadonlyMap<string, TransportInfo>;
  stateOf(workerId: string): string;
};

export function streamsPages(ui: Ui, deps: StreamsPageDeps, live: Live): void {
  live.carry('stream', (entry) => {
    const carried = carriedCard(deps, entry);
    return (
      carried &&
      `<hx-partial hx-target="#newer" hx-swap="outerHTML">${ui.pages.render('cards-newer', carried)}</hx-partial>`
    );
  });

  ui.page('/streams', (visit) => streamsView(deps, visit));
  ui.page('/streams/side', (visit) => ({ ...streamsView(deps, visit), partial: 'streams-side' }));
  ui.page('/streams/now', (visit) => ({ ...streamsView(deps, visit), partial: 'streams-now' }));
  ui.page('/streams/head', (visit) => {
    const view = streamsView(deps, visit);
    // The Stream may have become somebody else's since the page was opened.
    return (view.data as { head?: unknown }).head === undefined ? view : { ...view, partial: 'stream-head' };
  });
  ui.page('/streams/newer', (visit) => {
    const data = newerThan(deps, visit, chosen(visit), Number(visit.param('after')) || deps.journal.lastSeq);
    return visit.isFragment ? part('cards-newer', data) : streamsView(deps, visit);
  });
  ui.page('/streams/outcomes', (visit) => {
    const data = outcomesSince(deps, visit, chosen(visit), Number(visit.param('from')) || deps.journal.lastSeq);
    return visit.isFragment ? part('outcomes', data) : streamsView(deps, visit);
  });
  streamFormRoutes(ui, deps);
}

const part = (partial: string, data: object): View => ({ title: 'Streams', page: 'streams', partial, data });

const chosen = (visit: Visit): ListOf => ({
  id: visit.param('id'),
  thread: visit.param('thread'),
  words: visit.param('q').trim().slice(0, 500),
});

function streamsView(deps: StreamsPageDeps, visit: Visit): View {
  const wanted = chosen(visit);
  const row = wanted.id === '' ? undefined : deps.queries.stream(wanted.id);
  const isThere = row !== undefined && visit.mayRead(row.id);
  // Whoever may not read a Stream is not told that it exists.
  const problem =
    wanted.id === '' || isThere
      ? ''
      : `There is no Stream ${clip(wanted.id, 80)} that you may read. Choose one from the list.`;
  const list = isThere ? wanted : { ...wanted, id: '', thread: '' };
  const before = Number(visit.param('before')) || undefined;
  const id = isThere ? row.id : '';
  const common = {
    problem,
    list,
    side: streamIndex(deps, visit, id),
    ...listOf(deps, visit, list, before),
    isOlder: before !== undefined,
    now: {
      ...needsOf(deps, visit, isThere ? id : undefined),
      id,
      url: `/ui/streams/now?${new URLSearchParams({ id })}`,
    },
  };
  const isTranscript = row?.purpose === 'transcript';
  const hears = id === '' ? [] : [isTranscript ? `transcript:${id.slice('s-activations-'.length)}` : `stream:${id}`];
  const topics = [
    'streams',
    'activations',
    'attention',
    'org',
    ...(list.words === '' && list.thread === '' && before === undefined ? hears : []),
  ];
  if (!isThere)
    return {
      title: 'Streams',
      section: 'streams',
      page: 'streams',
      partial: before === undefined ? 'streams-now' : 'cards',
      topics,
      data: {
        ...common,
        health: healthOfAll(deps, visit),
        fresh: visit.holds('create_stream') ? settingsOf(deps) : undefined,
        head: undefined,
      },
    };
  return {
    title: row.name,
    section: 'streams',
    page: 'streams',
    partial: before === undefined ? 'stream-head' : 'cards',
    topics,
    data: {
      ...common,
      health: [],
      fresh: undefined,
      head: streamHead(deps, visit, row),
      forms: streamForms(deps, visit, row, visit.param('answer')),
    },
  };
}
