import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLoginLink } from '../../src/http/ui/login.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
/** Moves the clock of tokens and sessions. */
let laterMs = 0;
beforeAll(async () => {
  daemon = await openTestDaemon({ now: () => new Date(Date.now() + laterMs) });
  await daemon.hire('w-ann', { kind: 'human' });
});
afterAll(() => daemon.close());

const link = (workerId = 'w-owner') => createLoginLink(daemon.core.tokens, workerId, `${daemon.url}/`);
const host = () => new URL(daemon.url).host;

async function get(path: string, cookie = '') {
  const response = await fetch(new URL(path, daemon.url), { headers: { cookie }, redirect: 'manual' });
  return { status: response.status, text: await response.text() };
}

async function submit(
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = { origin: daemon.url },
) {
  const response = await fetch(new URL(path, daemon.url), {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
    redirect: 'manual',
  });
  return {
    status: response.status,
    location: response.headers.get('location'),
    setCookie: response.headers.get('set-cookie') ?? '',
    text: await response.text(),
  };
}
const codeOf = (url: string) => new URL(url).searchParams.get('code') ?? '';
const cookieOf = ({ setCookie }: { setCookie: string }) => setCookie.split(';')[0] ?? '';

test('a link shows a button, and pressing it opens the pages', async () => {
  const url = link();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login\?code=hxo_[\w-]+$/);
  const page = await get(url);
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining(`value="${codeOf(url)}"`) });
  const pressed = await submit('/login', { code: codeOf(url) });
  expect(pressed).toMatchObject({ status: 303, location: '/ui/' });
  expect(pressed.setCookie).toMatch(/^helix_session=hxo_[\w-]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(await get('/ui/org', cookieOf(pressed))).toMatchObject({
    status: 200,
    text: expect.stringContaining('w-owner'),
  });
});

test('whatever looks at the link beforehand does not use it up', async () => {
  const url = link();
  for (let n = 0; n < 3; n++) await get(url);
  await fetch(url, { method: 'HEAD' });
  expect(await submit('/login', { code: codeOf(url) })).toMatchObject({ status: 303 });
});

test('a link works once, and of many who come at once only one gets in', async () => {
  const code = codeOf(link());
  const all = await Promise.all(Array.from({ length: 10 }, () => submit('/login', { code })));
  expect(all.filter(({ status }) => status === 303)).toHaveLength(1);
  expect(all.filter(({ status, text }) => status === 401 && text.includes('helix-org token login'))).toHaveLength(9);
  expect(await submit('/login', { code })).toMatchObject({ status: 401, setCookie: '' });
});

test('a link works for 15 minutes', async () => {
  const [early, late] = [codeOf(link()), codeOf(link())];
  laterMs = 14 * 60_000;
  expect(await submit('/login', { code: early })).toMatchObject({ status: 303 });
  laterMs = 15 * 60_000 + 1_000;
  expect(await submit('/login', { code: late })).toMatchObject({ status: 401 });
  laterMs = 0;
});

test('only a login code signs in: no token, no session, nothing else', async () => {
  const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' }).token;
  for (const code of [daemon.token(), session, '', 'x'])
    expect(await submit('/login', { code })).toMatchObject({ status: 401 });
  expect(await submit('/login', {})).toMatchObject({ status: 401 });
});

test('a token signs in as the Worker whose it is, and for whom it acts', async () => {
  const page = await submit(
    '/login',
    { token: ` ${daemon.token('w-ann')}\n` },
    { origin: daemon.url, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
  );
  expect(page).toMatchObject({ status: 303, location: '/ui/' });
  expect((await get('/ui/org', cookieOf(page))).text).toContain('<strong>w-ann</strong>');
  expect(daemon.core.tokens.list().find(({ label }) => label === 'Firefox on Linux')).toMatchObject({
    worker: 'w-ann',
    kind: 'session',
  });
  const { token } = daemon.core.tokens.create({ workerId: 'w-owner', onBehalfOf: 'w-ann', label: 'for Ann' });
  expect((await get('/ui/org', cookieOf(await submit('/login', { token })))).text).toMatch(
    /<strong>w-owner<\/strong> for <strong>w-ann</,
  );
});

test('who signs in by a token is led to the page that they wanted, and nowhere else', async () => {
  const path = '/ui/activations?worker=w-ann&state=failed';
  expect((await get(path)).text).toContain(
    '<input type="hidden" name="to" value="/ui/activations?worker=w-ann&amp;state=failed">',
  );
  const token = daemon.token('w-ann');
  expect(await submit('/login', { token, to: path })).toMatchObject({ status: 303, location: path });
  for (const to of ['https://example.com/', '//example.com/ui/', '/ui/../login', 'javascript:alert(1)'])
    expect(await submit('/login', { token, to })).toMatchObject({ status: 303, location: '/ui/' });
});

test('a token that does not hold signs nobody in', async () => {
  const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 'test' }).token;
  for (const token of [session, codeOf(link()), 'hxo_nobody', 'x'])
    expect(await submit('/login', { token })).toMatchObject({
      status: 401,
      setCookie: '',
      text: expect.stringContaining('This token does not work'),
    });
});

test('a form that another page sent is refused, on another port of this machine too', async () => {
  const code = codeOf(link());
  for (const headers of [{ origin: 'http://127.0.0.1:1' }, { origin: `https://${host()}x` }, { origin: 'null' }, {}]) {
    expect(await submit('/login', { code }, headers as Record<string, string>)).toMatchObject({ status: 403 });
  }
  expect(await submit('/login', { code })).toMatchObject({ status: 303 });
});

test('a session ends after 30 days, and when its Worker is fired', async () => {
  const owner = cookieOf(await submit('/login', { code: codeOf(link()) }));
  const ann = cookieOf(await submit('/login', { code: codeOf(link('w-ann')) }));
  expect([(await get('/ui/org', owner)).status, (await get('/ui/org', ann)).status]).toEqual([200, 200]);
  await daemon.core.journal.commit('w-owner', { type: 'FireWorker', workerId: 'w-ann' });
  expect((await get('/ui/org', ann)).status).toBe(401);
  laterMs = 30 * 24 * 3_600_000 + 1_000;
  expect((await get('/ui/org', owner)).status).toBe(401);
  laterMs = 0;
});

test('signing out ends the session for good', async () => {
  const cookie = cookieOf(await submit('/login', { code: codeOf(link()) }));
  expect(await submit('/logout', {}, { cookie, origin: 'http://127.0.0.1:1' })).toMatchObject({ status: 403 });
  expect((await get('/ui/org', cookie)).status).toBe(200);
  expect(await submit('/logout', {}, { cookie, origin: daemon.url })).toMatchObject({ status: 403 });
  expect(await submit('/logout', { csrf: 'x' }, { cookie, origin: daemon.url })).toMatchObject({ status: 403 });
  const csrf = /name="csrf" value="([^"]+)"/.exec((await get('/ui/org', cookie)).text)?.[1] ?? '';
  const out = await submit('/logout', { csrf }, { cookie, origin: daemon.url });
  expect(out).toMatchObject({ status: 303, setCookie: expect.stringContaining('helix_session=; Max-Age=0') });
  expect((await get('/ui/org', cookie)).status).toBe(401);
});

test('a bearer token opens no page, and without a session a page says how to get in', async () => {
  const response = await fetch(`${daemon.url}/ui/org`, { headers: { authorization: `Bearer ${daemon.token()}` } });
  expect(response.status).toBe(401);
  expect(await response.text()).toContain('<pre>helix-org token login</pre>');
  expect((await get('/ui/org', 'helix_session=hxo_nobody')).status).toBe(401);
});

test.each([
  ['the proxy', () => ({ origin: daemon.url, 'x-forwarded-proto': 'https' })],
  ['the browser alone', () => ({ origin: daemon.url.replace('http:', 'https:') })],
])('behind a proxy that speaks TLS, as %s says, the cookie is for TLS alone', async (_who, headers) => {
  const { setCookie } = await submit('/login', { code: codeOf(link()) }, headers());
  expect(setCookie).toContain('; Secure');
});
