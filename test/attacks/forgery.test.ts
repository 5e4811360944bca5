// Somebody else's page, link or cookie that tries to act as a person who is signed in; and text that tries to become a header.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
let session: string;
let other: string;
beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-eve', { kind: 'human', grants: ['create_role'] });
  session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'mine' }).token;
  other = daemon.core.tokens.create({ workerId: 'w-eve', kind: 'session', label: 'hers' }).token;
});
afterAll(() => daemon.close());

const own = () => daemon.url;
const cookie = (token: string) => `helix_session=${token}`;
const csrfOf = async (token: string) => {
  const html = await (await fetch(`${daemon.url}/ui/settings`, { headers: { cookie: cookie(token) } })).text();
  return /name="csrf" value="([\w-]+)"/.exec(html)?.[1] ?? '';
};
const post = (path: string, fields: Record<string, string>, headers: Record<string, string>) =>
  fetch(`${daemon.url}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers,
    redirect: 'manual',
  });

/** Every form there is, from the routes themselves. */
function forms(): string[] {
  const above: string[] = [];
  return daemon.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const match = /^([│├└─ ]*)(\S*)( \((.+)\))?$/.exec(line);
      if (!match?.[2]) return [];
      const depth = (match[1] ?? '').length / 4;
      const path = (above[depth - 1] ?? '') + match[2];
      above[depth] = path;
      // Where a page has only a GET, POST is answered 405; those are walked by the table of routes.
      return match[4]?.includes('POST') && path.startsWith('/ui/') ? [path.replace(/:\w+/g, 'x')] : [];
    });
}

describe('a form of another page', () => {
  const changes = () =>
    daemon.core.journal.lastSeq + daemon.core.settings.list().filter((s) => s.from === 'stored').length;

  test('does nothing, with every mistake a forger could make', async () => {
    const csrf = await csrfOf(session);
    const hers = await csrfOf(other);
    expect(csrf).toMatch(/^[\w-]{43}$/);
    expect(hers).not.toBe(csrf);
    const attempts: [Record<string, string>, Record<string, string>][] = [
      [{}, { cookie: cookie(session), origin: own() }],
      [{ csrf: '' }, { cookie: cookie(session), origin: own() }],
      [{ csrf: hers }, { cookie: cookie(session), origin: own() }],
      [{ csrf: `${csrf}x` }, { cookie: cookie(session), origin: own() }],
      [{ csrf }, { cookie: cookie(session) }],
      [{ csrf }, { cookie: cookie(session), origin: 'null' }],
      [{ csrf }, { cookie: cookie(session), origin: 'https://evil.example' }],
      [{ csrf }, { cookie: cookie(session), origin: `${own()}.evil.example` }],
      // Another program of this machine, on another port, shares the cookie.
      [{ csrf }, { cookie: cookie(session), origin: 'http://127.0.0.1:1' }],
      [{ csrf }, { cookie: cookie(other), origin: own() }],
    ];
    const before = changes();
    const paths = [...forms().filter((path) => !path.endsWith('/x')), '/ui/do/create_role', '/ui/do/pause_org'];
    expect(paths.length).toBeGreaterThan(12);
    for (const path of paths) {
      for (const [fields, headers] of attempts) {
        const { status } = await post(
          path,
          { id: 'r-forged', content: 'x', key: 'dispatch.max_hops', value: '1', ...fields },
          headers,
        );
        expect([403, 405], `${path} ${JSON.stringify([fields, headers])}`).toContain(status);
      }
    }
    expect(changes()).toBe(before);
    // Her own form, as she.
    const hersWorks = await post(
      '/ui/do/create_role',
      { csrf: hers, id: 'r-hers', content: '# x' },
      { cookie: cookie(other), origin: own() },
    );
    expect(hersWorks.status).toBe(303);
    expect(daemon.core.journal.org.roles.has('r-hers')).toBe(true);
  });

  test('cannot be sent as JSON or text, nor by GET', async () => {
    const csrf = await csrfOf(session);
    const headers = { cookie: cookie(session), origin: own() };
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      const { status } = await fetch(`${daemon.url}/ui/do/pause_org`, {
        method: 'POST',
        headers: { ...headers, 'content-type': type },
        body: JSON.stringify({ csrf }),
      });
      expect([400, 403, 415]).toContain(status);
    }
    expect((await fetch(`${daemon.url}/ui/do/pause_org?csrf=${csrf}`, { headers })).status).toBe(405);
    expect(daemon.core.journal.org.paused).toBe(false);
  });
});

describe('a session', () => {
  test('is never the one that somebody put there before', async () => {
    const planted = `hxo_${'A'.repeat(43)}`;
    const { token } = daemon.core.tokens.create({ workerId: 'w-owner', label: 'in' });
    const answer = await post('/login', { token }, { origin: own(), cookie: cookie(planted) });
    const set = answer.headers.get('set-cookie') ?? '';
    expect(answer.status).toBe(303);
    expect(set).toMatch(/^helix_session=hxo_[\w-]{43}; .*HttpOnly; SameSite=Strict/);
    expect(set).not.toContain(planted);
    const page = (value: string) => fetch(`${daemon.url}/ui/settings`, { headers: { cookie: cookie(value) } });
    expect((await page(planted)).status).toBe(401);
    const made = /helix_session=([^;]+)/.exec(set)?.[1] ?? '';
    expect((await page(made)).status).toBe(200);
    // Signing in anew does not go on with the old one.
    const again = await post('/login', { token }, { origin: own(), cookie: cookie(made) });
    expect(again.headers.get('set-cookie')).not.toContain(made);
  });

  test('is no token, and a token is no session', async () => {
    const { token } = daemon.core.tokens.create({ workerId: 'w-owner', label: 'in' });
    expect((await fetch(`${daemon.url}/ui/settings`, { headers: { cookie: cookie(token) } })).status).toBe(401);
    const call = await fetch(`${daemon.url}/workers/w-owner/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${session}` },
    });
    expect(call.status).toBe(401);
  });

  test('that a token opened ends no later than the token', async () => {
    const { token } = daemon.core.tokens.create({ workerId: 'w-owner', label: 'short', lifetimeMs: 60_000 });
    const answer = await post('/login', { token }, { origin: own() });
    const age = Number(/Max-Age=(\d+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1]);
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThanOrEqual(60);
    const newest = daemon.core.tokens
      .list()
      .filter(({ kind }) => kind === 'session')
      .at(-1);
    expect(Date.parse(newest?.expiresAt ?? '') - Date.now()).toBeLessThanOrEqual(60_000);
  });

  test('of another is not theirs to end, nor to make a token from', async () => {
    const csrf = await csrfOf(other);
    const mine = daemon.core.tokens.list().find(({ label }) => label === 'mine')?.id ?? '';
    const headers = { cookie: cookie(other), origin: own() };
    const before = daemon.core.tokens.list().length;
    await post('/ui/settings/revoke', { csrf, id: mine }, headers);
    await post('/ui/settings/token', { csrf, workerId: 'w-owner', label: 'x' }, headers);
    await post('/ui/settings/login-link', { csrf, workerId: 'w-owner' }, headers);
    await post('/ui/settings/set', { csrf, key: 'dispatch.max_hops', value: '99' }, headers);
    expect(daemon.core.tokens.list()).toHaveLength(before);
    expect(daemon.core.tokens.verify(session, 'session')).toBeDefined();
    expect(daemon.core.settings.get('dispatch.max_hops')).toBe(8);
  });
});

describe('text that wants to be a header', () => {
  const LINES = [
    '\r\nSet-Cookie: planted=1',
    '\nLocation: https://evil.example',
    '\r\n\r\n<script>',
    '%0d%0aSet-Cookie:%20planted=1',
    '\u010a\u010dSet-Cookie: planted=1',
  ];
  const raw = async (request: string): Promise<string> => {
    const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1');
    socket.end(request);
    return Buffer.concat(await socket.toArray()).toString('latin1');
  };
  const headOf = (answer: string) => answer.split('\r\n\r\n')[0] ?? '';

  test('stays text where a form says whereto', async () => {
    const csrf = await csrfOf(session);
    for (const evil of [
      ...LINES.map((line) => `/ui/org${line}`),
      '//evil.example',
      'https://evil.example',
      '/ui/../../evil',
      '/ui\\evil',
      'javascript:alert(1)',
    ]) {
      const answer = await post(
        '/ui/do/create_role',
        { csrf, back: evil, then: evil },
        { cookie: cookie(session), origin: own() },
      );
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location'), evil).toMatch(/^\/ui\/org([?#/][\w./%~+-]*)?$/);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });

  test('stays text in paths, queries and headers', async () => {
    const { port } = new URL(daemon.url);
    for (const line of LINES) {
      const encoded = encodeURIComponent(line);
      for (const path of [
        `/${encoded}`,
        `/webhooks/${encoded}`,
        `/ui/org/roles/${encoded}`,
        `/login?code=${encoded}`,
        `/ui/events/${encoded}/files/${encoded}`,
        `/workers/${encoded}/mcp`,
      ]) {
        const answer = headOf(
          await raw(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`),
        );
        expect(answer, path).toMatch(/^HTTP\/1\.1 [2345]\d\d /);
        expect(answer.toLowerCase(), path).not.toMatch(/\r\n(set-cookie: planted|location: https:\/\/evil)/);
      }
    }
  });

  test('a header that is two is one request or none', async () => {
    const { port } = new URL(daemon.url);
    const smuggled =
      'POST /webhooks/s-x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    expect((await raw(smuggled)).match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(await raw(smuggled)).toMatch(/^HTTP\/1\.1 400 /);
    const twoHosts = `GET /ui HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect(headOf(await raw(twoHosts))).toMatch(/^HTTP\/1\.1 (400|401|403) /);
    const folded = `GET /ui HTTP/1.1\r\nHost: localhost:${port}\r\nX-A: a\r\n Set-Cookie: planted=1\r\nConnection: close\r\n\r\n`;
    expect(headOf(await raw(folded))).not.toContain('planted');
  });
});

describe('a path that wants out', () => {
  const UP = [
    '../../../../etc/passwd',
    '..%2f..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '..%5c..%5cetc%5cpasswd',
    '%252e%252e%252fetc%252fpasswd',
    '/etc/passwd',
    '%2fetc%2fpasswd',
    'x%00',
    '....//....//etc/passwd',
    '..;/etc/passwd',
    'file:///etc/passwd',
  ];
  const ROUTES = [
    '/static/',
    '/webhooks/',
    '/ui/org/roles/',
    '/ui/org/workers/',
    '/ui/org/positions/',
    '/ui/activations/',
    '/ui/events/',
    '/ui/events/e-x/files/',
    '/workers/',
    '/ui/starters/',
    '/control/',
  ];

  test('finds no file by any route', async () => {
    for (const route of ROUTES) {
      for (const up of UP) {
        const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1');
        socket.end(
          `GET ${route}${up} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie(session)}\r\nConnection: close\r\n\r\n`,
        );
        const answer = Buffer.concat(await socket.toArray()).toString('latin1');
        expect(answer, route + up).not.toContain('root:');
        expect(answer, route + up).toMatch(/^HTTP\/1\.1 (400|401|403|404|405) /);
      }
    }
  });

  test('is no id, for any tool that makes or names something', async () => {
    const evil = [
      '../x',
      'w-../../x',
      's-a/../b',
      'w-a\u0000',
      'W-A',
      'w-a b',
      'w-a\n',
      `w-${'a'.repeat(300)}`,
      '__proto__',
      'constructor',
      'w-%2e%2e',
    ];
    for (const id of evil) {
      for (const [tool, args] of [
        ['create_role', { id, content: 'x' }],
        ['create_position', { id, roleId: 'r-eve', parentId: 'p-root' }],
        ['hire_worker', { id, positionId: 'p-eve', kind: 'ai', identityContent: 'x' }],
        ['create_stream', { id, name: `n ${id}` }],
        ['get_worker', { id }],
        ['get_worker_environment', { workerId: id }],
        ['get_role', { id }],
        ['get_event', { id }],
        ['worker_log', { workerId: id }],
        ['read_events', { streamId: id }],
      ] as const)
        await expect(daemon.call(tool, args), `${tool} ${JSON.stringify(id)}`).rejects.toThrow();
    }
  });
});
