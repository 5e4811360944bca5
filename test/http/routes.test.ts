// Every route there is, and who may reach it: a route that is not in the table fails.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/main.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

type Row = {
  url: string;
  /** What each method that it has answers at home to someone without a credential; every other method gets 405. */
  answers: Record<string, number>;
  /** What differs for another Worker's token that holds. */
  other?: Record<string, number>;
  /** Whether it answers under the public host, and under any host at all. */
  reach: 'home' | 'inbound' | 'anywhere';
};

const ROUTES: Record<string, Row> = {
  '/': { url: '/', answers: { GET: 302 }, reach: 'home' },
  '/healthz': { url: '/healthz', answers: { GET: 200 }, reach: 'anywhere' },
  '/readyz': { url: '/readyz', answers: { GET: 200 }, reach: 'anywhere' },
  '/metrics': { url: '/metrics', answers: { GET: 401 }, other: { GET: 403 }, reach: 'home' },
  '/webhooks/:stream': { url: '/webhooks/s-in', answers: { POST: 200 }, reach: 'inbound' },
  '/email/postmark': { url: '/email/postmark', answers: { POST: 503 }, reach: 'inbound' },
  '/github/webhook': { url: '/github/webhook', answers: { POST: 503 }, reach: 'inbound' },
  '/workers/:id/mcp': {
    url: '/workers/w-owner/mcp',
    answers: { GET: 401, POST: 401, PUT: 401, PATCH: 401, DELETE: 401, OPTIONS: 401 },
    other: { GET: 403, POST: 403, PUT: 403, PATCH: 403, DELETE: 403, OPTIONS: 403 },
    reach: 'home',
  },
  '/events': { url: '/events', answers: { GET: 401 }, other: { GET: 200 }, reach: 'home' },
  '/control/:command': { url: '/control/stop', answers: { POST: 401 }, other: { POST: 403 }, reach: 'home' },
  '/login': { url: '/login', answers: { GET: 200, POST: 403 }, reach: 'home' },
  '/logout': { url: '/logout', answers: { POST: 403 }, reach: 'home' },
  '/ui': { url: '/ui', answers: { GET: 401 }, reach: 'home' },
  '/ui/': { url: '/ui/', answers: { GET: 401 }, reach: 'home' },
  ...pages(
    ['log', 'caused', 'recents', 'commands'].map((name) => `/ui/chat/${name}`),
    { GET: 401 },
  ),
  ...pages(
    ['send', 'stop', 'new', 'open', 'adopt'].map((name) => `/ui/chat/${name}`),
    { POST: 403 },
  ),
  ...pages(['/ui/activations', '/ui/activations/silent', '/ui/activations/:id'], { GET: 401 }),
  ...pages(['/ui/activations/:id/state', '/ui/activations/:id/lines', '/ui/attention'], { GET: 401 }),
  ...pages(['/ui/attention/all'], { POST: 403 }),
  ...pages(['/ui/live', '/ui/frame', '/ui/journal', '/ui/settings'], { GET: 401 }),
  ...pages(['/ui/org', '/ui/org/chart', '/ui/org/now', '/ui/org/start', '/ui/org/positions/:id'], { GET: 401 }),
  ...pages(['/ui/org/workers/:id', '/ui/org/workers/:id/now', '/ui/org/workers/:id/history'], { GET: 401 }),
  ...pages(['/ui/org/roles/:id', '/ui/org/roles/:id/history'], { GET: 401 }),
  ...pages(
    ['', '/side', '/now', '/head', '/newer', '/outcomes'].map((name) => `/ui/streams${name}`),
    { GET: 401 },
  ),
  ...pages(
    ['publish', 'save', 'preview'].map((name) => `/ui/streams/${name}`),
    { POST: 403 },
  ),
  ...pages(['/ui/events/:id', '/ui/events/:id/files/:part'], { GET: 401 }),
  ...pages(['/ui/do/:tool', '/ui/preview', '/ui/starters/:id', '/ui/journal/verify'], { POST: 403 }),
  ...pages(['/ui/org/roles/:id/restore', '/ui/org/workers/:id/restore'], { POST: 403 }),
  ...pages(
    ['set', 'reset', 'token', 'login-link', 'revoke', 'theme'].map((name) => `/ui/settings/${name}`),
    { POST: 403 },
  ),
  '/static/icon.svg': { url: '/static/icon.svg', answers: { GET: 200 }, reach: 'home' },
  ...Object.fromEntries(
    ['style.css', 'app.js'].map((file) => [
      `/static/${file}`,
      { url: `/static/${file}`, answers: { GET: 200 }, reach: 'home' },
    ]),
  ),
};

/** Pages and forms: for people who are signed in, at home. */
function pages(paths: string[], answers: Record<string, number>): Record<string, Row> {
  return Object.fromEntries(paths.map((path) => [path, { url: path.replace(/:\w+/g, 'x'), answers, reach: 'home' }]));
}
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const PUBLIC = 'hooks.example';
const HOME_HOSTS = [
  'localhost',
  'LOCALHOST:1',
  'localhost.',
  '127.0.0.1:8080',
  '127.9.9.9',
  '[::1]:8080',
  '[::1]',
  'box.local',
  'box.local:8080',
];
const FOREIGN_HOSTS = [
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '128.0.0.1',
  '10.0.0.1',
  '[::2]',
  'user@localhost',
  'localhost:x',
  'localhost/',
  '0.0.0.0',
];
const FOREIGN_ORIGINS = [
  'https://evil.example',
  'null',
  'http://localhost.evil.example',
  'file://localhost',
  'http://localhost@evil.example',
  'http://',
  'x',
];
const rows = Object.entries(ROUTES);

let daemon: TestDaemon;
/** Credentials that prove nothing any more, and one of a Worker who holds no tool. */
let tokens: { expired: string; revoked: string; other: string; session: string };
beforeAll(async () => {
  daemon = await openTestDaemon({ publicHost: () => `${PUBLIC}:443`, allowedHosts: () => ['box.local'] });
  await daemon.call('create_stream', { id: 's-in', name: 'In', transport: 'webhook' });
  await daemon.hire('w-other');
  const { tokens: kept } = daemon.core;
  const ended = kept.create({ workerId: 'w-owner', label: 'revoked' });
  kept.revoke(ended.id);
  tokens = {
    expired: kept.create({ workerId: 'w-owner', label: 'expired', lifetimeMs: -1 }).token,
    revoked: ended.token,
    other: daemon.token('w-other'),
    session: kept.create({ workerId: 'w-owner', label: 'old', kind: 'session', lifetimeMs: -1 }).token,
  };
});
afterAll(() => daemon.close());

type Method = (typeof METHODS)[number];
const ask = (url: string, method: string, headers: Record<string, string> = {}) =>
  daemon.app.inject({
    method: method as Method,
    url,
    headers: { host: 'localhost:8080', ...headers },
    ...(method === 'POST' ? { payload: 'x' } : {}),
  });

/** Full paths, from Fastify's drawing of its routes. */
function registered(): string[] {
  const above: string[] = [];
  return daemon.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const match = /^([│├└─ ]*)(\S*)( \(.+\))?$/.exec(line);
      if (!match?.[2]) return [];
      const depth = (match[1] ?? '').length / 4;
      const path = (above[depth - 1] ?? '') + match[2];
      above[depth] = path;
      return match[3] ? [path] : [];
    });
}

test('every route has a row in the table', () => {
  expect(registered().sort()).toEqual(Object.keys(ROUTES).sort());
});

describe.each(rows)('%s', (_path, { url, answers, other = {}, reach }) => {
  test('answers its methods, and 405 with Allow to the others', async () => {
    for (const method of METHODS) {
      const { statusCode, headers } = await ask(url, method);
      expect([method, statusCode]).toEqual([method, answers[method] ?? 405]);
      if (statusCode === 405)
        expect(
          String(headers.allow)
            .replace(/, HEAD$/, '')
            .split(', '),
        ).toEqual(Object.keys(answers));
    }
  });

  test('takes no credential that has ended for one', async () => {
    const stale = [
      ...[tokens.expired, tokens.revoked, tokens.session, 'hxo_', ''].map((token) => ({
        authorization: `Bearer ${token}`,
      })),
      ...[tokens.session, tokens.expired, tokens.other].map((token) => ({ cookie: `helix_session=${token}` })),
    ];
    for (const headers of stale) {
      for (const [method, status] of Object.entries(answers))
        expect([method, headers, (await ask(url, method, headers)).statusCode]).toEqual([method, headers, status]);
    }
  });

  test("gives another Worker's token what is that Worker's own, and no more", async () => {
    for (const [method, status] of Object.entries({ ...answers, ...other })) {
      const headers = { authorization: `Bearer ${tokens.other}` };
      // What is a stream answers to HEAD as it does to GET, and ends.
      const { statusCode } = await ask(url, status === 200 && other.GET ? 'HEAD' : method, headers);
      expect([method, statusCode]).toEqual([method, status]);
    }
  });

  test('tells browsers not to guess, frame, run or report anything', async () => {
    const { headers } = await ask(url, Object.keys(answers)[0] ?? 'GET');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    expect(headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/);
  });

  const refusedUnless = (reaches: Row['reach'][]) => (reaches.includes(reach) ? 'served' : 'refused');

  async function verdict(headers: Record<string, string>): Promise<string> {
    const verdicts = new Set<string>();
    for (const [method, status] of Object.entries(answers)) {
      // A form's own check comes after the one for all routes and refuses with another sentence.
      const { statusCode, body } = await ask(url, method, headers);
      const isRefused = statusCode === 403 && !body.includes('This form was not sent by a page');
      verdicts.add(isRefused ? 'refused' : statusCode === status ? 'served' : `${method} ${statusCode}`);
    }
    return [...verdicts].join();
  }

  test('is served under the names of this machine and those allowed', async () => {
    for (const host of HOME_HOSTS) expect([host, await verdict({ host })]).toEqual([host, 'served']);
  });

  test('under any other host is served only if it is a probe', async () => {
    for (const host of FOREIGN_HOSTS)
      expect([host, await verdict({ host })]).toEqual([host, refusedUnless(['anywhere'])]);
  });

  test('A49: under the public host is served only if it takes deliveries', async () => {
    for (const host of [PUBLIC, `${PUBLIC}:443`, PUBLIC.toUpperCase()])
      expect(await verdict({ host })).toBe(refusedUnless(['anywhere', 'inbound']));
  });

  test('for a page of this machine is served', async () => {
    for (const origin of ['http://localhost:1', 'http://127.0.0.1', 'https://box.local'])
      expect(await verdict({ origin })).toBe('served');
  });

  test('for a page of anywhere else is served only if it is a probe', async () => {
    for (const origin of FOREIGN_ORIGINS)
      expect([origin, await verdict({ origin })]).toEqual([origin, refusedUnless(['anywhere'])]);
  });

  test('for a page of the public host is served only if it takes deliveries', async () => {
    expect(await verdict({ origin: `https://${PUBLIC}` })).toBe(refusedUnless(['anywhere', 'inbound']));
  });
});

test('a refused host is told what to do about it', async () => {
  const { statusCode, body, headers } = await ask('/ui', 'GET', { host: 'evil.example' });
  expect([statusCode, headers['content-type']]).toEqual([403, 'text/plain; charset=utf-8']);
  expect(body).toContain('does not answer to the host "evil.example"; use localhost, or start it with --allow-host');
});

test('a request of old that names no host is refused', async () => {
  const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1');
  socket.end('GET /ui HTTP/1.0\r\n\r\n');
  const answer = Buffer.concat(await socket.toArray()).toString();
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
});

test('a path that nothing is at gets 404 in one sentence, whatever is sent there', async () => {
  for (const url of [
    '/nope',
    '/webhooks',
    '/workers/w-owner',
    '/static/../package.json',
    '/static/%2e%2e/pages/login.eta',
  ]) {
    const { statusCode, body, headers } = await ask(url, 'GET');
    expect([url, statusCode, headers['content-type']]).toEqual([url, 404, 'text/plain; charset=utf-8']);
    expect(body).toMatch(/^There is nothing at \S+\.\n$/);
  }
  const posted = await daemon.app.inject({
    method: 'POST',
    url: '/nope',
    headers: { host: 'localhost', 'content-type': 'text/xml' },
    payload: '<x/>',
  });
  expect(posted.statusCode).toBe(404);
  expect((await ask('/nope', 'GET', { host: 'evil.example' })).statusCode).toBe(403);
});

test('a URL that is none gets 400', async () => {
  expect((await ask('/webhooks/%zz', 'GET')).statusCode).toBe(400);
});

test('a failure of ours is answered with a reference, logged once, and says nothing else', async () => {
  const broken = await openTestDaemon({
    isStopping: () => {
      throw new Error('secret detail');
    },
  });
  const { statusCode, body } = await broken.app.inject({ url: '/readyz' });
  expect(statusCode).toBe(500);
  expect(body).toMatch(/^Internal error \(ref [0-9a-f]{8}\); the daemon's log says more\.\n$/);
  const reference = /ref (\w+)/.exec(body)?.[1];
  expect(broken.logged).toEqual([
    ['a request failed', expect.objectContaining({ reference, route: '/readyz', method: 'GET' })],
  ]);
  await broken.close();
});

test('the readiness probe says when the daemon stops; the health probe goes on', async () => {
  const stopping = await openTestDaemon({ isStopping: () => true });
  expect((await stopping.app.inject({ url: '/readyz' })).statusCode).toBe(503);
  expect((await stopping.app.inject({ url: '/healthz' })).statusCode).toBe(200);
  await stopping.close();
});

test('with the pages opened to the public host, everything answers there', async () => {
  const open = await openTestDaemon({ publicHost: () => PUBLIC, publicUi: true });
  const { statusCode } = await open.app.inject({ url: '/ui', headers: { host: PUBLIC, origin: `https://${PUBLIC}` } });
  expect(statusCode).toBe(401);
  await open.close();
});

test('an address it was bound to is one of its names', async () => {
  const bound = await openTestDaemon({ listen: { host: '::1' } });
  expect((await bound.app.inject({ url: '/ui', headers: { host: '[::1]:1' } })).statusCode).toBe(401);
  await bound.close();
});

test('A196: pages and endpoints answer nobody without a credential, and nothing but this machine is listened to', async () => {
  for (const path of ['/ui/org', '/ui/settings', '/events', '/workers/w-owner/mcp'])
    expect([path, (await ask(path, 'GET')).statusCode]).toEqual([path, 401]);
  expect(new URL(daemon.url).hostname).toBe('127.0.0.1');
  const serve = createProgram({ out: () => {}, err: () => {}, environment: {}, exitCode: 0 }).commands.find(
    (command) => command.name() === 'serve',
  );
  const address = serve?.options.find(({ long }) => long === '--addr');
  expect(address?.defaultValue).toMatchObject({ host: '127.0.0.1', port: 8080 });
});
