// The three ways to begin, as somebody fills them in; without JavaScript too.
import { expect, test } from 'vitest';
import {
  DESKTOP,
  describeInBrowser,
  openPage,
  overflow,
  PHONE,
  seriousFindings,
  startPages,
} from '../support/browser.ts';

const STARTERS = [
  {
    id: 'support-mail',
    answers: { about: 'Bicycles, repaired within two days.', alias: 'help', worker: 'sam' },
    stream: { id: 's-support', kind: 'email' },
  },
  {
    id: 'github-triage',
    answers: { repository: 'acme/shop', about: 'Crashes first.', worker: 'toni' },
    stream: { id: 's-triage', kind: 'github' },
  },
  {
    id: 'webhook-watcher',
    answers: { about: 'Alerts of a monitor.', when: 'Twice in a row.', worker: 'wanda' },
    stream: { id: 's-watch', kind: 'webhook' },
  },
];

describeInBrowser('ways to begin', () => {
  for (const { id, answers, stream } of STARTERS)
    for (const javaScriptEnabled of [true, false])
      test(`${id} is set up after three questions, ${javaScriptEnabled ? 'live' : 'without JavaScript'}, and what leaves is held`, async () => {
        const { daemon } = await startPages();
        const { page } = await openPage(daemon, '/ui/org', { javaScriptEnabled });
        const form = page.locator(`#starter-${id} form`);
        await page.click(`#starter-${id} summary`);
        const fields = form.locator('input:not([type=hidden]), textarea');
        expect(await fields.count()).toBe(3);
        for (const [name, value] of Object.entries(answers)) await form.locator(`[name=${name}]`).fill(value);
        await form.locator('button').click();
        await page.waitForSelector('.flash.done');
        expect(new URL(page.url()).pathname).toBe(`/ui/org/workers/w-${answers.worker}`);
        expect(await page.innerText('.flash')).toContain('waits until you release it');
        expect(daemon.journal.org.streams.get(stream.id)).toMatchObject({
          transport: { kind: stream.kind },
          hold: true,
        });
        expect(daemon.queries.members(stream.id)).toEqual([`w-${answers.worker}`]);
      });

  test('200 Workers and the empty org are readable on a phone and by screen readers', { timeout: 60_000 }, async () => {
    const { daemon, call } = await startPages();
    for (const look of [DESKTOP, PHONE]) {
      const { page } = await openPage(daemon, '/ui/org', look);
      expect([await overflow(page), await seriousFindings(page)]).toEqual([0, []]);
    }
    await call('create_role', { id: 'r-clerk', content: '# Role: Clerk' });
    for (let n = 0; n < 200; n++) {
      const parentId = n < 8 ? 'p-root' : `p-${Math.floor((n - 8) / 5)}`;
      await call('create_position', { id: `p-${n}`, roleId: 'r-clerk', parentId });
      await call('hire_worker', { id: `w-${n}`, positionId: `p-${n}`, kind: 'human', identityContent: 'A clerk.' });
    }
    for (const look of [DESKTOP, PHONE]) {
      const { page } = await openPage(daemon, '/ui/org', look);
      expect([await overflow(page), await seriousFindings(page)]).toEqual([0, []]);
    }
  });
});
