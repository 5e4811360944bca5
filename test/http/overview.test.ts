import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await openTestDaemon({ stateOf: (id) => (id === 'w-echo' ? 'running' : 'idle'), waitingOf: () => 3 });
  await daemon.hire('w-echo', { grants: ['publish'] });
  await daemon.hire('w-ann', { kind: 'human', grants: ['publish'] });
  await daemon.call('create_stream', { id: 's-general', name: 'General' });
  await daemon.call('create_stream', { id: 's-secret', name: 'Secret', private: true });
});
afterAll(() => daemon.close());

async function page(workerId = 'w-owner'): Promise<string> {
  const { token } = daemon.core.tokens.create({ workerId, kind: 'session', label: 'test' });
  const response = await fetch(`${daemon.url}/ui`, { headers: { cookie: `other=1; helix_session=${token}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  expect(response.headers.get('cache-control')).toBe('no-store');
  return response.text();
}

test('shows Workers with Role, state and what waits, and the newest Events', async () => {
  await daemon.call('publish', { streamId: 's-general', body: 'good morning', subject: 'Greeting' }, 'w-echo');
  const html = await page();
  expect(html).toMatch(
    /<span class="state running">running<\/span>\s*<strong>w-echo<\/strong>\s*<span class="quiet">echo<\/span>\s*<span class="count">3 waiting<\/span>/,
  );
  expect(html).toContain('<strong>w-ann</strong>');
  expect(html).toMatch(/<strong>w-echo<\/strong>\s*<span>on General<\/span>/);
  expect(html).toContain('<h3>Greeting</h3>');
  expect(html).toContain('<p class="body">good morning</p>');
});

test('shows what was said as text, whatever it says', async () => {
  const nasty = `</p><script>alert(1)</script><img src=x onerror=alert(2)> & "quotes" 'single' \${it} <%= it %>`;
  await daemon.call('create_stream', { id: 's-nasty', name: '<b>Nasty</b>' });
  await daemon.call('publish', { streamId: 's-nasty', body: nasty, subject: nasty });
  const html = await page();
  expect(html).not.toMatch(/<script|<img|<b>/);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('on &lt;b&gt;Nasty&lt;/b&gt;');
});

test('puts notices on top, for those who may read them', async () => {
  await daemon.core.journal.commit('system', {
    type: 'PostNotice',
    subject: 'Something is stuck',
    body: 'Look at it.',
  });
  const html = await page();
  expect(html.indexOf('Something is stuck')).toBeGreaterThan(0);
  expect(html.indexOf('Something is stuck')).toBeLessThan(html.indexOf('id="workers"'));
  expect(await page('w-ann')).not.toContain('Something is stuck');
});

test('shows nobody what they may not read', async () => {
  await daemon.call('publish', { streamId: 's-secret', body: 'between us' });
  expect(await page()).toContain('between us');
  expect(await page('w-ann')).not.toContain('between us');
});

test('shows long, binary and erased bodies by what they are', async () => {
  await daemon.call('create_stream', { id: 's-in', name: 'In', transport: 'webhook' });
  await daemon.call('publish', { streamId: 's-general', body: `long ${'x'.repeat(5_000)} end` });
  await fetch(`${daemon.url}/webhooks/s-in`, {
    method: 'POST',
    body: Uint8Array.of(0xff, 1, 2),
    headers: { 'content-type': 'image/png' },
  });
  const html = await page();
  expect(html).toContain('long xxx');
  expect(html).not.toContain('x end');
  expect(html).toContain('image/png, about 3 bytes.');
});

test('says that the org is paused', async () => {
  await daemon.core.journal.commit('w-owner', { type: 'PauseOrg' });
  expect(await page()).toContain('The org is paused.');
  await daemon.core.journal.commit('w-owner', { type: 'ResumeOrg' });
  expect(await page()).not.toContain('The org is paused.');
});

test('needs nothing from elsewhere, and no script', async () => {
  const html = await page();
  const links = [...html.matchAll(/(?:href|src|action)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(new Set(links)).toEqual(new Set(['/static/icon.svg', '/static/style.css', '#content', '/ui', '/logout']));
  for (const link of links.filter((path) => path.startsWith('/static/'))) {
    const asset = await fetch(daemon.url + link);
    expect(asset.status).toBe(200);
    expect(await asset.text()).not.toMatch(/@import|url\(|<script/);
  }
  expect(html).not.toContain('style=');
});

test('the root leads to it', async () => {
  const response = await fetch(daemon.url, { redirect: 'manual' });
  expect([response.status, response.headers.get('location')]).toEqual([302, '/ui']);
});
