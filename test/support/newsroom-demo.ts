// The newsroom of the demo, as `helix-org demo newsroom --stay` leaves it, and a day on which a few things go wrong: what
// pictures of the pages show.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { connectMcp } from '../../src/cli/stage-person.ts';
import type { Shown } from './browser.ts';
import { waitFor } from './daemon.ts';

const commandLine = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));

type Rows = Record<string, { id: string; state?: string; subject?: string; body?: string }[]>;

export async function openNewsroomDemo() {
  const directory = mkdtempSync(join(tmpdir(), 'helix-newsroom-'));
  const { url, ended } = await start(directory);
  const token = readFileSync(join(directory, 'owner-token'), 'utf8').trim();
  const { call, close } = await connectMcp({ url, workerId: 'w-owner', token });
  onTestFinished(async () => {
    await close();
    await ended();
    rmSync(directory, { recursive: true, force: true });
  });
  const rows = async (tool: string, args: object) => (await call(tool, { ...args })) as unknown as Rows;
  await anotherDay(url, { call, rows });
  const { activations: runs = [] } = await rows('list_activations', { workerId: 'w-maya' });
  const { activations: petras = [] } = await rows('list_activations', { workerId: 'w-petra' });
  const { events = [] } = await rows('list_stream_events', { streamId: 's-editorial' });
  return {
    daemon: await signedIn(url, token),
    failed: runs.find(({ state }) => state === 'failed')?.id ?? '',
    published: petras[0]?.id ?? '',
    go: events.find(({ body }) => body?.startsWith('go: '))?.id ?? '',
  };
}

/** @returns where it is, once it has run to its end, and how to end it */
async function start(directory: string): Promise<{ url: string; ended(): Promise<void> }> {
  let output = '';
  const args = [commandLine, 'demo', 'newsroom', '--stay', '--data-dir', directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const link = () => /Open (http:\/\/[^/]+)\/login/.exec(output)?.[1];
  while (link() === undefined && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
  const url = link();
  if (url === undefined) throw new Error(`the newsroom did not come up:\n${output}`);
  return {
    url,
    async ended() {
      child.kill('SIGINT');
      await gone;
    },
  };
}

type Owner = {
  call(tool: string, args: Record<string, unknown>): Promise<unknown>;
  rows(tool: string, args: object): Promise<Rows>;
};

/** A wire that sends no JSON, a colleague on leave, a mail that waits for a person, and a question nobody answers. */
async function anotherDay(url: string, { call, rows }: Owner): Promise<void> {
  await call('hire_worker', {
    id: 'w-ingrid',
    positionId: 'p-copy-desk',
    kind: 'human',
    identityContent: '# Ingrid\n\nReads everything aloud once, and trusts her ear.',
  });
  await call('create_stream', {
    id: 's-partners',
    name: 'partners',
    description: 'What other papers may reprint.',
    transport: { kind: 'webhook', config: { outbound_url: 'https://partners.example/in' } },
    hold: true,
  });
  const story = { subject: 'Mill Road bridge closes for eight months', body: 'Free to reprint, with our name.' };
  await call('publish', { streamId: 's-partners', ...story });
  await call('dm', { toWorkerId: 'w-milo', body: 'Would "Bridge shut until spring" be found as well?' });
  await call('pause_worker', { workerId: 'w-thea' });
  await call('publish', { streamId: 's-fact-check', body: 'edited: The ferry makes 3 crossings an hour.' });
  await fetch(`${url}/webhooks/s-news-wire`, { method: 'POST', body: '<rss>The wire has changed its format</rss>' });
  await call('publish', { streamId: 's-tick-morning', body: 'It is time for the conference.' });
  const of = async (workerId: string) => (await rows('list_activations', { workerId })).activations ?? [];
  await waitFor('Maya could not read the wire', async () =>
    (await of('w-maya')).some(({ state }) => state === 'failed'),
  );
  await waitFor('Milo has said nothing', async () => (await of('w-milo'))[0]?.state === 'done');
}

/** @returns what a page is opened with: each has the owner's session */
async function signedIn(url: string, token: string): Promise<Shown> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { Origin: url },
    body: new URLSearchParams({ token }),
    redirect: 'manual',
  });
  const session = /helix_session=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? '';
  return { url, tokens: { create: () => ({ token: session }) } };
}
