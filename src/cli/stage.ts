// What a demo's script stands on: a daemon of its own as a real process, the owner's tools, and somebody who tells what happens.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { readFeed } from './event-source.ts';
import { createNarrator, type FeedEvent, type Narrator } from './narrator.ts';

export type StageOptions = {
  dataDir: string;
  /** How to start the command line of this very program. */
  launcher: string[];
  agentCommand: string[];
  settings: Record<string, unknown>;
  colours: boolean;
};

type Match = (event: FeedEvent) => boolean;

/** Given to a demo's `run(stage)`. */
export type Stage = {
  /** Begins an act of the demo. */
  act(title: string): void;
  say(text: string): void;
  /** Calls a tool as the owner, through the owner's MCP endpoint. @throws Error with the tool's refusal */
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Posts to the daemon as a program outside would. */
  post(path: string, body: string): Promise<void>;
  /** Waits for an event of this act that was not waited for yet. @throws Error when it does not come in time */
  until(what: string, match: Match): Promise<FeedEvent>;
  published(workerId: string, body: string): Match;
  /** An activation of the Worker that ended well. */
  ended(workerId: string): Match;
  /** A line of the Worker's transcript. */
  line(workerId: string, text: string): Match;
  noticed(subject: string): Match;
  /** Kills the daemon as a crash would. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  verify(): Promise<void>;
};

export type OpenStage = Stage & {
  narrator: Narrator;
  /** What AI Workers published, one line each. */
  answers(): string[];
  /** A one-time link that signs the owner in. */
  loginLink(): Promise<string>;
  close(): Promise<void>;
};

const PATIENCE_MS = 30_000;

export async function openStage(options: StageOptions): Promise<OpenStage> {
  const narrator = createNarrator(options.colours);
  const seen: FeedEvent[] = [];
  const waiting = new Set<() => void>();
  let daemon = await startDaemonProcess(options);
  let owner = await connectOwner(daemon.url, options.dataDir);
  let listening = listen();

  function listen(): AbortController {
    const abort = new AbortController();
    const url = `${daemon.url}/events?transcripts=1`;
    const since = String(seen.at(-1)?.seq ?? 0);
    void (async () => {
      for await (const { data } of readFeed({ url, token: ownerToken(options.dataDir), since, signal: abort.signal })) {
        const event = JSON.parse(data) as FeedEvent;
        narrator.tell(event);
        seen.push(event);
        for (const look of [...waiting]) look();
      }
    })();
    return abort;
  }

  let actBegan = 0;
  const waitedFor = new Set<number>();
  async function until(what: string, match: Match): Promise<FeedEvent> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = seen.slice(actBegan).find((event) => !waitedFor.has(event.seq) && match(event));
        if (!found) return;
        finish();
        waitedFor.add(found.seq);
        resolve(found);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}`));
      }, PATIENCE_MS);
      const finish = () => {
        clearTimeout(timer);
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  }

  return {
    narrator,
    answers: () => seen.filter((event) => event.source !== '' && event.source !== 'w-owner' && !isTranscript(event)).map(({ source, body }) => `${source}  ${body}`),
    loginLink: async () => ((await control(daemon.url, options.dataDir, 'token.login')) as { url: string }).url,
    act(title) {
      actBegan = seen.length;
      narrator.act(title);
    },
    say: (text) => narrator.say(text),
    until,
    async call(tool, args) {
      narrator.call(tool, args);
      const result = await owner.callTool({ name: tool, arguments: args });
      const [first] = result.content as { text?: string }[];
      if (result.isError) throw new Error(`${tool}: ${first?.text}`);
      return JSON.parse(first?.text ?? '{}') as Record<string, unknown>;
    },
    async post(path, body) {
      const response = await fetch(`${daemon.url}${path}`, { method: 'POST', body });
      narrator.say(`$ curl -d '${body}' ${daemon.url}${path}  →  ${response.status}`);
      if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
    },
    published: (workerId, body) => (event) => event.source === workerId && event.body === body && !isTranscript(event),
    ended: (workerId) => (event) => event.streamId === `s-activations-${workerId}` && event.body === '=== exit: ok ===',
    line: (workerId, text) => (event) => event.streamId === `s-activations-${workerId}` && event.body.includes(text),
    noticed: (subject) => (event) => event.streamId === 's-notices' && event.subject?.includes(subject) === true,
    async crash() {
      listening.abort();
      process.kill(daemon.pid, 'SIGKILL');
      await daemon.gone;
      narrator.say(`$ kill -9 ${daemon.pid}`);
    },
    async restart() {
      daemon = await startDaemonProcess(options);
      owner = await connectOwner(daemon.url, options.dataDir);
      listening = listen();
      narrator.say('The daemon is started again on the same data directory.');
    },
    async verify() {
      const answer = (await control(daemon.url, options.dataDir, 'verify')) as { entries: number; problems: unknown[] };
      narrator.say(`$ helix-org verify  →  ${answer.entries} entries, ${answer.problems.length} problems`);
      if (answer.problems.length > 0) throw new Error('the journal does not verify');
    },
    async close() {
      listening.abort();
      await owner.close();
      daemon.child.kill('SIGTERM');
      await daemon.gone;
    },
  };
}

const isTranscript = ({ streamId }: FeedEvent) => streamId.startsWith('s-activations-');

const ownerToken = (dataDir: string) => readFileSync(join(dataDir, 'owner-token'), 'utf8').trim();

async function connectOwner(url: string, dataDir: string): Promise<Client> {
  const client = new Client({ name: 'helix-org-demo', version: '1.0.0' });
  const headers = { Authorization: `Bearer ${ownerToken(dataDir)}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/workers/w-owner/mcp`), { requestInit: { headers } }));
  return client;
}

async function control(url: string, dataDir: string, command: string) {
  const headers = { Authorization: `Bearer ${ownerToken(dataDir)}`, 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/control/${command}`, { method: 'POST', headers, body: '{}' });
  if (!response.ok) throw new Error(`${command} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

type DaemonProcess = { child: ChildProcess; pid: number; url: string; gone: Promise<void> };

/** Starts `serve` and waits until it has written where it listens. */
async function startDaemonProcess({ dataDir, launcher, agentCommand, settings }: StageOptions): Promise<DaemonProcess> {
  const [program = process.execPath, ...args] = launcher;
  const environment = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`HELIX_ORG_${key.replaceAll('.', '_').toUpperCase()}`, JSON.stringify(value)]),
  );
  const command = ['serve', '--addr', '127.0.0.1:0', '--data-dir', dataDir, '--agent-command', JSON.stringify(agentCommand)];
  const child = spawn(program, [...args, ...command], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stopped = gone.then(() => {
    throw new Error(`the daemon ended at once:\n${errors}`);
  });
  const found = await Promise.race([whereItListens(join(dataDir, 'daemon.json'), child), stopped]);
  stopped.catch(() => {}); // It ends some day; that is no error any more.
  return { child, gone, ...found };
}

/** The file a daemon leaves behind when it is killed names another pid; it counts only once ours has answered. */
async function whereItListens(file: string, child: ChildProcess): Promise<{ pid: number; url: string }> {
  while (child.exitCode === null) {
    const found = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { pid: number; url?: string }) : undefined;
    if (found?.url && (await answers(found.url))) return { pid: found.pid, url: found.url };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the daemon ended before it listened');
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}
