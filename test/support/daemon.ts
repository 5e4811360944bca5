// Daemons for tests: one inside this process with an agent the test plays, or a real process that can be killed; and what
// talks to them. Everything is gone when the test has ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, onTestFinished } from 'vitest';
import { type Daemon, type DaemonConfig, type DaemonOverrides, startDaemon } from '../../src/cli/daemon.ts';
import { readDaemonFile } from '../../src/cli/daemon-file.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { main } from '../../src/cli/main.ts';
import { variableOf } from '../../src/cli/setting-overrides.ts';
import type { AgentResult, AgentRun } from '../../src/domain/agent.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url));
/** A data directory that is not there, so that no test touches somebody's own. */
export const NOWHERE = '/nonexistent/helix-org';
const PATIENCE_MS = 60_000;

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'helix-daemon-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Resolves with the first truthy value of a condition. @throws Error when it does not come */
export async function waitFor<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (const deadline = performance.now() + PATIENCE_MS; ; await pause(10)) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}`);
  }
}

/** Plays an activation; what it leaves out of the result is `done` and `ok`. */
export type PlayAgent = (run: AgentRun) => Promise<Partial<AgentResult> | void> | Partial<AgentResult> | void;

export type TestDaemonOptions = Partial<Omit<DaemonConfig, 'paths'>> &
  Omit<DaemonOverrides, 'agent'> & {
    /** A function that plays, or a program and its arguments. */
    agent?: PlayAgent | string[];
    dir?: string;
    db?: string;
  };

export type TestDaemon = Daemon & { dir: string };

/** A daemon in this process that has recovered and answers. */
export async function startTestDaemon(options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const { agent, dir = temporaryDirectory(), db, settings, log, now, after, keepAliveMs, ...config } = options;
  const isProgram = Array.isArray(agent);
  const daemon = await startDaemon(
    {
      address: { host: '127.0.0.1', port: 0 },
      durability: 'normal',
      ...config,
      paths: dataPaths({ dataDir: dir, db }, {}),
      settings: { ...settings, ...(isProgram ? { 'agent.command': agent } : {}) },
    },
    {
      ...(isProgram ? {} : { agent: played(agent) }),
      ...(log ? { log } : {}),
      ...(now ? { now } : {}),
      ...(after ? { after } : {}),
      ...(keepAliveMs ? { keepAliveMs } : {}),
    },
  );
  onTestFinished(() => daemon.stop());
  await daemon.recovered;
  return { ...daemon, dir };
}

function played(play: PlayAgent = () => {}) {
  return {
    kind: 'played',
    check: async () => ({ ok: true as const }),
    async run(run: AgentRun): Promise<AgentResult> {
      run.onStart({ pid: process.pid, startedAt: '' });
      const interrupted: AgentResult = { outcome: 'interrupted', exit: 'interrupted' };
      if (run.signal.aborted) return interrupted;
      const aborted = new Promise<AgentResult>((resolve) => {
        run.signal.addEventListener('abort', () => resolve(interrupted), { once: true });
      });
      const ended = Promise.resolve(play(run)).then(
        (result): AgentResult => ({ outcome: 'done', exit: 'ok', ...result }),
      );
      return Promise.race([ended, aborted]);
    },
  };
}

export type CliRun = { code: number; stdout: string; stderr: string };

/** Runs the command line inside this process, which is quicker; what needs signals or stdin is run by {@link runCli}. */
export async function cli(
  argv: string[],
  environment: NodeJS.ProcessEnv = { HELIX_ORG_HOME: NOWHERE },
): Promise<CliRun> {
  const said = { stdout: '', stderr: '' };
  const code = await main(argv, {
    out: (text) => {
      said.stdout += text;
    },
    err: (text) => {
      said.stderr += text;
    },
    environment,
  });
  return { code, ...said };
}

export type CliOptions = { env?: Record<string, string>; cwd?: string; input?: string };
export type CliResult = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

/** Runs the command line as a process of its own, to its end. It sees no settings or data but those given. */
export async function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const cli = startCli(args, options);
  cli.child.stdin?.end(options.input ?? '');
  return cli.ended;
}

export type RunningCli = {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  ended: Promise<CliResult>;
};

/** Starts the command line as a process of its own; it is killed when the test ends. */
export function startCli(args: string[], { env = {}, cwd }: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [COMMAND_LINE, ...args], {
    stdio: 'pipe',
    env: { ...cleanEnvironment(), ...env },
    ...(cwd ? { cwd } : {}),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {});
  const ended = new Promise<CliResult>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, ...output })),
  );
  return { child, output, ended };
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(HELIX_|NO_COLOR$|FORCE_COLOR$)/;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(kept), HELIX_ORG_HOME: NOWHERE };
}

export type SpawnOptions = CliOptions & {
  dir?: string;
  args?: string[];
  agent?: string[];
  settings?: Record<string, unknown>;
};

export type SpawnedDaemon = RunningCli & {
  dir: string;
  url: string;
  /** Of the daemon itself. */
  pid: number;
  /** The owner's. */
  token: string;
  /** What it printed once it answered. */
  greeting(): Promise<string>;
  /** Runs one of its control functions, as the command line does. */
  control(command: string, args?: object): Promise<unknown>;
  /** Sends a signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<CliResult>;
};

/** `serve` as a process of its own; resolves when it answers. */
export async function spawnDaemon({
  dir = temporaryDirectory(),
  args = [],
  agent,
  settings = {},
  ...options
}: SpawnOptions = {}): Promise<SpawnedDaemon> {
  const env = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [variableOf(key), JSON.stringify(value)]),
  );
  const program = agent ? ['--agent-command', JSON.stringify(agent)] : [];
  const cli = startCli(['serve', '--data-dir', dir, '--addr', '127.0.0.1:0', ...program, ...args], {
    ...options,
    env: { ...env, ...options.env },
  });
  const found = await waitFor('the daemon answers', async () => {
    if (cli.child.exitCode !== null) throw new Error(`the daemon ended at once:\n${cli.output.stderr}`);
    const address = readDaemonFile(join(dir, 'daemon.json'));
    return address && (await isUp(address.url)) ? address : undefined;
  });
  const token = readFileSync(join(dir, 'owner-token'), 'utf8').trim();
  return {
    ...cli,
    dir,
    url: found.url,
    pid: found.pid,
    token,
    async greeting() {
      await waitFor('it has greeted', () => cli.output.stdout.includes('Ctrl-C'));
      return cli.output.stdout;
    },
    async control(command, args = {}) {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${found.url}/control/${command}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(args),
      });
      expect(response.status).toBe(200);
      return response.json();
    },
    kill(signal) {
      process.kill(found.pid, signal);
      return cli.ended;
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    async (response) => {
      await response.text();
      return response.ok;
    },
    () => false,
  );
}

export type Caller = {
  /** The tool's result. @throws Error with the refusal */
  call(tool: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The sentence with which a tool is refused. */
  refusal(tool: string, args?: Record<string, unknown>): Promise<string>;
  tools(): Promise<string[]>;
  close(): Promise<void>;
};

/** A Worker's own MCP client. */
export async function connect(url: string, workerId: string, token: string): Promise<Caller> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/workers/${workerId}/mcp`), { requestInit }));
  const close = () => client.close().catch(() => {});
  onTestFinished(close);
  const answer = async (tool: string, args: Record<string, unknown>) => {
    const result = await client.callTool({ name: tool, arguments: args });
    const [first] = result.content as { text: string }[];
    return { text: first?.text ?? '', isError: result.isError === true };
  };
  return {
    async call(tool, args = {}) {
      const { text, isError } = await answer(tool, args);
      if (isError) throw new Error(`${tool}: ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    async refusal(tool, args = {}) {
      const { text, isError } = await answer(tool, args);
      expect(isError, text).toBe(true);
      return text;
    },
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    close,
  };
}

/** The owner's. */
export const connectOwner = (daemon: { url: string } & ({ token: string } | { ownerToken: string })): Promise<Caller> =>
  connect(daemon.url, 'w-owner', 'token' in daemon ? daemon.token : daemon.ownerToken);
