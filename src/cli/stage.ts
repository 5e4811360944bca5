// What a demo's script stands on: a daemon of its own as a real process, the owner's tools, and somebody who tells what happens.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { startDaemonProcess } from './daemon-process.ts';
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
  const start = () => startDaemonProcess(commandFor(options));
  let daemon = await start();
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
    answers: () =>
      seen
        .filter((event) => event.source !== '' && event.source !== 'w-owner' && !isTranscript(event))
        .map(({ source, body }) => `${source}  ${body}`),
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
      daemon = await start();
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
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/workers/w-owner/mcp`), { requestInit: { headers } }),
  );
  return client;
}

async function control(url: string, dataDir: string, command: string) {
  const headers = { Authorization: `Bearer ${ownerToken(dataDir)}`, 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/control/${command}`, { method: 'POST', headers, body: '{}' });
  if (!response.ok) throw new Error(`${command} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Settings go in by environment, as an operator may do it too. */
function commandFor({ dataDir, launcher, agentCommand, settings }: StageOptions) {
  const env = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      `HELIX_ORG_${key.replaceAll('.', '_').toUpperCase()}`,
      JSON.stringify(value),
    ]),
  );
  const args = ['--addr', '127.0.0.1:0', '--agent-command', JSON.stringify(agentCommand)];
  return { dataDir, launcher, args, env };
}
