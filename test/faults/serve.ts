// A daemon as a real process, and what fault tests do with it: post to it, kill it, and judge what is left.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.ts';

const commandLine = [process.execPath, fileURLToPath(new URL('../../bin/helix-org.mjs', import.meta.url))];

export type Serve = DaemonProcess & {
  dataDir: string;
  kill(): Promise<void>;
  /** Ends it properly. */
  stop(): Promise<void>;
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
};

const running = new Set<number>();

/** Ends what a failed test left running. */
export function killLeftovers(): void {
  for (const pid of running) process.kill(pid, 'SIGKILL');
}

/** Hundreds of runs in a minute are what these tests are for. */
const NO_RATES = {
  HELIX_ORG_DISPATCH_WORKER_RUNS_PER_HOUR: 'null',
  HELIX_ORG_DISPATCH_ORG_RUNS_PER_HOUR: 'null',
};

export const temporaryDirectory = (name: string) => mkdtempSync(join(tmpdir(), `helix-${name}-`));

export const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 32));

export async function serve(
  dataDir: string,
  options: { args?: string[]; env?: Record<string, string> } = {},
): Promise<Serve> {
  const args = ['--addr', '127.0.0.1:0', ...(options.args ?? [])];
  const daemon = await startDaemonProcess({ dataDir, commandLine, args, env: { ...NO_RATES, ...options.env } });
  running.add(daemon.pid);
  void daemon.gone.then(() => running.delete(daemon.pid));
  return {
    ...daemon,
    dataDir,
    async kill() {
      process.kill(daemon.pid, 'SIGKILL');
      await daemon.gone;
    },
    async stop() {
      daemon.child.kill('SIGTERM');
      await daemon.gone;
    },
    async call(tool, toolArgs) {
      const token = readFileSync(join(dataDir, 'owner-token'), 'utf8').trim();
      const client = new Client({ name: 'fault-test', version: '1' });
      const url = new URL(`${daemon.url}/workers/w-owner/mcp`);
      await client.connect(
        new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
      );
      const result = await client.callTool({ name: tool, arguments: toolArgs });
      await client.close();
      const [first] = result.content as { text: string }[];
      if (result.isError) throw new Error(`${tool}: ${first?.text}`);
      return JSON.parse(first?.text ?? '{}') as Record<string, unknown>;
    },
  };
}

/** An org with a webhook Stream `s-in` to which `w-worker` listens. */
export async function foundOrg(daemon: Serve): Promise<void> {
  await daemon.call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
  await daemon.call('create_role', { id: 'r-worker', content: '# Worker' });
  await daemon.call('create_position', { id: 'p-worker', roleId: 'r-worker', parentId: 'p-root' });
  const worker = {
    id: 'w-worker',
    positionId: 'p-worker',
    kind: 'ai',
    identityContent: 'A worker.',
    grants: [],
    streams: ['s-in'],
  };
  await daemon.call('hire_worker', worker);
}

export type Acknowledged = { key: string; body: string; id: string };

/** Posts one after the other on several connections until told to stop, or `most` are acknowledged; keeps those. */
export function load(
  url: string,
  connections: number,
  acknowledged: Acknowledged[],
  { prefix, most = Number.MAX_SAFE_INTEGER, padding = '' }: { prefix: string; most?: number; padding?: string },
): { stop(): Promise<void> } {
  let stopped = false;
  const enough = acknowledged.length + most;
  const one = async (connection: number) => {
    for (let n = 0; !stopped && acknowledged.length < enough; n++) {
      const key = `${prefix}-${connection}-${n}`;
      const body = `body of ${key}${padding}`;
      const response = await fetch(`${url}/webhooks/s-in`, {
        method: 'POST',
        body,
        headers: { 'Idempotency-Key': key },
      }).catch(() => undefined);
      if (!response) return;
      const answer = await response.json().catch(() => undefined);
      if (response.status === 200 && answer) acknowledged.push({ key, body, id: (answer as { id: string }).id });
    }
  };
  const all = Promise.all(Array.from({ length: connections }, (_, connection) => one(connection)));
  return {
    async stop() {
      stopped = true;
      await all;
    },
  };
}

/** Waits for a condition, looking again and again; never for a time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, mostMs = 60_000): Promise<void> {
  const deadline = Date.now() + mostMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
