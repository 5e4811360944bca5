import { expect, test } from 'vitest';
import { describeInBrowser, isLive, openPage, startPages } from '../support/browser.ts';
import { waitFor } from '../support/daemon.ts';

/** Of the Role or of who a Worker is. */
const EDITOR = '#detail .part textarea[name=content]';

/** A team of three below the owner. */
async function team(agent?: Parameters<typeof startPages>[0]) {
  const pages = await startPages(agent);
  const { call } = pages;
  await call('create_role', { id: 'r-clerk', content: '# Role: Clerk\n\nAnswer.\n' });
  for (const name of ['ada', 'bob', 'eve']) {
    await call('create_position', { id: `p-${name}`, roleId: 'r-clerk', parentId: 'p-root' });
    const kind = name === 'eve' ? 'human' : 'ai';
    await call('hire_worker', {
      id: `w-${name}`,
      positionId: `p-${name}`,
      kind,
      identityContent: `I am ${name}.`,
      grants: ['publish', 'dm', 'get_role'],
    });
  }
  await call('create_stream', { id: 's-desk', name: 'Desk' });
  await pages.daemon.dispatcher.idle();
  return pages;
}

describeInBrowser('the org page', () => {
  test('A185: a click on a seat shows the editor of its Role, one on a Worker who they are and their tools in order (UI bug 2)', async () => {
    const { daemon } = await team();
    const { page } = await openPage(daemon, '/ui/org');
    await isLive(page);
    await page.click('[data-seat=p-ada]');
    await page.waitForURL('**/ui/org/positions/p-ada');
    expect(await page.inputValue(EDITOR)).toBe('# Role: Clerk\n\nAnswer.\n');
    await page.click('[data-worker=w-bob]');
    await page.waitForURL('**/ui/org/workers/w-bob');
    await page.waitForSelector('#detail h2:text("w-bob")');
    expect(await page.inputValue(EDITOR)).toBe('I am bob.');
    expect(await page.locator('#detail ul[aria-label=Tools] li').allInnerTexts()).toEqual(
      ['dm×', 'get_role×', 'publish×'].map((text) => expect.stringContaining(text.slice(0, -1))),
    );
    expect(await page.getAttribute('[data-worker=w-bob]', 'aria-current')).toBe('true');
    await page.goBack();
    await page.waitForURL('**/ui/org/positions/p-ada');
    await page.waitForSelector('#detail h2:text("Clerk")');
  });

  test('A186: saving leads back to the same detail with a note, and the next activation has the new text', async () => {
    const prompts: string[] = [];
    const { daemon } = await team({ agent: ({ prompt }) => void prompts.push(prompt) });
    const { page } = await openPage(daemon, '/ui/org/positions/p-ada');
    await page.fill(EDITOR, '# Role: Clerk\n\nAnswer in verse.');
    await page.click('#detail >> text=Save');
    await page.waitForSelector('.flash.done');
    expect(new URL(page.url()).pathname).toBe('/ui/org/positions/p-ada');
    await page.goto(`${daemon.url}/ui/org/workers/w-ada`);
    await page.fill(EDITOR, 'I am Ada the Second.');
    await page.click('#detail >> text=Save');
    await page.waitForSelector('.flash.done');
    expect(new URL(page.url()).pathname).toBe('/ui/org/workers/w-ada');
    await page.click('text=Ask to run…');
    await page.fill('input[name=reason]', 'to see');
    await page.click('button:text-is("Ask")');
    await page.waitForSelector('.flash.done');
    const prompt = await waitFor('it ran', () => prompts.find((each) => each.includes('to see')));
    expect(prompt).toContain('Answer in verse.');
    expect(prompt).toContain('I am Ada the Second.');
  });

  test('A188: left alone it asks for nothing; what changes comes by itself, and typed text, open details and scroll stay (UI bug 1)', {
    timeout: 120_000,
  }, async () => {
    const { daemon, call } = await team();
    const { page, requests } = await openPage(daemon, '/ui/org/workers/w-ada');
    await isLive(page);
    const before = requests.length;
    await page.waitForTimeout(60_000);
    expect(requests.slice(before)).toEqual([]);
    await page.fill(EDITOR, 'half a sen');
    await page.click('text=Fire…');
    await page.evaluate('document.getElementById("detail").scrollTop = 40');
    await call('create_position', { id: 'p-new', roleId: 'r-clerk', parentId: 'p-root' });
    await call('pause_worker', { workerId: 'w-ada' });
    await page.waitForSelector('[data-seat=p-new]');
    await page.waitForSelector('#worker-now .state.paused');
    expect(await page.inputValue(EDITOR)).toBe('half a sen');
    expect(await page.isVisible('text=Firing ends the run')).toBe(true);
    expect(requests.filter((request) => request.includes('/ui/org/chart')).length).toBeLessThanOrEqual(3);
  });

  test('what happened while the connection was away is shown when it is back', async () => {
    const { daemon, call } = await team();
    const { page } = await openPage(daemon, '/ui/org');
    await isLive(page);
    await page.context().setOffline(true);
    await page.evaluate('htmx.find("#live")._htmx.sse.reader.cancel()');
    await page.waitForSelector('#connection[data-state=broken]');
    await call('create_position', { id: 'p-new', roleId: 'r-clerk', parentId: 'p-root' });
    await page.context().setOffline(false);
    await page.waitForSelector('[data-seat=p-new]');
    await isLive(page);
  });

  test('search leaves what fits, folding puts away what is below, and both stay when the chart changes', async () => {
    const { daemon, call } = await team();
    await call('create_position', { id: 'p-below', roleId: 'r-clerk', parentId: 'p-ada' });
    const { page } = await openPage(daemon, '/ui/org');
    await isLive(page);
    const seats = () =>
      page.locator('[data-seat]').evaluateAll((all) => all.map((each) => each.getAttribute('data-seat')));
    await page.click('[aria-label="Put away what is below p-ada"]');
    await page.waitForSelector('text=▸ 1 seat below');
    expect(await seats()).not.toContain('p-below');
    await call('create_position', { id: 'p-zoe', roleId: 'r-clerk', parentId: 'p-root' });
    await page.waitForSelector('[data-seat=p-zoe]');
    expect(await seats()).not.toContain('p-below');
    await page.keyboard.press('/');
    await page.keyboard.type('w-BOB');
    await page.waitForSelector('[data-seat=p-ada]', { state: 'detached' });
    expect(await seats()).toEqual(['p-root', 'p-bob']);
    await call('create_position', { id: 'p-yak', roleId: 'r-clerk', parentId: 'p-root' });
    await page.waitForTimeout(700);
    expect(await seats()).toEqual(['p-root', 'p-bob']);
  });

  test('hire, give, revoke, move, pause, preview, restore and fire', async () => {
    const { daemon } = await team();
    const { page } = await openPage(daemon, '/ui/org/positions/p-ada');
    await page.click('text=Hire…');
    await page.fill('input[name=id] >> nth=0', 'w-new');
    await page.fill('textarea[name=identityContent]', 'I am new.');
    await page.check('input[value=s-desk]');
    await page.click('button:text-is("Hire")');
    await page.waitForURL('**/ui/org/workers/w-new');
    expect(await page.innerText('.flash')).toBe('w-new was hired.');
    expect(await page.innerText('ul[aria-label=Streams]')).toContain('s-desk');
    await page.fill('input[name=toolName]', 'publish');
    await page.click('button:text-is("Give")');
    await page.waitForSelector('.chip:has-text("publish")');
    await page.click('[aria-label="Take publish away"]');
    await page.waitForSelector('.flash:has-text("taken away")');
    expect(daemon.journal.org.grants.get('w-new')?.has('publish')).toBe(false);
    await page.click('text=Move…');
    await page.uncheck('input[value=p-ada]');
    await page.check('input[value=p-bob]');
    await page.click('button:text-is("Move")');
    await page.waitForSelector('.flash:has-text("now sits in p-bob")');
    await page.click('button:text-is("Pause")');
    await page.waitForSelector('#worker-now .state.paused');
    await page.fill(EDITOR, '# I am *old*');
    await page.click('button:text-is("Preview")');
    await page.waitForSelector('#identity-preview em:text("old")');
    await page.click('button:text-is("Save")');
    await page.waitForSelector('.flash:has-text("Saved")');
    await page.click('a:text-is("History")');
    await page.click('.versions li:last-child a');
    await page.click('text=Restore this version');
    await page.waitForURL('**/ui/org/workers/w-new');
    expect(daemon.queries.worker('w-new')?.identity).toBe('I am new.');
    await page.click('text=Fire…');
    await page.click('button:text-is("Fire w-new")');
    await page.waitForURL('**/ui/org');
    expect(await page.innerText('.flash')).toContain('w-new was fired');
    expect(await page.locator('[data-worker=w-new]').count()).toBe(0);
  });

  test('by keyboard alone from hire to the answer of a refusal', async () => {
    const { daemon } = await team();
    const { page } = await openPage(daemon, '/ui/org');
    await isLive(page);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.focus('[data-seat=p-root]');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate('document.activeElement.dataset.seat')).toBe('p-bob');
    await page.keyboard.press('ArrowLeft');
    expect(await page.evaluate('document.activeElement.dataset.seat')).toBe('p-ada');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/p-ada');
    await page.waitForSelector('#detail:focus');
    const tabTo = async (what: string) => {
      for (let n = 0; n < 40; n++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(what)})`)) return;
      }
      throw new Error(`no way to ${what}`);
    };
    await tabTo('details.confirm > summary');
    await page.keyboard.press('Enter');
    await tabTo('input[name=id]');
    await page.keyboard.press('End');
    await page.keyboard.type('ada');
    await tabTo('textarea[name=identityContent]');
    await page.keyboard.type('Somebody with a name that is taken');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.flash.refused');
    expect(await page.innerText('.flash')).toContain('Worker w-ada already exists');
    expect(await page.inputValue('textarea[name=identityContent]')).toBe('Somebody with a name that is taken');
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await page.waitForURL('**/ui/journal');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
  });

  test('interrupts a run, and pauses everything from the frame', async () => {
    const { daemon, call } = await team({
      agent: ({ workerId, prompt, signal }) =>
        workerId === 'w-ada' && prompt.includes('long')
          ? new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
          : undefined,
    });
    const { page } = await openPage(daemon, '/ui/org/workers/w-ada');
    await isLive(page);
    await call('activate_worker', { workerId: 'w-ada', reason: 'a long look' });
    await page.click('text=Interrupt');
    await page.waitForSelector('.flash:has-text("was stopped")');
    await page.waitForSelector('#frame-state .needs.some');
    await page.click('text=Pause all');
    await page.waitForSelector('text=Resume all');
    expect(daemon.journal.org.paused).toBe(true);
    expect(new URL(page.url()).pathname).toBe('/ui/org/workers/w-ada');
  });

  test('reading and plain forms need no script', async () => {
    const { daemon } = await team();
    const { page } = await openPage(daemon, '/ui/org', { javaScriptEnabled: false });
    await page.click('[data-worker=w-ada]');
    await page.fill('textarea[name=content]', 'No script here.');
    await page.click('button:text-is("Preview")');
    expect(await page.innerText('main')).toContain('No script here.');
    await page.goBack();
    await page.fill('textarea[name=content]', 'No script here.');
    await page.click('button:text-is("Save")');
    expect(await page.innerText('.flash')).toContain('Saved');
    expect(daemon.queries.worker('w-ada')?.identity).toBe('No script here.');
    await page.fill('input[name=q]', 'bob');
    await page.press('input[name=q]', 'Enter');
    expect(await page.locator('[data-seat]').count()).toBe(2);
  });
});
