// What a demo's script stands on: a daemon of its own as a real process, the owner's tools, and somebody who tells what happens.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readFeed } from './event-source.ts';
import type { FeedEvent, Narrator } from './narrator.ts';
import { type StageDaemonOptions, startStageDaemon } from './stage-daemon.ts';
import { connectPerson, type Person } from './stage-person.ts';

export type StageOptions = StageDaemonOptions & {
  /** Of the demo: `roles/NAME.md`, `workers/NAME.md`. */
  folder: string;
  narrator: Narrator;
  isLive: boolean;
  /** Whether the scripted agent of the demo plays the Workers. */
  isScripted: boolean;
  /** How long to wait for what shall happen. */
  patienceMs: number;
};

type Match = (event: FeedEvent) => boolean;

export type Hiring = {
  /** By default `p-root`. */
  parentId?: string;
  /** By default those of the Role's "Tools (MCP)" section. */
  grants?: string[];
};

/** Given to a demo's `run(stage, outside)`. */
export type Stage = {
  /** Whether the world outside is the real one. */
  isLive: boolean;
  /** Whether the scripted agent of the demo plays the Workers, and not one with judgement of its own. */
  isScripted: boolean;
  /** Of the daemon. */
  readonly url: string;
  /** Begins an act of the demo. */
  act(title: string): void;
  say(text: string): void;
  /** A page to look at, named again when the daemon stays (`--stay`). */
  page(title: string, url: string): void;
  /** A text file of the demo's folder. */
  text(path: string): string;
  /** Calls a tool as the owner, through the owner's MCP endpoint. @throws Error with the tool's refusal */
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** As `call`, without telling it: for what the demo itself wants to know. */
  look(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Makes Role, Position and AI Worker `r-`, `p-`, `w-NAME` of `roles/NAME.md` and `workers/NAME.md`; waits until it set itself up. */
  hire(name: string, hiring?: Hiring): Promise<void>;
  /** Somebody else who works here, with a token of their own. */
  person(workerId: string): Promise<Person>;
  /** What the command line asks of a daemon that runs: `config.set`, `github.connect`. */
  control(command: string, args?: Record<string, unknown>): Promise<unknown>;
  /** Posts to the daemon as a program outside would. @returns the status. @throws Error when it is not 2xx */
  post(path: string, body: string, headers?: Record<string, string>): Promise<number>;
  /** Waits for an event of this act that was not waited for yet. @throws Error when it does not come in time */
  until(what: string, match: Match): Promise<FeedEvent>;
  /** Waits until something is so, on the stage or outside. @throws Error when it does not become so in time */
  happens<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>>;
  /** Waits until no Worker has anything to do any more. */
  quiet(): Promise<void>;
  /** @throws Error when it is not so: the demo has failed */
  must(what: string, isSo: boolean): void;
  /** Events so far, without lines of transcripts; of one Stream, or of all. */
  events(streamId?: string): FeedEvent[];
  published(workerId: string, body: string | RegExp): Match;
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
  pages: { title: string; url: string }[];
  /** What AI Workers published, one line each. */
  answers(): string[];
  /** A one-time link that signs the owner in. */
  loginLink(): Promise<string>;
  close(): Promise<void>;
};

const LOOK_EVERY_MS = 25;

export async function openStage(options: StageOptions): Promise<OpenStage> {
  const { narrator, folder, patienceMs } = options;
  const seen: FeedEvent[] = [];
  const pages: OpenStage['pages'] = [];
  const people: { close(): Promise<void> }[] = [];
  let daemon = await startStageDaemon(options);
  let listening = listen();

  function listen(): AbortController {
    const abort = new AbortController();
    const { token, process: running } = daemon;
    const since = String(seen.at(-1)?.seq ?? 0);
    void (async () => {
      const url = `${running.url}/events?transcripts=1`;
      for await (const { data } of readFeed({ url, token, since, signal: abort.signal })) {
        const event = JSON.parse(data) as FeedEvent;
        narrator.tell(event);
        seen.push(event);
      }
    })();
    return abort;
  }

  async function happens<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`waited ${patienceMs / 1_000} s in vain until ${what}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  let actBegan = 0;
  const waitedFor = new Set<number>();
  async function until(what: string, match: Match): Promise<FeedEvent> {
    const found = await happens(what, () =>
      seen.slice(actBegan).find((event) => !waitedFor.has(event.seq) && match(event)),
    );
    waitedFor.add(found.seq);
    return found;
  }

  const text = (path: string) => readFileSync(join(folder, path), 'utf8');
  const call: Stage['call'] = (tool, args) => {
    narrator.call(tool, args);
    return daemon.call(tool, args);
  };
  const ended: Stage['ended'] = (workerId) => (event) =>
    event.streamId === `s-activations-${workerId}` && event.body === '=== exit: ok ===';

  async function isQuiet(): Promise<boolean> {
    const { workers } = (await daemon.call('list_workers', {})) as { workers: { kind: string; state?: string }[] };
    return workers.every(({ kind, state }) => kind !== 'ai' || state === 'idle');
  }

  return {
    isLive: options.isLive,
    isScripted: options.isScripted,
    get url() {
      return daemon.process.url;
    },
    pages,
    answers: () =>
      seen
        .filter((event) => event.source !== '' && event.source !== 'w-owner' && !isTranscript(event))
        .map(({ source, body }) => `${source}  ${body.replaceAll(/\s+/g, ' ')}`),
    loginLink: async () => ((await daemon.control('token.login')) as { url: string }).url,
    act(title) {
      actBegan = seen.length;
      narrator.act(title);
    },
    say: (line) => narrator.say(line),
    page(title, url) {
      pages.push({ title, url });
      narrator.say(`${title}: ${url}`);
    },
    text,
    until,
    happens,
    call,
    look: (tool, args) => daemon.call(tool, args),
    control: (command, args) => daemon.control(command, args),
    async person(workerId) {
      const { token } = (await daemon.control('token.create', { worker: workerId })) as { token: string };
      const person = await connectPerson({ url: daemon.process.url, workerId, token });
      people.push(person);
      return person;
    },
    async hire(name, { parentId = 'p-root', grants } = {}) {
      await call('create_role', { id: `r-${name}`, content: text(`roles/${name}.md`) });
      await call('create_position', { id: `p-${name}`, roleId: `r-${name}`, parentId });
      const identityContent = text(`workers/${name}.md`);
      const who = { id: `w-${name}`, positionId: `p-${name}`, kind: 'ai', identityContent };
      await call('hire_worker', { ...who, ...(grants ? { grants } : {}) });
      await until(`w-${name} has set itself up`, ended(`w-${name}`));
    },
    async post(path, body, headers = {}) {
      const response = await fetch(`${daemon.process.url}${path}`, { method: 'POST', body, headers });
      narrator.post(`${daemon.process.url}${path}`, body, response.status);
      if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
      return response.status;
    },
    async quiet() {
      await happens('no Worker has anything to do any more', isQuiet);
    },
    must(what, isSo) {
      if (!isSo) throw new Error(`this was not so: ${what}`);
      narrator.say(`✓ ${what}`);
    },
    events: (streamId) =>
      seen.filter((event) => (streamId === undefined ? !isTranscript(event) : event.streamId === streamId)),
    published: (workerId, body) => (event) =>
      event.source === workerId &&
      !isTranscript(event) &&
      (typeof body === 'string' ? event.body === body : body.test(event.body)),
    ended,
    line: (workerId, part) => (event) => event.streamId === `s-activations-${workerId}` && event.body.includes(part),
    noticed: (subject) => (event) => event.streamId === 's-notices' && event.subject?.includes(subject) === true,
    async crash() {
      listening.abort();
      process.kill(daemon.process.pid, 'SIGKILL');
      await daemon.process.gone;
      narrator.say(`$ kill -9 ${daemon.process.pid}`);
    },
    async restart() {
      daemon = await startStageDaemon(options);
      listening = listen();
      narrator.say('The daemon is started again on the same data directory.');
    },
    async verify() {
      const answer = (await daemon.control('verify')) as { entries: number; problems: unknown[] };
      narrator.say(`$ helix-org verify  →  ${answer.entries} entries, ${answer.problems.length} problems`);
      if (answer.problems.length > 0) throw new Error('the journal does not verify');
    },
    async close() {
      listening.abort();
      // A daemon that was interrupted together with us does not answer any more.
      for (const caller of [...people, daemon]) await caller.close().catch(() => {});
      daemon.process.child.kill('SIGTERM');
      await daemon.process.gone;
    },
  };
}

const isTranscript = ({ streamId }: FeedEvent) => streamId.startsWith('s-activations-');
