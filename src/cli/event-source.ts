// A client for our own Server-Sent Events (WHATWG HTML §9.2): yields each event's id and data, and comes back where it left off.
import { invalid, OrgError } from '../domain/errors.ts';

export type FeedItem = { id: string; data: string };

export type FeedOptions = {
  /** A function is asked at each connection: a daemon may come back elsewhere. */
  url: string | (() => string);
  token: string;
  /** seq to begin after; without it, only what is new. */
  since?: string;
  signal: AbortSignal;
  /** Told each time the connection is lost. */
  onLost?: () => void;
};

const RETRY_MS = 300;

/** Ends only when the signal aborts. @throws OrgError in the server's words when it refuses the request as such (4xx) */
export async function* readFeed({ url, token, since, signal, onLost }: FeedOptions): AsyncGenerator<FeedItem> {
  let last = since;
  while (!signal.aborted) {
    try {
      for await (const item of connection(typeof url === 'string' ? url : url(), token, last, signal)) {
        last = item.id === '' ? last : item.id;
        yield item;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof OrgError) throw error;
    }
    if (signal.aborted) return;
    onLost?.();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function* connection(
  url: string,
  token: string,
  last: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<FeedItem> {
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: 'text/event-stream',
    ...(last ? { 'Last-Event-ID': last } : {}),
  };
  const response = await fetch(url, { headers, signal });
  if (response.status >= 400 && response.status < 500) throw invalid((await response.text()).trim());
  if (!response.ok || !response.body) throw new Error(`the feed answered ${response.status}`);
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const item = parse(block);
      if (item) yield item;
    }
  }
}

function parse(block: string): FeedItem | undefined {
  let id = '';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('id:')) id = line.slice(3).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return data.length > 0 ? { id, data: data.join('\n') } : undefined;
}
