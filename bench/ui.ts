// How soon each page begins to come, with 200 Workers and a million Events, and whether a page that nobody touches asks for
// anything.
//   npm run bench:ui [-- --quick]
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { callTool, startDaemonProcess, temporaryFolder } from './daemon-process.ts';
import { copyOf, dataset, streamId, workerId } from './dataset.ts';
import { type Figure, isQuick, median, quantile, report, show } from './figures.ts';

const SIZE = isQuick
  ? { events: 100_000, workers: 200, runs: 1_000 }
  : { events: 1_000_000, workers: 200, runs: 10_000 };
const TIMES = isQuick ? 10 : 30;
const IDLE_MS = isQuick ? 5_000 : 60_000;
const FIRST_BYTE_MAX_MS = 100;

const data = temporaryFolder();
copyOf(await dataset(SIZE), data);
const daemon = await startDaemonProcess(data, { settings: { 'agent.kind': 'command' } });
const cookie = await signIn();

async function signIn(): Promise<string> {
  const body = new URLSearchParams({ token: daemon.token });
  const answer = await fetch(`${daemon.url}/login`, {
    method: 'POST',
    headers: { origin: daemon.url },
    body,
    redirect: 'manual',
  });
  const [given] = answer.headers.getSetCookie();
  if (!given) throw new Error(`signing in answered ${answer.status} without a session`);
  return given.split(';')[0] ?? '';
}

const { events } = (await callTool(daemon, 'read_events', { streamId: streamId(0), limit: 1 })) as {
  events: { id: string }[];
};
const PAGES = [
  '/ui/',
  '/ui/org',
  `/ui/org?worker=${workerId(7)}`,
  '/ui/streams',
  `/ui/streams?id=${streamId(0)}`,
  `/ui/streams?id=${streamId(0)}&search=Offer`,
  `/ui/events/${events[0]?.id}`,
  '/ui/activations',
  '/ui/activations/a-run-7',
  '/ui/attention',
  '/ui/journal',
  '/ui/settings',
];

async function firstByte(path: string): Promise<number> {
  const began = performance.now();
  const response = await fetch(`${daemon.url}${path}`, { headers: { cookie } });
  const ms = performance.now() - began;
  await response.text();
  if (!response.ok || new URL(response.url).pathname === '/ui/login') throw new Error(`${path}: ${response.status}`);
  return ms;
}

const found = new Map(PAGES.map((path) => [path, [] as number[]]));
for (let round = -2; round < TIMES; round++) {
  for (const path of PAGES) {
    if (process.env.DEBUG) console.error(path);
    const ms = await firstByte(path);
    if (round >= 0) found.get(path)?.push(ms);
  }
}
const figures = [...found].map(([path, times]): Figure => {
  const mid = median(times);
  return {
    what: path.replace(/e-[0-9a-f-]{20,}/, 'e-…'),
    ours: `${show(mid, 'ms')}, p99 ${show(quantile(times, 0.99), 'ms')}`,
    goal: `< ${FIRST_BYTE_MAX_MS} ms`,
    isMet: mid < FIRST_BYTE_MAX_MS,
  };
});

/** Requests that an open page makes by itself, after it has settled. */
async function idleRequests(executablePath: string): Promise<number> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const context = await browser.newContext();
  const [name = '', value = ''] = cookie.split('=');
  await context.addCookies([{ name, value, url: daemon.url }]);
  const page = await context.newPage();
  await page.goto(`${daemon.url}/ui/streams`, { waitUntil: 'load' });
  await pause(1_000);
  let made = 0;
  page.on('request', () => {
    made += 1;
  });
  await pause(IDLE_MS);
  await browser.close();
  return made;
}

const browser = [
  process.env.HELIX_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));
// What Workers do shows on a page; this is about one on which nothing happens.
await callTool(daemon, 'pause_org', {});
if (browser) {
  const made = await idleRequests(browser);
  const what = `requests of an idle page in ${IDLE_MS / 1_000} s`;
  figures.push({ what, ours: show(made), goal: '0', isMet: made === 0 });
} else console.log('No Chromium found: the requests of an idle page are not counted.\n');
const size = `${SIZE.workers} Workers, ${SIZE.events.toLocaleString('en-US')} Events`;
report({ bench: `ui (${size})`, figures });
await daemon.stop();
