// Pages in a real Chromium, in front of a real daemon. Where there is none, these tests are skipped, in CI they fail.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished } from 'vitest';
import { startTestDaemon, type TestDaemonOptions } from './daemon.ts';

const PLACES = [
  process.env.HELIX_CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For one step; a page of a busy machine may take a while. */
const PATIENCE_MS = 30_000;
const CLOSING_MS = 10_000;

const executablePath = PLACES.find((path) => path !== '' && existsSync(path));

/** Tests that need a browser. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (!executablePath && !process.env.CI) {
    console.warn(`No Chromium here (apt-get install chromium, or HELIX_CHROMIUM=/path/to/it): ${name} is skipped.`);
    describe.skip(name, tests);
    return;
  }
  describe(name, tests);
  afterAll(async () => {
    await (await launched)?.close();
    launched = undefined;
  });
}

let launched: Promise<Browser> | undefined;

/** One for all tests of a file. */
export function browser(): Promise<Browser> {
  if (!executablePath) throw new Error('There is no Chromium; install it, or name it in HELIX_CHROMIUM.');
  launched ??= chromium.launch({ executablePath, args: FLAGS });
  return launched;
}

export const DESKTOP = { viewport: { width: 1280, height: 860 } } satisfies BrowserContextOptions;
export const PHONE = { viewport: { width: 390, height: 800 }, hasTouch: true } satisfies BrowserContextOptions;

export type OpenPage = {
  page: Page;
  /** Requests of the page since it was opened, as `GET /path?query`, without files. */
  requests: string[];
};

/** A daemon whose pages can be looked at. */
export type Shown = {
  url: string;
  tokens: { create(options: { workerId: string; kind: 'session'; label: string }): { token: string } };
};

/**
 * A page of a signed-in Worker in a browser of its own. The test fails when anything breaks the content security policy, when a
 * script fails, or when anything is asked of another host.
 */
export async function openPage(
  daemon: Shown,
  path: string,
  { workerId = 'w-owner', ...options }: BrowserContextOptions & { workerId?: string } = {},
): Promise<OpenPage> {
  const context = await (await browser()).newContext({ ...DESKTOP, ...options });
  const { token } = daemon.tokens.create({ workerId, kind: 'session', label: 'Chrome on Linux' });
  await context.addCookies([
    { name: 'helix_session', value: token, url: daemon.url, httpOnly: true, sameSite: 'Strict' },
  ]);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => problems.push(`a script failed: ${error.message}`));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
  });
  page.on('dialog', (dialog) => void dialog.dismiss().catch(() => {}));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol === 'http:' && url.origin !== daemon.url) problems.push(`asked ${url.origin}`);
    if (!url.pathname.startsWith('/static/')) requests.push(`${request.method()} ${url.pathname}${url.search}`);
  });
  onTestFinished(async () => {
    // Chromium does not always answer while a page is on its way to another one; it ends with its browser then.
    await Promise.race([context.close(), pause(CLOSING_MS, undefined, { ref: false })]);
    expect(problems).toEqual([]);
  });
  await page.goto(daemon.url + path);
  return { page, requests };
}

/** Resolves when the page has its live connection. */
export const isLive = (page: Page): Promise<void> =>
  page.waitForSelector('#connection[data-state=live]').then(() => {});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type AxeRun = { violations: { id: string; impact: string; nodes: { target: string[] }[] }[] };

/** What axe-core finds serious or critical, as `rule: element`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as AxeRun;
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

/** How many pixels the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - window.innerWidth') as Promise<number>;

/** A daemon whose pages can be opened, and the owner's tools. */
export async function startPages(options: TestDaemonOptions = {}) {
  const daemon = await startTestDaemon(options);
  return {
    daemon,
    /** Calls a tool. @throws Error with the refusal */
    async call(tool: string, args: object = {}, workerId = 'w-owner'): Promise<Record<string, unknown>> {
      const outcome = await daemon.door.call({ workerId, via: 'mcp' }, tool, args);
      if (outcome.kind !== 'ok') throw new Error(outcome.kind === 'refused' ? outcome.message : `no tool ${tool}`);
      return outcome.result;
    },
  };
}
