// Every page in both schemes and two widths. With HELIX_SCREENSHOTS=folder they are kept there (npm run screenshots).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DESKTOP, describeInBrowser, isLive, openPage, overflow, PHONE, seriousFindings } from '../support/browser.ts';
import { openNewsroom } from '../support/newsroom.ts';
import { addLetters } from '../support/newsroom-letters.ts';

const PAGES: Record<string, string> = {
  org: '/ui/org',
  worker: '/ui/org/workers/w-cleo',
  position: '/ui/org/positions/p-checking',
  history: '/ui/org/roles/r-reporter/history',
  activations: '/ui/activations',
  activation: '/ui/activations/$failed',
  'activation-live': '/ui/activations/$running',
  'silent-runs': '/ui/activations/silent',
  attention: '/ui/attention',
  streams: '/ui/streams',
  stream: '/ui/streams?id=s-desk',
  journal: '/ui/journal',
  settings: '/ui/settings',
};
const LOOKS = {
  light: { ...DESKTOP, colorScheme: 'light' },
  dark: { ...DESKTOP, colorScheme: 'dark' },
  'phone-light': { ...PHONE, colorScheme: 'light' },
  'phone-dark': { ...PHONE, colorScheme: 'dark' },
} as const;

/** On a phone, what one sees after scrolling a little. */
const cut = (look: string) =>
  look.startsWith('phone') ? { fullPage: true, clip: { x: 0, y: 0, width: PHONE.viewport.width, height: 1_400 } } : {};

const folder = process.env.HELIX_SCREENSHOTS;

describeInBrowser('pages', () => {
  test('every page looks as it should in both schemes and on a phone', { timeout: 180_000 }, async () => {
    const newsroom = await openNewsroom();
    const { daemon } = newsroom;
    const pages = { ...PAGES, event: `/ui/events/${await addLetters(newsroom)}` };
    /** `$failed` stands for the newest run that ended so. */
    const located = (path: string) =>
      path.replace(/\$(failed|running)/, (_, state: 'failed' | 'running') => {
        const [run] = daemon.queries.activationPage({ states: [state], limit: 1 });
        return run?.id ?? state;
      });
    if (folder) mkdirSync(folder, { recursive: true });
    for (const [look, options] of Object.entries(LOOKS)) {
      const { page } = await openPage(daemon, '/ui/org', options);
      for (const [name, path] of Object.entries(pages)) {
        const response = await page.goto(daemon.url + located(path));
        expect([path, response?.status()]).toEqual([path, 200]);
        await isLive(page);
        expect([path, look, await overflow(page)]).toEqual([path, look, 0]);
        expect([path, look, await seriousFindings(page)]).toEqual([path, look, []]);
        if (folder) await page.screenshot({ path: join(folder, `${name}-${look}.png`), ...cut(look) });
      }
    }
  });
});
