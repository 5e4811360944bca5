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
import type { PlayAgent } from '../support/daemon.ts';
import { waitFor } from '../support/daemon.ts';

const NASTY = `</pre><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;

type Run = Parameters<PlayAgent>[0];

/** One AI Worker whose run does what the test says until it is told to end; its hire is over. */
async function pages() {
  let isHired = false;
  let current: Run | undefined;
  let finish: (end: { outcome?: 'failed'; exit?: string }) => void = () => {};
  const started = await startPages({
    agent: (run) => {
      if (!isHired) return;
      current = run;
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    settings: { 'dispatch.attempts': 1 },
  });
  const { call, daemon } = started;
  await call('create_role', { id: 'r-clerk', content: '# Role: Clerk' });
  await call('create_position', { id: 'p-ada', roleId: 'r-clerk', parentId: 'p-root' });
  await call('create_stream', { id: 's-desk', name: 'Desk' });
  await call('hire_worker', {
    id: 'w-ada',
    positionId: 'p-ada',
    kind: 'ai',
    identityContent: 'I am Ada.',
    streams: ['s-desk'],
  });
  await daemon.dispatcher.idle();
  isHired = true;
  return {
    ...started,
    async wake(body: string) {
      current = undefined;
      await call('publish', { streamId: 's-desk', body });
      return waitFor('it runs', () => current);
    },
    finish: (end: { outcome?: 'failed'; exit?: string } = {}) => finish(end),
  };
}

describeInBrowser('activations and attention', () => {
  test('a run is followed line by line: a late result finds its call, what is open stays open, and only who is at the end is scrolled', async () => {
    const { daemon, wake, finish } = await pages();
    const run = await wake('Look it up');
    const { page } = await openPage(daemon, `/ui/activations/${run.activationId}`);
    await isLive(page);
    run.onSegment({
      body: 'tool_use look: {}',
      extra: { tool_use: { id: 'c1', name: 'look', input: { what: NASTY } } },
    });
    await page.click('.call summary');
    run.onSegment({
      body: 'tool_result: found',
      extra: { tool_result: { id: 'c1', isError: false, content: `found ${NASTY}` } },
    });
    await page.waitForSelector('.call .result:has-text("found")');
    expect(await page.getAttribute('.call details', 'open')).not.toBeNull();
    for (let line = 0; line < 80; line++) run.onSegment({ body: `line ${line} ${NASTY}` });
    await page.waitForSelector('#lines >> text=line 79');
    await page.evaluate('scrollTo(0, 0)');
    run.onSegment({ body: 'said while reading the top' });
    await page.waitForSelector('#lines >> text=said while reading the top', { state: 'attached' });
    expect(await page.evaluate('scrollY')).toBe(0);
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    for (let line = 0; line < 30; line++) run.onSegment({ body: `more ${line}` });
    await page.waitForSelector('#lines >> text=more 29');
    await page.waitForSelector('#lines > li:has-text("more 29")');
    const below = "document.getElementById('lines').getBoundingClientRect().bottom - innerHeight";
    await waitFor('the end is in sight', async () => ((await page.evaluate(below)) as number) <= 0);
    finish();
    await page.waitForSelector('#run-state .state.done');
    await page.waitForSelector('#lines .end .good');
    expect(await page.title()).not.toBe('owned');
  });

  test('the list shows who runs as it begins and ends; a run is interrupted and tried again by forms without script', async () => {
    const { daemon, wake } = await pages();
    const { page } = await openPage(daemon, '/ui/activations');
    await isLive(page);
    const run = await wake(`Do it ${NASTY}`);
    await page.waitForSelector(`#now-${run.activationId}`);
    const plain = await openPage(daemon, `/ui/activations/${run.activationId}`, { javaScriptEnabled: false });
    await plain.page.click('text=Interrupt');
    await plain.page.waitForSelector('.flash:has-text("was stopped")');
    await page.waitForSelector(`#run-${run.activationId} .state.interrupted`);
    await page.waitForSelector('#frame-state .needs.some');
    await plain.page.goto(`${daemon.url}/ui/activations/${run.activationId}`);
    await plain.page.click('button:text-is("Try again")');
    await plain.page.waitForSelector('.flash:has-text("is tried again")');
    await page.waitForSelector(`.now-cards li:not(#now-${run.activationId})`);
    expect(await page.title()).not.toBe('owned');
    expect(await seriousFindings(page)).toEqual([]);
  });

  test('what waits for a person comes up by itself, is settled by its form, and then it is calm; on a phone too', async () => {
    const { daemon, wake, finish } = await pages();
    const { page } = await openPage(daemon, '/ui/attention', PHONE);
    await page.waitForSelector('h2:text("Nothing needs you")');
    await isLive(page);
    for (const body of ['first', `second ${NASTY}`]) {
      await wake(body);
      finish({ outcome: 'failed', exit: `exit ${NASTY}` });
      await waitFor('it has ended', () => daemon.queries.runningActivations().length === 0);
    }
    await page.waitForSelector('#matters-failed li:has-text("second")');
    expect(await page.locator('.matter-list > li').count()).toBe(2);
    expect(await page.innerText('#frame-state .needs strong')).toBe('2');
    expect(await overflow(page)).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    await page.click('text=Discard all…');
    await page.click('button:text-is("Discard all 2")');
    await page.waitForSelector('.flash:has-text("2 things of w-ada were discarded.")');
    await page.waitForSelector('h2:text("Nothing needs you")');
    expect(await page.title()).not.toBe('owned');
  });
});
