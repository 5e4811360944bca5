// The daemon of a demo as a process of its own, and the owner's two ways into it: MCP, and the command line's endpoint.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { variableOf } from './setting-overrides.ts';
import { connectMcp } from './stage-person.ts';

export type StageDaemonOptions = {
  dataDir: string;
  /** How to start the command line of this very program. */
  commandLine: string[];
  /** What plays AI Workers: arguments of `serve`. */
  agent: string[];
  /** Further arguments of `serve`. */
  serve: string[];
  settings: Record<string, unknown>;
  /** The search path of the daemon and so of its agents, when it is not our own. */
  path: string | undefined;
};

export type StageDaemon = {
  process: DaemonProcess;
  token: string;
  /** As the owner. @throws Error with the tool's refusal */
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** What the command line asks of a daemon that runs, such as `config.set`. @throws Error with the refusal */
  control(command: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
};

export async function startStageDaemon(options: StageDaemonOptions): Promise<StageDaemon> {
  const daemon = await startDaemonProcess(commandFor(options));
  const token = readFileSync(join(options.dataDir, 'owner-token'), 'utf8').trim();
  const headers = { Authorization: `Bearer ${token}` };
  const owner = await connectMcp({ url: daemon.url, workerId: 'w-owner', token });
  return {
    process: daemon,
    token,
    call: owner.call,
    async control(command, args = {}) {
      const response = await fetch(`${daemon.url}/control/${command}`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body: JSON.stringify(args),
      });
      if (!response.ok) throw new Error(`${command} answered ${response.status}: ${await response.text()}`);
      return response.json();
    },
    close: () => owner.close(),
  };
}

/** Settings go in by environment, as an operator may do it too. */
function commandFor({ dataDir, commandLine, agent, serve, settings, path }: StageDaemonOptions) {
  const env = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [variableOf(key), JSON.stringify(value)]),
  );
  const addr = serve.includes('--addr') ? [] : ['--addr', '127.0.0.1:0'];
  return {
    dataDir,
    commandLine,
    args: [...addr, ...serve, ...agent],
    env: { ...env, ...(path ? { PATH: path } : {}) },
  };
}
