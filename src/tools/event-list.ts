// What the reading tools share: paging by event id, waiting, and the shape of an Event in a result.
import { invalid } from '../domain/errors.ts';
import { mayRead } from '../domain/may-read.ts';
import type { EventView } from '../store/event-reader.ts';
import type { ToolContext } from './define-tool.ts';
import { reportWait } from './report-wait.ts';
import { WAIT_MAX_SECONDS } from './waits.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;

export type Page = {
  limit?: number | undefined;
  /** Event id; only newer ones are returned. */
  since?: string | undefined;
  /** Seconds to wait for something new. */
  wait?: number | undefined;
  thread?: string | undefined;
  /** Words that all occur in the Message. */
  search?: string | undefined;
};

/** The newest Events of the Streams after `since`; with `wait`, as soon as there are any. Newest first. */
export async function readPage({ queries, waits, caller, journal }: ToolContext, streamIds: string[], page: Page) {
  const limit = clampLimit(page.limit);
  const after = page.since === undefined ? 0 : seqOf(queries, page.since);
  const waitSeconds = Math.min(Math.max(page.wait ?? 0, 0), WAIT_MAX_SECONDS);
  const { thread, search } = page;
  const read = () => {
    // Asked at each look: who may read can change during a wait.
    const readable = streamIds.filter((id) => mayRead(journal.org, caller.workerId, id));
    const question = JSON.stringify([readable, after, limit, thread, search]);
    return waits.together(question, () => {
      const events =
        search === undefined
          ? queries.events(readable, { after, limit: limit + 1, ...(thread === undefined ? {} : { thread }) })
          : found(queries, readable, search, { after, limit: limit + 1, thread });
      // Who pages by `since` must know that older new ones were left out.
      const more = after > 0 && events.length > limit;
      return { events: events.slice(0, limit).map(show), ...(more ? { more } : {}) };
    });
  };
  const deadline = Date.now() + waitSeconds * 1_000;
  const report = reportWait(caller, 'Waiting for something new.', waitSeconds);
  try {
    return await newPage();
  } finally {
    report.end();
  }

  async function newPage() {
    for (;;) {
      const left = deadline - Date.now();
      // Listening begins before the look, so that nothing that lands in between is missed.
      const waiter = left > 0 ? waits.on(streamIds, left, caller.signal) : undefined;
      const seen = read();
      if (seen.events.length > 0 || !waiter || caller.signal?.aborted || waits.released) {
        waiter?.cancel();
        return seen;
      }
      report.begin();
      await waiter.woken;
    }
  }
}

/** Events of these Streams that hold all the words, newest first. */
function found(
  queries: ToolContext['queries'],
  streamIds: string[],
  words: string,
  { after, limit, thread }: { after: number; limit: number; thread: string | undefined },
): EventView[] {
  const wanted = new Set(streamIds);
  const only = streamIds.length === 1 && streamIds[0] !== undefined ? { stream: streamIds[0] } : {};
  const views: EventView[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; views.length < limit; ) {
    const seqs = queries.search.find(words, { ...only, before, after, limit: LIMIT_MAX });
    for (const seq of seqs) {
      const view = queries.eventAt(seq);
      const fits = view && wanted.has(view.streamId) && (thread === undefined || view.message?.thread_id === thread);
      if (fits && views.length < limit) views.push(view);
    }
    if (seqs.length < LIMIT_MAX) break;
    before = seqs.at(-1) ?? 0;
  }
  return views;
}

export function clampLimit(limit: number | undefined): number {
  return limit === undefined || limit <= 0 ? LIMIT_DEFAULT : Math.min(limit, LIMIT_MAX);
}

function seqOf(queries: ToolContext['queries'], since: string): number {
  const event = queries.event(since);
  if (!event)
    throw invalid(`since: there is no Event ${since}. Give the id of an Event you have read, or leave it out.`);
  return event.seq;
}

/** An Event as the tools show it. */
export function show({ seq: _, ...view }: EventView): Omit<EventView, 'seq'> {
  return view;
}
