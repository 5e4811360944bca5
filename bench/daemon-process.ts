// Starts daemons and other servers as processes, and asks them about themselves.
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DaemonConfig } from '../src/cli/daemon.ts';
import { dataPaths } from '../src/cli/data-dir.ts';
import { packageRoot } from '../src/cli/package-root.ts';

export type Server<Told> = Told & {
  child: ChildProcess;
  ask<Answer>(what: string): Promise<Answer>;
  /** Ends as a daemon ends when it is told to. */
  stop(): Promise<void>;
};

export type Told = { url: string; port: number; token: string; listeningMs: number };

/** Runs a file of bench/ until it has said what it is. @throws Error when it ends instead */
export async function startServer<Told>(file: string, argument = '', execArgv: string[] = []): Promise<Server<Told>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [argument], {
    serialization: 'advanced',
    execArgv,
  });
  const told = await answerOf<Told>(child);
  return {
    ...told,
    child,
    ask<Answer>(what: string) {
      const answer = answerOf<Answer>(child);
      child.send(what);
      return answer;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.send('stop');
      await exited;
    },
  };
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const heard = new AbortController();
  const { signal } = heard;
  try {
    const [answer] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`a server ended with ${code}`))),
    ]);
    return answer as Answer;
  } finally {
    heard.abort();
  }
}

/** What the unit in deploy/ gives to Node. */
function nodeOptions(): string[] {
  const unit = readFileSync(join(packageRoot, 'deploy/helix-org.service'), 'utf8');
  return /^Environment=NODE_OPTIONS=(.+)$/m.exec(unit)?.[1]?.split(' ') ?? [];
}

/** @param settings of the daemon; nobody's agent is to be found unless they say so */
export function startDaemonProcess(
  dataDir: string,
  config: Pick<DaemonConfig, 'durability' | 'settings'> = {},
): Promise<Server<Told>> {
  buildWhenOlder();
  const given = { paths: dataPaths({ dataDir }, {}), address: { host: '127.0.0.1', port: 0 }, ...config };
  return startServer<Told>('daemon-child.mjs', JSON.stringify(given), nodeOptions());
}

/** Daemons are measured as they are installed, so from dist/; it is built anew when the sources have changed since. */
function buildWhenOlder(): void {
  const newest = (folder: string) => {
    const files = readdirSync(join(packageRoot, folder), { recursive: true, withFileTypes: true });
    return Math.max(...files.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
  };
  const built = statSync(join(packageRoot, 'dist'), { throwIfNoEntry: false })?.isDirectory() ? newest('dist') : 0;
  if (newest('src') < built) return;
  process.stderr.write('building dist/ …\n');
  execFileSync(process.execPath, [join(packageRoot, 'scripts/run.mjs'), 'build'], { stdio: 'ignore' });
}

/** Calls a tool as the owner. @throws Error when it is refused */
export async function callTool({ url, token }: Told, name: string, args: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/workers/w-owner/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
  const answer = (await response.json()) as {
    result?: { isError?: boolean; structuredContent?: Record<string, unknown> };
  };
  if (!answer.result || answer.result.isError) throw new Error(JSON.stringify(answer));
  return answer.result.structuredContent ?? {};
}

/** An empty folder that is gone when the benchmark ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'helix-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
