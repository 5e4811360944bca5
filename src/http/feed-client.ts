// One reader of the feed. It is `catching up` (reading the journal in windows after its cursor, as fast as it takes them) or
// `live` (written to by each commit). It turns live in the same turn in which it found nothing left to read, so that no Event
// falls in between and none comes twice; it goes back to catching up when too much waits for it in memory. One that takes
// nothing for a while is let go; it resumes with Last-Event-ID.
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EventView, toView } from '../store/event-reader.ts';
import type { Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import type { Log } from './refusal.ts';

export type FeedClientDeps = {
  journal: Pick<Journal, 'lastSeq'>;
  queries: Pick<Queries, 'entriesAfter' | 'eventAt'>;
  log: Log;
};

export type FeedOptions = {
  /** seq to begin after. */
  after: number;
  /** Lines of transcripts as well as Events. */
  transcripts: boolean;
  /** Asked anew for each Event. */
  wants(streamId: string): boolean;
};

export type FeedClient = {
  readonly transcripts: boolean;
  /** Something landed: to be called for each Event and line, in order, in the turn of its commit. */
  offer(view: EventView, frame: string): void;
  comment(text: string): void;
  end(reason: string): void;
};

/** What may wait in memory for a live client before it has to catch up instead. */
const BUFFER_BYTES_MAX = 262_144;
/** Longest a client may take nothing of what waits for it. */
const PATIENCE_MS = 30_000;
/** Entries read at once; each may hold a body of a megabyte. */
const WINDOW = 32;

/** Begins to send at once; the response's head must have been written. */
export function createFeedClient(response: ServerResponse, options: FeedOptions, deps: FeedClientDeps): FeedClient {
  const { journal, queries, log } = deps;
  const { transcripts, wants } = options;
  let cursor = options.after;
  let live = false;

  const isOpen = () => !response.writableEnded && !response.destroyed;
  const mayGoOn = async () => !response.writableNeedDrain || (await drained(response));

  function send(view: EventView, frame: string): void {
    cursor = view.seq;
    if (isOpen() && wants(view.streamId)) response.write(frame);
  }

  async function catchUp(): Promise<void> {
    while (isOpen()) {
      if (!(await mayGoOn())) return letGo();
      if (cursor >= journal.lastSeq) {
        live = true;
        return;
      }
      const { views, through } = readWindow();
      for (const view of views) {
        if (!(await mayGoOn())) return letGo();
        send(view, toFrame(view));
      }
      cursor = through;
      await nextTurn();
    }
  }

  /** The next Events after the cursor, oldest first, and the seq up to which they are all. */
  function readWindow(): { views: EventView[]; through: number } {
    const { lastSeq } = journal;
    if (!transcripts) {
      const entries = queries.entriesAfter(cursor, WINDOW);
      const through = entries.length === WINDOW ? (entries.at(-1)?.seq ?? lastSeq) : lastSeq;
      return { views: entries.flatMap((entry) => toView(entry) ?? []), through };
    }
    // Lines and Events share the numbers, so both are found by them.
    const through = Math.min(lastSeq, cursor + WINDOW);
    const seqs = Array.from({ length: through - cursor }, (_, index) => cursor + 1 + index);
    return { views: seqs.flatMap((seq) => queries.eventAt(seq) ?? []), through };
  }

  function follow(): void {
    catchUp().catch((error: unknown) => {
      log.error({ err: error }, 'a feed broke off');
      response.destroy();
    });
  }

  function letGo(): void {
    response.end(': too slow; come back with Last-Event-ID\n\n');
    setTimeout(() => response.destroy(), 1_000).unref();
  }

  follow();
  return {
    transcripts,
    offer(view, frame) {
      if (!live) return;
      send(view, frame);
      if (response.writableLength <= BUFFER_BYTES_MAX) return;
      live = false;
      follow();
    },
    comment(text) {
      if (isOpen() && !response.writableNeedDrain) response.write(`: ${text}\n\n`);
    },
    end(reason) {
      if (isOpen()) response.end(`: ${reason}\n\n`);
    },
  };
}

/** One Event on the wire. JSON holds no line breaks, so it is one line of data. */
export function toFrame({ seq, id, streamId, source, body, createdAt, message, redacted }: EventView): string {
  const subject = message?.subject === undefined ? {} : { subject: message.subject };
  const erased = redacted ? { redacted } : {};
  const data = JSON.stringify({ seq, id, streamId, source, body, createdAt, ...subject, ...erased });
  return `id: ${seq}\ndata: ${data}\n\n`;
}

/** @returns false when the client took too little for too long */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isDrained: boolean) => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onDrain);
      resolve(isDrained);
    };
    const onDrain = () => settle(true);
    const timer = setTimeout(settle, PATIENCE_MS, false);
    response.on('drain', onDrain);
    response.on('close', onDrain);
  });
}
