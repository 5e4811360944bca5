// One open page. Topics are marked when they change and told at once, then again after a pause at the earliest; what comes
// in between is told together. A page that takes nothing is told nothing until it does, so nothing piles up in memory.
import type { ServerResponse } from 'node:http';
import type { Topic } from './live-topics.ts';

export type LiveClient = {
  /** @param seq of the newest entry that is part of it */
  mark(changed: ReadonlySet<Topic>, seq: number): void;
  /** Sends HTML at once; when the page is behind, it is told that the topic changed instead. */
  bring(topic: Topic, html: string, seq: number): void;
  /** Whether the page listens to a topic. */
  wants(topic: Topic): boolean;
  comment(text: string): void;
  end(): void;
};

const PAUSE_MS = 500;
/** Longest a page may take nothing. */
const PATIENCE_MS = 30_000;

/** The response's head must have been written. @param mayHear asked anew each time */
export function createLiveClient(
  response: ServerResponse,
  topics: readonly Topic[],
  mayHear: (topic: Topic) => boolean,
): LiveClient {
  const wanted = new Set(topics);
  const changed = new Set<Topic>();
  let newest = 0;
  let pause: NodeJS.Timeout | undefined;
  let stuck: NodeJS.Timeout | undefined;

  const isOpen = () => !response.writableEnded && !response.destroyed;

  function flush(): void {
    if (changed.size === 0 || !isOpen() || stuck) return;
    for (const topic of changed) {
      if (mayHear(topic)) response.write(`event: live:${topic}\nid: ${newest}\ndata: ${newest}\n\n`);
    }
    changed.clear();
    pause = setTimeout(() => {
      pause = undefined;
      flush();
    }, PAUSE_MS);
    waitIfFull();
  }

  function waitIfFull(): void {
    if (!response.writableNeedDrain || stuck) return;
    stuck = setTimeout(() => response.destroy(), PATIENCE_MS);
    response.once('drain', () => {
      clearTimeout(stuck);
      stuck = undefined;
      flush();
    });
  }

  return {
    mark(topicsNow, seq) {
      for (const topic of wanted) if (topicsNow.has(topic)) changed.add(topic);
      if (changed.size === 0) return;
      newest = seq;
      if (!pause) flush();
    },
    bring(topic, html, seq) {
      if (!wanted.has(topic) || !isOpen() || !mayHear(topic)) return;
      if (stuck) return void changed.add(topic);
      response.write(`id: ${seq}\n${html.replace(/^/gm, 'data: ')}\n\n`);
      waitIfFull();
    },
    wants: (topic) => wanted.has(topic),
    comment(text) {
      if (isOpen() && !stuck) response.write(`: ${text}\n\n`);
    },
    end() {
      clearTimeout(pause);
      clearTimeout(stuck);
      if (isOpen()) response.end();
    },
  };
}
