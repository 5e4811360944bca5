// The one connection of an open page.
import { afterEach, expect, test } from 'vitest';
import { createLive, type Live } from '../../src/http/ui/live.ts';
import { plain, sentence } from '../../src/http/ui/sentences.ts';
import { waitFor } from '../support/daemon.ts';
import { openTestDaemon, type TestDaemon, type TestOptions } from '../support/http.ts';

let daemon: TestDaemon;
afterEach(() => daemon.close());

type Told = { event: string; id: number; data: string };

async function open(options: TestOptions = {}) {
  daemon = await openTestDaemon(options);
  await daemon.hire('w-ann', { kind: 'human' });
  await daemon.call('create_stream', { id: 's-desk', name: 'Desk' });
  await daemon.call('create_stream', { id: 's-secret', name: 'Secret', private: true });
}

/** A page that listens, and what it was told. */
async function listen(
  topics: string,
  { workerId = 'w-owner', since = daemon.core.journal.lastSeq, lastEventId = '' } = {},
) {
  const { token, id } = daemon.core.tokens.create({ workerId, kind: 'session', label: 'test' });
  const abort = new AbortController();
  const response = await fetch(`${daemon.url}/ui/live?topics=${topics}&since=${since}`, {
    headers: { cookie: `helix_session=${token}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
    signal: abort.signal,
  });
  let text = '';
  let ended = false;
  void (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })()
    .catch(() => {})
    .finally(() => {
      ended = true;
    });
  const told = (): Told[] =>
    text.split('\n\n').flatMap((block) => {
      const field = (name: string) =>
        block.split('\n').flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
      return field('data').length > 0
        ? [{ event: field('event')[0] ?? '', id: Number(field('id')[0]), data: field('data').join('\n') }]
        : [];
    });
  return {
    told,
    topics: () => told().map(({ event }) => event),
    text: () => text,
    ended: () => ended,
    close: () => abort.abort(),
    sessionId: id,
    headers: response.headers,
  };
}

test('UI bug 6: is a stream of its own kind that says at once that it is there', async () => {
  await open();
  const page = await listen('org');
  expect(page.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(page.headers.get('cache-control')).toBe('no-store');
  await waitFor('it speaks', () => page.text().startsWith(': connected'));
  page.close();
});

test('tells which topics changed, each once for what came together, under the newest seq', async () => {
  await open();
  const page = await listen('org,journal,frame');
  await daemon.hire('w-bob');
  await waitFor('it tells', () => page.told().at(-1)?.id === daemon.core.journal.lastSeq);
  expect(new Set(page.topics())).toEqual(new Set(['live:org', 'live:journal']));
  expect(page.told().length).toBeLessThanOrEqual(4);
  await daemon.call('pause_org');
  await waitFor('it tells of the pause', () => page.topics().includes('live:frame'));
  page.close();
});

test('nothing that is not asked for is told, and nobody hears of what they may not read', async () => {
  await open();
  const owner = await listen('stream:s-secret');
  const ann = await listen('stream:s-secret,stream:s-desk', { workerId: 'w-ann' });
  await daemon.call('publish', { streamId: 's-secret', body: 'between us' });
  await waitFor('the owner is brought it', () => owner.text().includes('between us'));
  await daemon.call('publish', { streamId: 's-desk', body: 'to all' });
  await waitFor('Ann is brought the other', () => ann.text().includes('to all'));
  await daemon.call('update_stream', { streamId: 's-secret', description: 'ours' });
  await daemon.call('update_stream', { streamId: 's-desk', description: 'of all' });
  await waitFor('Ann hears of the change', () => ann.topics().includes('live:stream:s-desk'));
  expect(new Set(ann.topics())).toEqual(new Set(['', 'live:stream:s-desk']));
  expect(ann.text()).not.toContain('between us');
  owner.close();
  ann.close();
});

test('who was away is told what changed meanwhile, by Last-Event-ID before since', async () => {
  await open();
  const since = daemon.core.journal.lastSeq;
  await daemon.call('create_role', { id: 'r-new', content: 'x' });
  const between = daemon.core.journal.lastSeq;
  const away = await listen('org,journal', { since });
  await waitFor('it is told', () => away.topics().length === 2);
  const back = await listen('org,journal', { since, lastEventId: String(between) });
  await daemon.call('publish', { streamId: 's-desk', body: 'x' });
  await waitFor('it is told', () => back.topics().includes('live:journal'));
  expect(back.topics()).toEqual(['live:journal']);
  const long = await listen('org,streams', { since: 0 });
  await waitFor('everything may have changed', () => long.topics().length === 2);
  for (const page of [away, back, long]) page.close();
});

test('A8: comments keep a quiet connection open, which ends with its session and with the daemon', async () => {
  await open({ keepAliveMs: 20 });
  const page = await listen('org');
  await waitFor('comments came', () => page.text().split(': keep-alive').length > 3);
  daemon.core.tokens.revoke(page.sessionId);
  await waitFor('it ended', () => page.ended());
  const other = await listen('org');
  const closed = daemon.app.close();
  await waitFor('it ended', () => other.ended());
  await closed;
  await open();
});

test('UI bug 3: HTML that is brought along keeps its lines, comes once to each page, and only to those who may read it', async () => {
  await open();
  let live: Live | undefined;
  let rendered = 0;
  const { journal, queries } = daemon.core;
  live = createLive({ auth: { session: () => undefined } as never, journal, queries });
  live.carry('stream', (entry) => {
    rendered += 1;
    return `<hx-partial hx-target="#events"><pre>line 1\n\nline ${entry.seq}</pre></hx-partial>`;
  });
  const written: string[] = [];
  const page = (mayRead: boolean) => ({
    visit: {
      param: (name: string) => ({ topics: 'stream:s-desk', since: '999999' })[name] ?? '',
      mayRead: () => mayRead,
      request: { headers: {} },
      credential: { id: '' },
    },
    reply: {
      hijack() {},
      getHeaders: () => ({}),
      raw: {
        writeHead() {},
        write: (text: string) => written.push(text),
        on() {},
        writableEnded: false,
        destroyed: false,
        end() {},
      },
    },
  });
  for (const mayRead of [true, true, false]) {
    const { visit, reply } = page(mayRead);
    live.connect(visit as never, reply as never);
  }
  written.length = 0;
  await daemon.call('publish', { streamId: 's-desk', body: 'x' });
  const seq = journal.lastSeq;
  expect(written).toEqual(
    Array(2).fill(
      `id: ${seq}\ndata: <hx-partial hx-target="#events"><pre>line 1\ndata: \ndata: line ${seq}</pre></hx-partial>\n\n`,
    ),
  );
  expect(rendered).toBe(1);
  live.close();
});

test('every kind of fact has its sentence', async () => {
  await open();
  const said: string[] = [];
  daemon.core.journal.onCommit((entries) => {
    for (const entry of entries) said.push(plain(sentence(entry)));
  });
  await daemon.hire('w-bob', { grants: ['publish'] });
  await daemon.call('update_role', { roleId: 'r-bob', content: 'x' });
  await daemon.call('update_identity', { workerId: 'w-bob', content: 'x' });
  await daemon.call('move_worker', { workerId: 'w-bob', positions: ['p-bob', 'p-ann'] });
  await daemon.call('pause_worker', { workerId: 'w-bob' });
  await daemon.call('invite_workers', { streamId: 's-desk', workerIds: ['w-bob'] });
  await daemon.call('publish', { streamId: 's-desk', body: 'x' });
  await daemon.call('fire_worker', { workerId: 'w-bob' });
  expect(said).toEqual([
    'w-owner wrote the Role r-bob',
    'w-owner made the Position p-bob for r-bob below p-root',
    'w-owner hired w-bob (AI) into p-bob',
    'w-owner gave w-bob the tool publish',
    'w-owner opened the transcript s-activations-w-bob',
    'w-owner listens to s-activations-w-bob',
    'w-owner rewrote the Role r-bob',
    'w-owner rewrote who w-bob is',
    'w-owner moved w-bob to p-bob and p-ann',
    'w-owner paused w-bob',
    'w-owner let w-bob listen to s-desk',
    'w-owner published on s-desk',
    'w-owner ended that w-bob listens to s-desk',
    'w-owner took the tool publish from w-bob',
    'w-owner fired w-bob',
  ]);
});
