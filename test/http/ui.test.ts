// The pages as they are answered: who gets what, what forms do, and what nobody can put on a page.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { markdown } from '../../src/http/ui/markdown.ts';
import { chartOf } from '../../src/http/ui/org-chart.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

const NASTY = `</textarea></script><script>alert(1)</script><img src=x onerror=alert(2)>" onfocus="alert(3)" ' & \${it} <%= it %>`;

let daemon: TestDaemon;
const cookies = new Map<string, string>();
beforeAll(async () => {
  daemon = await openTestDaemon();
  await daemon.hire('w-echo', { grants: ['publish', 'dm', 'get_role'] });
  await daemon.hire('w-ann', { kind: 'human', grants: ['publish'] });
  await daemon.call('create_stream', { id: 's-desk', name: 'Desk' });
  await daemon.call('create_stream', { id: 's-secret', name: 'Secret', private: true });
  await daemon.call('create_stream', { id: 's-in', name: 'In', transport: 'webhook' });
});
afterAll(() => daemon.close());

function cookieOf(workerId: string): string {
  const known = cookies.get(workerId);
  if (known) return known;
  const { token } = daemon.core.tokens.create({ workerId, kind: 'session', label: 'test' });
  cookies.set(workerId, `helix_session=${token}`);
  return `helix_session=${token}`;
}

async function get(path: string, { workerId = 'w-owner', headers = {} }: { workerId?: string; headers?: object } = {}) {
  const response = await daemon.app.inject({
    url: path,
    headers: { host: 'localhost', cookie: cookieOf(workerId), ...headers },
  });
  return { status: response.statusCode, html: response.body, headers: response.headers };
}

const csrfOf = async (workerId = 'w-owner') =>
  /name="csrf" value="([^"]+)"/.exec((await get('/ui/settings', { workerId })).html)?.[1] ?? '';

async function send(path: string, fields: Record<string, string | string[]>, workerId = 'w-owner') {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries({ csrf: await csrfOf(workerId), ...fields }))
    for (const each of [value].flat()) form.append(name, each);
  const response = await daemon.app.inject({
    method: 'POST',
    url: path,
    headers: {
      host: 'localhost',
      origin: 'http://localhost',
      cookie: cookieOf(workerId),
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: form.toString(),
  });
  const location = String(response.headers.location ?? '');
  const next = location === '' ? '' : (await get(location.split('#')[0] ?? '', { workerId })).html;
  return {
    status: response.statusCode,
    location,
    next,
    flash: textOf(/<p class="flash[^>]*>([^<]*)</.exec(next)?.[1]),
  };
}

const textOf = (html = '') =>
  html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

const PAGES = [
  '/ui/org',
  '/ui/org/workers/w-echo',
  '/ui/org/workers/w-owner',
  '/ui/org/positions/p-echo',
  '/ui/org/roles/r-echo',
  '/ui/org/roles/r-echo/history',
  '/ui/org/workers/w-echo/history',
  '/ui/streams',
  '/ui/streams?id=s-desk',
  '/ui/streams?id=s-in',
  '/ui/streams?id=s-activations-w-echo',
  '/ui/journal',
  '/ui/settings',
];

describe('every page', () => {
  test.each(PAGES)('%s has its frame, its policy and nothing from elsewhere', async (path) => {
    const { status, html, headers } = await get(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      vary: 'HX-Request',
      'content-type': 'text/html; charset=utf-8',
    });
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    for (const text of [
      'Chat',
      'Org',
      'Streams',
      'Activations',
      'Attention',
      'Journal',
      'Settings',
      'Pause all',
      'id="connection"',
    ])
      expect(html).toContain(text);
    expect(html).toContain('<strong>w-owner</strong>');
    expect(html).not.toMatch(/ style="| on\w+="|<style|<script(?! src="\/static\/)/);
    expect(html).not.toContain('undefined');
  });

  test('A195: links to no file but those the daemon serves, and these fetch nothing either', async () => {
    for (const path of PAGES) {
      const { html } = await get(path);
      const files = [...html.matchAll(/<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"/g)].map(
        (match) => match[1] ?? '',
      );
      expect(new Set(files.map((file) => file.split('?')[0]))).toEqual(
        new Set(['/static/icon.svg', '/static/style.css', '/static/app.js']),
      );
      for (const file of files) {
        const asset = await daemon.app.inject({ url: file, headers: { host: 'localhost' } });
        expect([file, asset.statusCode, asset.headers['cache-control']]).toEqual([
          file,
          200,
          'public, max-age=31536000, immutable',
        ]);
        expect(asset.body).not.toMatch(/@import|url\(["']?http|import\(["']http|src=["']http/);
      }
    }
  });

  test('is a page of its own for somebody who is not signed in, and says how to get in', async () => {
    for (const path of PAGES) {
      const { status, html } = await get(path, { headers: { cookie: '' } });
      expect(status).toBe(401);
      expect(html).toContain('helix-org token login');
      // But for the path itself, which is theirs.
      expect(html.replaceAll(`value="${path}"`, '')).not.toContain('w-echo');
    }
    const fragment = await get('/ui/org/chart', { headers: { cookie: '', 'hx-request': 'true' } });
    expect([fragment.status, fragment.html, fragment.headers['hx-refresh']]).toEqual([401, '', 'true']);
  });

  test('A183: the root leads to /ui/, and nothing unknown below it is found', async () => {
    const root = await get('/');
    expect([root.status, root.headers.location]).toEqual([302, '/ui/']);
    for (const cookie of [cookieOf('w-owner'), '']) {
      const { status, html } = await get('/ui/nope/deeper', { headers: { cookie } });
      expect(status).toBe(404);
      expect(html).toContain('Nothing here');
    }
    expect((await get('/ui/org/workers/w-nobody')).status).toBe(404);
  });

  test('a fragment is the partial of the page and nothing else', async () => {
    const headers = { 'hx-request': 'true' };
    for (const [path, id] of [
      ['/ui/org/chart', 'org-chart'],
      ['/ui/org', 'org-chart'],
      ['/ui/org/now', 'org-now'],
      ['/ui/org/workers/w-echo', 'panel'],
      ['/ui/org/workers/w-echo/now', 'worker-now'],
      ['/ui/frame', 'frame-state'],
    ] as const) {
      const { html } = await get(path, { headers });
      expect(html.trim()).toMatch(new RegExp(`^<\\w+ [^>]*id="${id}"`));
      expect(html).not.toContain('<html');
      if (path !== '/ui/frame') expect((await get(path)).html).toContain(`id="${id}"`);
    }
  });
});

describe('the chart', () => {
  test('A184: draws every Position with the line to its parent, up to 3 Workers and +N, ids escaped', async () => {
    for (const n of [1, 2, 3, 4])
      await daemon.call('hire_worker', {
        id: `w-more-${n}-of-many-more`,
        positionId: 'p-echo',
        kind: 'ai',
        identityContent: 'x',
      });
    const { html } = await get('/ui/org/chart', { headers: { 'hx-request': 'true' } });
    const svg = html.slice(html.indexOf('<svg'), html.indexOf('</svg>'));
    expect([...svg.matchAll(/data-seat="([^"]+)"/g)].map((match) => match[1]).sort()).toEqual([
      'p-ann',
      'p-echo',
      'p-root',
    ]);
    expect(svg.match(/class="line"/g)).toHaveLength(2);
    expect(svg.match(/data-worker="w-(echo|more)/g)).toHaveLength(3);
    expect(svg).toContain('>w-more-1-of-m…<');
    expect(svg).toMatch(/class="more"[^>]*>\+2</);
  });

  test('shows titles as text, whatever they say', async () => {
    await daemon.call('create_role', { id: 'r-nasty', content: `# Role: ${NASTY}` });
    await daemon.call('create_position', { id: 'p-nasty', roleId: 'r-nasty', parentId: 'p-root' });
    await daemon.call('hire_worker', { id: 'w-nasty', positionId: 'p-nasty', kind: 'ai', identityContent: NASTY });
    await daemon.call('activate_worker', { workerId: 'w-nasty', reason: NASTY });
    await daemon.call('create_stream', { id: 's-nasty', name: NASTY.slice(0, 150), transport: 'webhook' });
    await daemon.call('grant_tool', { workerId: 'w-nasty', toolName: 'agent:Bash(<script>)' });
    daemon.core.tokens.create({ workerId: 'w-owner', label: NASTY.slice(0, 90) });
    const paths = [
      '/ui/org',
      '/ui/org/workers/w-nasty',
      '/ui/org/positions/p-nasty',
      '/ui/org/roles/r-nasty/history',
      '/ui/org/workers/w-nasty/history',
      '/ui/journal',
      '/ui/settings',
    ];
    for (const path of [
      ...paths,
      `/ui/org?q=${encodeURIComponent(NASTY)}`,
      `/ui/journal?who=${encodeURIComponent(NASTY)}&about=${encodeURIComponent(NASTY)}`,
    ]) {
      const { html, status } = await get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(html).not.toMatch(/<script>|<img|onfocus="/);
    }
    const refused = await send('/ui/do/create_role', {
      id: NASTY,
      content: NASTY,
      form: 'new-role',
      back: '/ui/org/positions/p-nasty',
    });
    expect(refused.next).toContain('class="flash refused"');
    expect(refused.next).not.toMatch(/<script>|<img/);
  });

  test('a search finds whoever sits in a seat, also beyond those that it shows', async () => {
    for (let n = 1; n <= 5; n++)
      await daemon.call('hire_worker', {
        id: `w-many-${n}`,
        positionId: 'p-echo',
        kind: 'human',
        identityContent: 'One of many.',
        grants: [],
      });
    expect((await get('/ui/org')).html).not.toContain('data-worker="w-many-5"');
    expect((await get('/ui/org?q=many-5')).html).toContain('data-worker="w-many-5"');
    for (let n = 1; n <= 5; n++) await daemon.call('fire_worker', { workerId: `w-many-${n}` });
  });

  test('cuts ids that are wider than their box, and names them in full for who points at them', async () => {
    const id = `p-${'long-'.repeat(8)}end`;
    await daemon.call('create_position', { id, roleId: 'r-echo', parentId: 'p-root' });
    const { html } = await get('/ui/org');
    expect(html).toContain(`<text class="seat-id" x="12" y="35">${id.slice(0, 26)}…</text>`);
    expect(html).toMatch(new RegExp(`<title>[^<]*, ${id}</title>`));
    await daemon.call('delete_position', { id });
  });

  test.each([
    ['waiting', '2 waiting'],
    ['held', '2 held back'],
    ['paused', '2 held back'],
    ['idle', 'idle'],
  ])('says of a Worker who is %s: %s', (state, words) => {
    const { journal, queries } = daemon.core;
    const { seats } = chartOf({ journal, queries, stateOf: () => state, waitingOf: () => 2 }, {});
    const badges = seats.flatMap(({ badges }) => badges).filter(({ kind }) => kind === 'ai');
    expect(new Set(badges.map(({ stateText }) => stateText))).toEqual(new Set([words]));
  });

  test('several roots, and a chart of 200 that is folded until one asks', async () => {
    const big = await openTestDaemon();
    await big.call('create_role', { id: 'r-x', content: '# Role: X' });
    await big.call('create_position', { id: 'p-second-root', roleId: 'r-x' });
    for (let team = 0; team < 10; team++) {
      await big.call('create_position', { id: `p-team-${team}`, roleId: 'r-x', parentId: 'p-root' });
      for (let n = 0; n < 20; n++) {
        const positionId = `p-${team}-${n}`;
        await big.call('create_position', { id: positionId, roleId: 'r-x', parentId: `p-team-${team}` });
        await big.call('hire_worker', { id: `w-${team}-${n}`, positionId, kind: 'ai', identityContent: 'x' });
      }
    }
    const { token } = big.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' });
    const chart = async (query: string) => {
      const { body } = await big.app.inject({
        url: `/ui/org/chart${query}`,
        headers: { host: 'localhost', cookie: `helix_session=${token}`, 'hx-request': 'true' },
      });
      const [, width = '0'] = /<svg [^>]*width="(\d+)/.exec(body) ?? [];
      return { seats: body.match(/data-seat=/g)?.length, width: Number(width), body };
    };
    const first = await chart('');
    expect(first.seats).toBe(12);
    expect(first.body).toContain('▸ 20 seats below');
    expect((await chart('?fold=none')).seats).toBe(212);
    expect((await chart('?fold=p-team-1,p-team-2')).seats).toBe(172);
    expect((await chart('?q=w-7-13')).seats).toBe(3);
    expect((await chart('?fold=none')).width).toBeLessThan(6_000);
    await big.close();
  });
});

describe('forms', () => {
  test('A187: an empty Role is refused as update_role refuses it, and line ends are normalised', async () => {
    const before = daemon.core.queries.role('r-echo');
    const back = '/ui/org/positions/p-echo';
    const refused = await send('/ui/do/update_role', {
      roleId: 'r-echo',
      content: ' \r\n ',
      back,
      form: 'role-r-echo',
    });
    expect([refused.status, refused.location, refused.flash]).toEqual([303, back, 'role content is empty']);
    expect((await send('/ui/do/update_role', { roleId: 'r-echo', content: '', back })).flash).toBe(
      'content is required',
    );
    expect(daemon.core.queries.role('r-echo')).toEqual(before);
    const saved = await send('/ui/do/update_role', {
      roleId: 'r-echo',
      content: '# Role: Echo\r\n\r\nTwo lines.\rThree.',
      back,
    });
    expect([saved.location, saved.flash]).toEqual([
      back,
      'Saved. Every Worker in r-echo reads the new text at its next activation.',
    ]);
    expect(daemon.core.queries.role('r-echo')?.content).toBe('# Role: Echo\n\nTwo lines.\nThree.');
    expect(daemon.core.queries.role('r-echo')?.updatedAt).not.toBe(before?.updatedAt);
    const folder = String((await daemon.call('get_worker_environment', { workerId: 'w-echo' })).path);
    expect(folder).toContain('w-echo');
    const newest = daemon.core.queries.journalPage({ types: ['RoleUpdated'], limit: 1 }).entries[0];
    expect(newest).toMatchObject({ actor: 'w-owner', via: 'ui', subject: 'r-echo' });
  });

  test('what was typed is there again after a refusal', async () => {
    const { next } = await send('/ui/do/hire_worker', {
      id: 'w-echo',
      positionId: 'p-echo',
      kind: 'ai',
      identityContent: 'A <b>long</b>\r\ntext',
      back: '/ui/org/positions/p-echo',
      form: 'hire-p-echo',
    });
    expect(next).toContain('already exists; pick another id');
    expect(textOf(next)).toContain('A <b>long</b>\ntext</textarea>');
  });

  test('a form without this session’s token, or of another page, does nothing', async () => {
    const headers = {
      host: 'localhost',
      cookie: cookieOf('w-owner'),
      'content-type': 'application/x-www-form-urlencoded',
    };
    const post = (csrf: string, origin?: string) =>
      daemon.app.inject({
        method: 'POST',
        url: '/ui/do/pause_org',
        headers: { ...headers, ...(origin ? { origin } : {}) },
        payload: `csrf=${csrf}`,
      });
    const anns = await csrfOf('w-ann');
    for (const csrf of ['', 'x', anns]) {
      const { statusCode, body } = await post(csrf, 'http://localhost');
      expect([statusCode, body]).toEqual([403, expect.stringContaining('was not sent by a page of this daemon')]);
    }
    const own = await csrfOf();
    for (const origin of [undefined, 'http://localhost:1']) expect((await post(own, origin)).statusCode).toBe(403);
    expect(daemon.core.journal.org.paused).toBe(false);
    expect((await post(own, 'http://localhost')).statusCode).toBe(303);
    expect(daemon.core.journal.org.paused).toBe(true);
    await daemon.call('resume_org');
  });

  test('what somebody wrote in a session that has ended is theirs to copy, and so with a form that is out of date', async () => {
    const written = '# Role: <b>Écho</b>\n\nTwo lines & more.';
    const payload = (csrf: string) => new URLSearchParams({ csrf, roleId: 'r-owner', content: written }).toString();
    const post = (cookie: string, csrf: string, origin = 'http://localhost') =>
      daemon.app.inject({
        method: 'POST',
        url: '/ui/do/update_role',
        headers: { host: 'localhost', cookie, origin, 'content-type': 'application/x-www-form-urlencoded' },
        payload: payload(csrf),
      });
    const shown = '<pre class="plain" tabindex="0">\n# Role: &lt;b&gt;Écho&lt;/b&gt;\n\nTwo lines &amp; more.</pre>';
    const ended = await post('helix_session=hxo_gone', await csrfOf());
    expect([ended.statusCode, ended.body]).toEqual([401, expect.stringContaining(shown)]);
    const old = await post(cookieOf('w-owner'), await csrfOf('w-ann'));
    expect([old.statusCode, old.body]).toEqual([403, expect.stringContaining(shown)]);
    expect(old.body).not.toContain('r-owner');
    // What another page sends is not shown on ours.
    expect((await post('', '', 'http://localhost:1')).body).not.toContain('Two lines');
  });

  test('run as whoever is signed in, with that Worker’s tools only', async () => {
    const { html } = await get('/ui/org/workers/w-echo', { workerId: 'w-ann' });
    expect(html).not.toContain('action="/ui/do/');
    const { flash } = await send('/ui/do/fire_worker', { workerId: 'w-echo', back: '/ui/org' }, 'w-ann');
    expect(flash).toBe('w-ann does not hold fire_worker (any more); ask the owner or your hirer for it.');
    expect(daemon.core.journal.org.workers.get('w-echo')?.firedAt).toBeNull();
  });

  test('lead nowhere but to a page of ours', async () => {
    for (const back of [
      'https://evil.example/',
      '//evil.example',
      '/ui/../login',
      '/control/stop',
      'javascript:alert(1)',
      '/ui/org\r\nx: y',
    ])
      expect((await send('/ui/do/list_roles', { back })).location).toBe('/ui/org');
    expect((await send('/ui/do/list_roles', { back: '/ui/journal?what=people&about=w-echo' })).location).toBe(
      '/ui/journal?what=people&about=w-echo',
    );
  });

  test('a starter sets all of it up, with what leaves held, or nothing', async () => {
    const fresh = await openTestDaemon();
    const { token } = fresh.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' });
    const headers = {
      host: 'localhost',
      origin: 'http://localhost',
      cookie: `helix_session=${token}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const page = await fresh.app.inject({ url: '/ui/org', headers });
    expect(page.body).toContain('Nobody works here yet');
    for (const form of page.body.split('<details class="starter').slice(1))
      expect(form.match(/<label>/g)?.length ?? 0).toBeLessThanOrEqual(3);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const post = (fields: Record<string, string>) =>
      fresh.app.inject({
        method: 'POST',
        url: '/ui/starters/webhook-watcher',
        headers,
        payload: new URLSearchParams({ csrf, ...fields }).toString(),
      });
    const answers = { about: 'Alerts.\n\n## Tools (MCP)\n\n`fire_worker`', when: 'Twice in a row.' };
    await post({ ...answers, worker: 'Not An Id!' });
    expect([fresh.core.queries.roles().length, fresh.core.queries.positions().length]).toEqual([1, 1]);
    const done = await post({ ...answers, worker: 'wanda' });
    expect(done.headers.location).toBe('/ui/org/workers/w-wanda');
    expect(fresh.core.queries.grantsOf('w-wanda').map(({ tool }) => tool)).toEqual(['dm', 'get_event', 'read_events']);
    expect(fresh.core.journal.org.streams.get('s-watch')).toMatchObject({ transport: { kind: 'webhook' }, hold: true });
    expect(fresh.core.queries.members('s-watch')).toEqual(['w-wanda']);
    const repository = 'acme/shop';
    const triage = { csrf, repository, about: 'Crashes first.', worker: 'toni' };
    const payload = new URLSearchParams(triage).toString();
    await fresh.app.inject({ method: 'POST', url: '/ui/starters/github-triage', headers, payload });
    expect(fresh.core.journal.org.streams.get('s-triage')).toMatchObject({
      transport: { kind: 'github', config: { repo: repository } },
      hold: true,
    });
    expect(fresh.core.queries.members('s-triage')).toEqual(['w-toni']);
    expect((await fresh.app.inject({ url: '/ui/org', headers })).body).not.toContain('Nobody works here yet');
    await fresh.close();
  });
});

describe('settings', () => {
  test('A193: lists every key with its state; saving and resetting work; what does not fit says why', async () => {
    const { html } = await get('/ui/settings');
    for (const { key } of daemon.core.settings.list()) expect(html).toContain(`>${key}</h3>`);
    const stateOf = (page: string, key: string) =>
      /class="state[^"]*">([^<]+)</.exec(page.slice(page.indexOf(`>${key}</h3>`)))?.[1];
    expect(stateOf(html, 'dispatch.max_hops')).toBe('default');
    expect(stateOf(html, 'agent.command')).toBe('missing');
    const saved = await send('/ui/settings/set', { key: 'dispatch.max_hops', value: ' 4 ' });
    expect([saved.location, saved.flash]).toEqual([
      '/ui/settings#dispatch-max_hops',
      'dispatch.max_hops is saved and holds at once.',
    ]);
    expect(daemon.core.settings.get('dispatch.max_hops')).toBe(4);
    expect(stateOf(saved.next, 'dispatch.max_hops')).toBe('set');
    const bad = await send('/ui/settings/set', { key: 'dispatch.max_hops', value: 'many', form: 'dispatch.max_hops' });
    expect(bad.flash).toBe('validate "dispatch.max_hops": not a number');
    expect(bad.next).toContain('value="many"');
    expect((await send('/ui/settings/set', { key: 'agent.command', value: '["node", ' })).flash).toContain(
      'not a JSON array',
    );
    expect((await send('/ui/settings/reset', { key: 'dispatch.max_hops' })).flash).toContain('has its default again');
    expect(daemon.core.settings.get('dispatch.max_hops')).toBe(8);
  });

  test('tokens, sessions and sign-in links: made, shown once, and ended', async () => {
    const made = await send('/ui/settings/token', { workerId: 'w-ann', label: 'laptop', days: '30' });
    const token = /hxo_[\w-]+/.exec(made.flash)?.[0] ?? '';
    expect(daemon.core.tokens.verify(token, 'token')).toMatchObject({ workerId: 'w-ann' });
    expect((await get('/ui/settings')).html).not.toContain(token);
    const row = daemon.core.tokens.list().find(({ label }) => label === 'laptop');
    expect((await send('/ui/settings/revoke', { id: row?.id ?? '' })).flash).toBe(
      'The token "laptop" of w-ann has ended.',
    );
    expect(daemon.core.tokens.verify(token, 'token')).toBeUndefined();
    const link =
      /http:\S+code=hxo_[\w-]+/.exec((await send('/ui/settings/login-link', { workerId: 'w-ann' })).flash)?.[0] ?? '';
    expect(daemon.core.tokens.verify(new URL(link).searchParams.get('code') ?? '', 'login')).toMatchObject({
      workerId: 'w-ann',
    });
    expect((await send('/ui/settings/token', { workerId: 'w-owner', label: 'owner' })).flash).toContain(
      "the command line's own",
    );
  });

  test('somebody else sees and ends their own sessions, and nothing of the daemon', async () => {
    const { html } = await get('/ui/settings', { workerId: 'w-ann' });
    for (const hidden of ['dispatch.max_hops', 'Database', 'w-owner</td>', 'Addresses to send to'])
      expect(html).not.toContain(hidden);
    expect((await send('/ui/settings/set', { key: 'dispatch.max_hops', value: '1' }, 'w-ann')).flash).toContain(
      'Only the owner',
    );
    expect((await send('/ui/settings/token', { workerId: 'w-owner' }, 'w-ann')).flash).toContain("This is w-owner's");
    const owners = daemon.core.tokens.list().find(({ worker, kind }) => worker === 'w-owner' && kind === 'session');
    expect((await send('/ui/settings/revoke', { id: owners?.id ?? '' }, 'w-ann')).flash).toContain("This is w-owner's");
    expect(daemon.core.settings.get('dispatch.max_hops')).toBe(8);
  });

  test('webhook addresses stand there to be copied', async () => {
    expect((await get('/ui/settings')).html).toContain(`data-copy="${daemon.url}/webhooks/s-in"`);
  });

  test('the look is chosen for this browser', async () => {
    expect((await get('/ui/org')).html).toContain('data-theme="auto"');
    expect((await get('/ui/org', { headers: { cookie: `${cookieOf('w-owner')}; helix_theme=dark` } })).html).toContain(
      'data-theme="dark"',
    );
    expect((await send('/ui/settings/theme', { theme: 'dark' })).location).toBe('/ui/settings#look');
  });
});

describe('the journal', () => {
  test('tells each entry as a sentence, newest first, and goes back by scrolling', async () => {
    const { html } = await get('/ui/journal?what=people');
    const said = [...html.matchAll(/<span class="said">(.*?)<\/span>/g)].map((match) =>
      textOf(match[1]?.replace(/<[^>]+>/g, '')).trim(),
    );
    expect(said).toContain('w-owner hired w-echo (AI) into p-echo');
    expect(said.at(-1)).toBe('The daemon made the Position p-root for r-owner');
    const first = await get('/ui/journal');
    const older = textOf(/hx-get="([^"]*before=[^"]+)"/.exec(first.html)?.[1]);
    const next = await get(older, { headers: { 'hx-request': 'true' } });
    expect(next.html.trim()).toMatch(/^<li id="j-\d+"/);
  });

  test('filters by what, whom and what about; nothing found is said', async () => {
    const seqs = async (query: string) =>
      [...(await get(`/ui/journal?${query}`)).html.matchAll(/id="j-(\d+)"/g)].length;
    expect(await seqs('about=w-echo&what=people')).toBe(1);
    expect(await seqs('who=w-nobody')).toBe(0);
    expect((await get('/ui/journal?who=w-nobody')).html).toContain('Nothing here fits');
  });

  test('shows others nothing of Streams and runs they may not read', async () => {
    await daemon.call('publish', { streamId: 's-secret', body: 'x' });
    expect((await get('/ui/journal')).html).toContain('s-secret');
    expect((await get('/ui/journal', { workerId: 'w-ann' })).html).not.toContain('s-secret');
    expect((await get('/ui/journal', { workerId: 'w-ann' })).html).toContain('w-echo');
  });

  test('says whether the chain is whole, once the owner had it verified', async () => {
    expect((await get('/ui/journal')).html).toContain('Not verified since the daemon started.');
    const { next } = await send('/ui/journal/verify', {});
    expect(next).toMatch(/state good">\d+ entries, the chain is whole\./);
    expect((await send('/ui/journal/verify', {}, 'w-ann')).flash).toContain('Only the owner');
  });
});

describe('markdown', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[a](javascript:alert(1))',
    '[a](JaVaScRiPt:alert(1))',
    '[a](data:text/html,<script>alert(1)</script>)',
    '![a](http://evil.example/pixel.png)',
    '<a href="x" onclick="alert(1)">a</a>',
    '<div hx-get="/ui/do/fire_worker" data-hx-get="/x" hx-trigger="load">x</div>',
    '<form action="/ui/do/pause_org"><button>x</button></form>',
    '<style>*{display:none}</style>',
    '<svg onload=alert(1)>',
    '<iframe src="//evil.example"></iframe>',
    '"><script>alert(1)</script>',
    '`</code><script>alert(1)</script>`',
    '<math><mtext></style><img src=x onerror=alert(1)>',
    '[x]: javascript:alert(1)\n\n[x]',
  ])('UI bug 10: nothing of %s gets through', (text) => {
    const html = markdown(text);
    const elements = [...html.matchAll(/<(\w+)((?:[^>"']|"[^"]*"|'[^']*')*)>/g)];
    const allowed = /^(div|p|a|code|pre|br|em|strong)$/;
    for (const [, name = '', attributes = ''] of elements) {
      expect(name).toMatch(allowed);
      expect(attributes).not.toMatch(/\bon\w+\s*=|javascript:|data:|\bsrc=|\bstyle=|hx-(?!ignore)/i);
    }
    expect(html).toMatch(/^<div class="prose" hx-ignore>/);
  });

  test('UI bug 3: code keeps its lines', () => {
    expect(markdown('```\none\n  two\n\nthree\n```')).toContain('<pre><code>one\n  two\n\nthree\n</code></pre>');
  });

  test('keeps what markdown is for', () => {
    const html = markdown('# Title\n\n- [x] *done*\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nhttps://example.com');
    for (const part of [
      '<h3>Title</h3>',
      'type="checkbox"',
      '<em>done</em>',
      '<td>1</td>',
      'href="https://example.com"',
      'rel="noopener noreferrer nofollow"',
    ])
      expect(html).toContain(part);
  });

  test('texts that would take long to parse are shown as they are', () => {
    for (const text of [
      'x'.repeat(20_000),
      '*a '.repeat(3_000),
      '['.repeat(5_000),
      '> '.repeat(3_000),
      '`'.repeat(3_000),
    ])
      expect(markdown(text)).toMatch(/<pre class="plain">|<p>/);
    expect(markdown('['.repeat(5_000))).toContain('<pre class="plain">');
  });
});

test('a Worker who was fired has a page that says so, with who they were and what they did', async () => {
  await daemon.call('hire_worker', {
    id: 'w-past',
    positionId: 'p-echo',
    kind: 'ai',
    identityContent: 'I <b>was</b> here.',
    grants: [],
  });
  await daemon.call('fire_worker', { workerId: 'w-past' });
  const { html, status } = await get('/ui/org/workers/w-past');
  expect(status).toBe(200);
  expect(textOf(html)).toContain('Its history stays, and its id is never given again.');
  expect(html).toContain('I &lt;b&gt;was&lt;/b&gt; here.');
  for (const link of ['/ui/activations?worker=w-past', '/ui/journal?about=w-past', '/ui/org/workers/w-past/history']) {
    expect(html).toContain(`href="${link}"`);
    expect((await get(link)).status).toBe(200);
  }
  expect(html).not.toContain('action="/ui/do/fire_worker"');
  expect((await get('/ui/org/workers/w-never')).status).toBe(404);
});

describe('how a Worker is played', () => {
  const back = '/ui/org/workers/w-echo';

  test('is shown and changed on the page of the Worker, by the tool, and told in the journal', async () => {
    expect((await get(back)).html).toContain('As is set for all.');
    const saved = await send('/ui/do/update_agent', {
      workerId: 'w-echo',
      back,
      'agent.kind': 'codex',
      'agent.model': 'gpt-x',
      'agent.effort': '',
      'agent.runSeconds': '90',
      'agent.context': '',
      'agent.command': '',
    });
    expect(saved.flash).toContain('next activation of w-echo');
    expect(textOf(saved.next)).toContain('codex, model gpt-x, at most 90 s a run; the rest as is set for all.');
    expect(daemon.core.journal.org.workers.get('w-echo')?.agent).toEqual({
      kind: 'codex',
      model: 'gpt-x',
      runSeconds: 90,
    });
    expect((await get('/ui/journal?about=w-echo')).html).toMatch(/chose how.*is played: codex, gpt-x/s);
    const refused = await send('/ui/do/update_agent', {
      workerId: 'w-echo',
      back,
      form: 'agent-w-echo',
      'agent.kind': 'codex',
      'agent.model': '-x',
    });
    expect(refused.flash).toContain('no name of a model');
    expect(refused.next).toContain('name="agent.model" value="-x"');
    await send('/ui/do/update_agent', {
      workerId: 'w-echo',
      back,
      'agent.kind': '',
      'agent.model': '',
      'agent.runSeconds': '',
    });
    expect(daemon.core.journal.org.workers.get('w-echo')?.agent).toEqual({});
  });

  test('only the owner is offered the command, and nobody a form whose tool they lack', async () => {
    expect((await get(back)).html).toContain('name="agent.command"');
    expect((await get(back, { workerId: 'w-ann' })).html).not.toContain('name="agent.');
    await daemon.call('grant_tool', { workerId: 'w-ann', toolName: 'update_agent' });
    const { html } = await get(back, { workerId: 'w-ann' });
    expect(html).toContain('name="agent.kind"');
    expect(html).not.toContain('name="agent.command"');
  });

  test('what holds a kind of agent is a matter of attention, with its reason and when it began', async () => {
    const reason = 'the agent codex does not work: not logged in';
    await daemon.core.journal.commit('system', {
      type: 'HoldWork',
      hold: 'agent:codex',
      workerId: null,
      kinds: ['codex'],
      reason,
    });
    const { html } = await get('/ui/attention');
    expect(textOf(html)).toContain('codex does not work');
    // Two of them are told apart when the page is brought up to date.
    expect(html).toContain('id="m-agent-codex"');
    await daemon.core.journal.commit('system', { type: 'ResumeWork', hold: 'agent:codex' });
    expect(textOf((await get('/ui/attention')).html)).not.toContain('codex does not work');
  });
});
