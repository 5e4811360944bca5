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

const NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

describeInBrowser('the journal and the settings', () => {
  test('the journal grows on top by itself, and by scrolling at the end', async () => {
    const { daemon, call } = await startPages();
    for (let n = 0; n < 130; n++) await call('create_role', { id: `r-${n}`, content: 'x' });
    const { page, requests } = await openPage(daemon, '/ui/journal?what=roles');
    await isLive(page);
    const rows = () => page.locator('#entries > li[id^=j-]').count();
    expect(await rows()).toBe(50);
    await call('create_role', { id: 'r-brand-new', content: 'x' });
    await page.waitForSelector('#entries li:has-text("r-brand-new")');
    await call('create_role', { id: 'r-second', content: 'x' });
    await page.waitForSelector('#entries li:has-text("r-second")');
    expect(await rows()).toBe(52);
    const order = await page
      .locator('#entries > li[id^=j-]')
      .evaluateAll((all) => all.map((each) => Number(each.id.slice(2))));
    expect(order).toEqual([...order].sort((a, b) => b - a));
    for (let n = 0; n < 4; n++) {
      await page.mouse.wheel(0, 50_000);
      await page.waitForTimeout(150);
    }
    await page.waitForSelector('#entries li:has-text("r-owner")');
    expect(await rows()).toBe(133);
    expect(requests.filter((request) => request.includes('before=')).length).toBe(2);
  });

  test('settings are saved, refused and reset; what is typed is text wherever it turns up', async () => {
    const { daemon } = await startPages();
    const { page } = await openPage(daemon, '/ui/settings');
    const hops = page.locator('#dispatch-max_hops');
    await hops.locator('input[name=value]').fill('5');
    await hops.locator('button:text-is("Save")').click();
    await page.waitForSelector('.flash.done');
    expect(daemon.settings.get('dispatch.max_hops')).toBe(5);
    await hops.locator('input[name=value]').fill(NASTY);
    await hops.locator('button:text-is("Save")').click();
    await page.waitForSelector('.flash.refused');
    expect(await hops.locator('input[name=value]').inputValue()).toBe(NASTY);
    await hops.locator('button:text-is("Reset")').click();
    await page.waitForSelector('.flash:has-text("default again")');
    expect(daemon.settings.get('dispatch.max_hops')).toBe(8);
    await page.fill('input[name=label]', NASTY);
    await page.click('button:text-is("Make it")');
    await page.waitForSelector('.flash:has-text("hxo_")');
    await page.waitForSelector(`td:has-text("onerror")`);
    await page.check('input[value=dark]');
    await page.click('button:text-is("Use")');
    await page.waitForSelector('html[data-theme=dark]');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 22, 20)');
    expect(await seriousFindings(page)).toEqual([]);
  });

  test('a person who is let in by a link reads what they may, and their session can be ended', async () => {
    const { daemon, call } = await startPages();
    await call('hire_worker', {
      id: 'w-ann',
      positionId: 'p-root',
      kind: 'human',
      identityContent: 'Ann.',
      grants: ['publish'],
    });
    const { page: owners } = await openPage(daemon, '/ui/org/workers/w-ann');
    await owners.click('text=Make a sign-in link');
    const link = /http:\S+/.exec(await owners.innerText('.flash'))?.[0] ?? '';
    const { page } = await openPage(daemon, '/login');
    await page.context().clearCookies();
    await page.goto(link);
    await page.click('text=Open helix-org');
    await page.waitForURL('**/ui/');
    await isLive(page);
    expect(await page.innerText('.me')).toContain('w-ann');
    await page.goto(`${daemon.url}/ui/org`);
    expect(await page.locator('form[action^="/ui/do/"]').count()).toBe(0);
    await owners.goto(`${daemon.url}/ui/settings`);
    await owners.locator('tr:has-text("w-ann")').locator('button').click();
    await owners.waitForSelector('.flash:has-text("has ended")');
    await page.goto(`${daemon.url}/ui/journal`);
    await page.waitForSelector('h1:text("You are not signed in")');
  });

  test('signing in by token works on a phone, and with a wrong one says so', async () => {
    const { daemon } = await startPages();
    const { page } = await openPage(daemon, '/login', PHONE);
    await page.context().clearCookies();
    await page.goto(`${daemon.url}/ui/journal`);
    expect([await overflow(page), await seriousFindings(page)]).toEqual([0, []]);
    await page.fill('input[name=token]', 'hxo_wrong');
    await page.click('button:text-is("Sign in")');
    await page.waitForSelector('h1:text("This token does not work")');
    await page.fill('input[name=token]', daemon.ownerToken);
    await page.click('button:text-is("Sign in")');
    await isLive(page);
  });
});
