// Every page in both schemes and two widths: of a newsroom that is made up, so that each state is there; or, with
// HELIX_SCREENSHOTS=folder (npm run screenshots), of the newsroom demo, kept there as pictures. The demo talks to nobody in the
// chat, so that page is always of the one that is made up.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  DESKTOP,
  describeInBrowser,
  isLive,
  openPage,
  overflow,
  PHONE,
  type Shown,
  seriousFindings,
} from '../support/browser.ts';
import { openNewsroom } from '../support/newsroom.ts';
import { addChat } from '../support/newsroom-chat.ts';
import { openNewsroomDemo } from '../support/newsroom-demo.ts';
import { addLetters } from '../support/newsroom-letters.ts';

const PAGES: Record<string, string> = {
  chat: '/ui/',
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
const LOOKS = [
  ['light', { ...DESKTOP, colorScheme: 'light' }],
  ['dark', { ...DESKTOP, colorScheme: 'dark' }],
  ['phone-light', { ...PHONE, colorScheme: 'light' }],
  ['phone-dark', { ...PHONE, colorScheme: 'dark' }],
] as const;

/** On a phone, what one sees after scrolling a little. */
const cut = (look: string) =>
  look.startsWith('phone') ? { fullPage: true, clip: { x: 0, y: 0, width: PHONE.viewport.width, height: 1_400 } } : {};

const folder = process.env.HELIX_SCREENSHOTS;

/** Pages of one daemon, by name. */
type Looked = { daemon: Shown; pages: Record<string, string> };

async function madeUp(): Promise<Looked> {
  const newsroom = await openNewsroom();
  await addChat(newsroom);
  const { queries } = newsroom.daemon;
  const event = await addLetters(newsroom);
  /** `$failed` stands for the newest run that ended so. */
  const located = (path: string) =>
    path.replace(
      /\$(failed|running)/,
      (_, state: 'failed' | 'running') => queries.activationPage({ states: [state], limit: 1 })[0]?.id ?? state,
    );
  const pages = Object.fromEntries(Object.entries(PAGES).map(([name, path]) => [name, located(path)]));
  return { daemon: newsroom.daemon, pages: { ...pages, event: `/ui/events/${event}` } };
}

async function ofTheDemo(): Promise<Looked> {
  const { daemon, failed, published, go } = await openNewsroomDemo();
  // Nobody works at the moment at which this one is looked at.
  const { 'activation-live': _, chat: _chat, ...others } = PAGES;
  const pages = {
    ...others,
    worker: '/ui/org/workers/w-maya',
    position: '/ui/org/positions/p-copy-desk',
    history: '/ui/org/roles/r-editor-in-chief/history',
    activation: `/ui/activations/${published}`,
    'activation-failed': `/ui/activations/${failed}`,
    stream: '/ui/streams?id=s-editorial',
    event: `/ui/events/${go}`,
  };
  return { daemon, pages };
}

describeInBrowser('pages', () => {
  test('every page looks as it should in both schemes and on a phone', { timeout: 420_000 }, async () => {
    const made = await madeUp();
    const looked = folder ? [await ofTheDemo(), { ...made, pages: { chat: PAGES.chat ?? '' } }] : [made];
    if (folder) mkdirSync(folder, { recursive: true });
    for (const { daemon, pages } of looked) for (const look of LOOKS) await take(daemon, pages, look);
  });
});

async function take(daemon: Shown, pages: Record<string, string>, [look, options]: (typeof LOOKS)[number]) {
  const { page } = await openPage(daemon, '/ui/org', options);
  for (const [name, path] of Object.entries(pages)) {
    const response = await page.goto(daemon.url + path);
    expect([path, response?.status()]).toEqual([path, 200]);
    await isLive(page);
    expect([path, look, await overflow(page)]).toEqual([path, look, 0]);
    expect([path, look, await seriousFindings(page)]).toEqual([path, look, []]);
    if (folder) await page.screenshot({ path: join(folder, `${name}-${look}.png`), ...cut(look) });
  }
}
