import { expect, test } from 'vitest';
import {
  describeInBrowser,
  isLive,
  openPage,
  overflow,
  PHONE,
  seriousFindings,
  startPages,
} from '../support/browser.ts';
import { waitFor } from '../support/daemon.ts';

const NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

/** A desk where w-sam listens, and takes as long as the test wants. */
async function desk() {
  let finish = () => {};
  const pages = await startPages({
    agent: ({ signal }) =>
      new Promise((resolve) => {
        finish = () => resolve({ usage: { costUsd: 0.05 } });
        signal.addEventListener('abort', () => resolve());
      }),
  });
  const { call, daemon } = pages;
  await call('create_role', { id: 'r-clerk', content: '# Role: Clerk' });
  await call('create_position', { id: 'p-clerk', roleId: 'r-clerk', parentId: 'p-root' });
  await call('create_stream', { id: 's-desk', name: 'Desk' });
  await call('create_stream', { id: 's-other', name: 'Other' });
  await call('hire_worker', {
    id: 'w-sam',
    positionId: 'p-clerk',
    kind: 'ai',
    identityContent: 'Sam.',
    streams: ['s-desk'],
  });
  const isRunning = () => daemon.queries.runningActivations().length === 1;
  await waitFor('w-sam looks around', isRunning);
  finish();
  await waitFor('w-sam is done', () => !isRunning());
  return { ...pages, isRunning, finish: () => finish() };
}

describeInBrowser('Streams', () => {
  test('A191: a look ahead while one types, then what was sent, who is at work on it and what came of it, all by itself', async () => {
    const { daemon, call, isRunning, finish } = await desk();
    const { page } = await openPage(daemon, '/ui/streams?id=s-desk');
    await isLive(page);
    expect(await page.innerText('#foreseen')).toMatch(/Wakes w-sam\./);
    await call('pause_org');
    await page.waitForSelector('#foreseen:has-text("The org is paused")');
    await call('resume_org');
    await page.waitForSelector('#foreseen:not(:has-text("The org is paused"))');
    await page.fill('textarea[name=body]', 'Where is the *key*?');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.flash.done:has-text("It wakes w-sam")');
    await page.waitForSelector('.card .said em:text("key")');
    await isLive(page);
    await waitFor('w-sam reads it', isRunning);
    await page.waitForSelector('.card .outcome:has-text("woke w-sam, at work since")');
    await page.click('.card .envelope summary');
    await page.fill('textarea[name=body]', 'half a sen');
    finish();
    await page.waitForSelector('.card .outcome:has-text("nothing said, nothing changed · $0.05")');
    await call('publish', { streamId: 's-desk', body: 'brand new', subject: NASTY });
    await page.waitForSelector('.card:has-text("brand new")');
    await call('publish', { streamId: 's-desk', body: 'newer still' });
    await page.waitForSelector('.card:has-text("newer still")');
    expect(await page.locator('.card').count()).toBe(3);
    expect(await page.locator('.card .said').allInnerTexts()).toEqual([
      'newer still',
      'brand new',
      'Where is the key?',
    ]);
    expect(await page.inputValue('textarea[name=body]')).toBe('half a sen');
    expect(await page.locator('.card .envelope').last().getAttribute('open')).toBe('');
    expect(await seriousFindings(page)).toEqual([]);
  });

  test('A192: the list of all Streams grows on top by itself and by scrolling at the end; left alone it asks for nothing', {
    timeout: 90_000,
  }, async () => {
    const { daemon, call, finish } = await desk();
    for (let n = 0; n < 120; n++) await call('publish', { streamId: 's-other', body: `note ${n}` });
    const { page, requests } = await openPage(daemon, '/ui/streams');
    await isLive(page);
    const before = requests.length;
    await page.waitForTimeout(30_000);
    expect(requests.slice(before)).toEqual([]);
    await call('publish', { streamId: 's-other', body: 'one more' });
    await page.waitForSelector('.card:has-text("one more")');
    await call('publish', { streamId: 's-desk', body: 'and one on the desk' });
    await page.waitForSelector('.card:has-text("and one on the desk")');
    await page.waitForSelector('.card:has-text("and one on the desk") .outcome:has-text("at work since")');
    finish();
    await page.waitForSelector('.card:has-text("and one on the desk") .outcome:has-text("nothing said")');
    for (let n = 0; n < 4; n++) {
      await page.mouse.wheel(0, 80_000);
      await page.waitForTimeout(150);
    }
    await page.waitForSelector('.card:has-text("note 0")');
    const ids = await page.locator('.card').evaluateAll((all) => all.map((each) => each.id));
    expect([ids.length, new Set(ids).size]).toEqual([122, 122]);
    expect([...ids].sort().reverse()).toEqual(ids);
  });

  test('what a stranger sends does nothing on any page; on a phone everything fits', async () => {
    const { daemon, call } = await startPages();
    await call('create_stream', { id: 's-in', name: 'In', transport: 'webhook' });
    const { page } = await openPage(daemon, '/ui/streams?id=s-in', PHONE);
    await isLive(page);
    const long = 'x'.repeat(300);
    for (const [type, body] of [
      ['text/html', `<b>bold</b><script>alert(1)</script><img src="http://evil.example/x" onerror=alert(1)>${NASTY}`],
      ['application/json', JSON.stringify({ [NASTY]: NASTY, long })],
      ['text/plain', `${NASTY} ${long}`],
      ['text/markdown', `[x](javascript:alert(1)) ${NASTY} ![](http://evil.example/y)`],
    ] as const)
      await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', headers: { 'content-type': type }, body });
    const id = (
      await call('publish', {
        streamId: 's-in',
        body: NASTY,
        subject: NASTY,
        to: [NASTY, long],
        threadId: NASTY,
        attachments: [{ filename: NASTY, url: 'javascript:alert(1)' }],
      })
    ).id;
    await page.waitForSelector(`[id="${String(id)}"]`);
    expect(await page.locator('.card').count()).toBe(5);
    for (const summary of await page.locator('.envelope summary').all()) await summary.click();
    const fits = async () => [
      await overflow(page),
      await seriousFindings(page),
      await page.locator('main img, main script').count(),
    ];
    expect(await fits()).toEqual([0, [], 0]);
    await page.click(`[id="${String(id)}"] .when`);
    await page.waitForURL(`**/ui/events/${String(id)}`);
    expect(await fits()).toEqual([0, [], 0]);
    await page.goto(`${daemon.url}/ui/streams?q=script`);
    await page.waitForSelector('mark');
    expect(await fits()).toEqual([0, [], 0]);
  });

  test('held mail is found, read and let go; an Event leads to its causes and can be erased', async () => {
    const { daemon, call } = await startPages();
    const transport = { kind: 'webhook', config: { outbound_url: 'https://there.invalid/' } };
    await call('create_stream', { id: 's-out', name: 'Out', transport, hold: true });
    const { id } = await call('publish', { streamId: 's-out', subject: 'An offer', body: 'Ten for one.' });
    await call('pause_org');
    const { page } = await openPage(daemon, '/ui/streams');
    await isLive(page);
    await page.click('.needs-list h3 a:text("An offer")');
    await page.waitForURL(`**/ui/events/${String(id)}`);
    expect(await page.innerText('.causes')).toContain('w-owner said on s-out');
    await isLive(page);
    await page.click('button:text-is("Release")');
    await page.waitForSelector('.flash.done:has-text("released")');
    await page.waitForSelector('.led:has-text("request on its way")');
    await page.click('text=Erase…');
    await page.fill('input[name=reason]', 'a mistake');
    await page.click('button:text-is("Erase what it says")');
    await page.waitForSelector('.card:has-text("What it said was erased.")');
    expect(await seriousFindings(page)).toEqual([]);
  });

  test('without JavaScript one reads, goes back in time, searches, sends, and changes a Stream', async () => {
    const { daemon, call } = await startPages();
    await call('create_stream', { id: 's-desk', name: 'Desk' });
    for (let n = 0; n < 60; n++) await call('publish', { streamId: 's-desk', body: `note ${n}` });
    const { page } = await openPage(daemon, '/ui/streams', { javaScriptEnabled: false });
    await page.click('.streams-side a:has-text("Desk")');
    await page.fill('textarea[name=body]', 'sent by hand');
    await page.click('button:text-is("Send")');
    await page.waitForSelector('.flash:has-text("Sent.")');
    await page.waitForSelector('.card:has-text("sent by hand")');
    await page.click('text=Older');
    await page.waitForSelector('.card:has-text("note 0")');
    await page.click('text=Back to the latest');
    await page.fill('#streams-q', 'note 7');
    await page.click('button:text-is("Search")');
    await page.waitForSelector('mark:text("7")');
    expect(await page.locator('.card').count()).toBe(1);
    await page.click('text=Back to the latest');
    await page.click('text=Settings…');
    await page.fill('#settings input[name=name]', 'Front desk');
    await page.click('#settings button:text-is("Save")');
    await page.waitForSelector('h1:text("Front desk")');
  });
});
