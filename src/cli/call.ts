import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { forbidden, invalid, nearest } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';
import type { DataPaths } from './data-dir.ts';
import type { RunningDaemon } from './running-daemon.ts';

type Arguments = Record<string, unknown>;

/** Longer than any tool waits. */
const TIMEOUT_MS = 120_000;

export function registerCall(program: Command, cli: Cli): void {
  const call = program
    .command('call')
    .argument('<tool>', 'a tool, such as publish')
    .argument('[arguments]', 'a JSON object; - reads it from stdin', '{}')
    .description('run a tool as the owner and print its result, with or without a daemon')
    .option('--json', 'print nothing else, on one line');
  runs(call, cli, async (options, [tool = '', given = '{}']) => {
    const args = parseArguments(given === '-' ? await text(process.stdin) : given);
    const result = await callTool(dataPathsFor(cli, options), tool, args);
    cli.out(options.json ? `${JSON.stringify(result)}\n` : json(result));
    return OK;
  });
}

function parseArguments(given: string): Arguments {
  try {
    const parsed: unknown = JSON.parse(given);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Arguments;
  } catch {}
  throw invalid(`The arguments are no JSON object: ${given.trim().slice(0, 80)}`);
}

/** Runs a tool as the owner. @returns what it answered @throws OrgError with the refusal */
export type OwnerCall = (tool: string, args: Arguments) => Promise<unknown>;

async function callTool(paths: DataPaths, tool: string, args: Arguments): Promise<unknown> {
  return asOwner(paths, (call) => call(tool, args));
}

/** Lets the owner's tools be called, in the daemon that runs or else in this process, which has the data meanwhile. */
export async function asOwner<T>(paths: DataPaths, work: (call: OwnerCall) => Promise<T>): Promise<T> {
  const { daemonOrLock } = await import('./running-daemon.ts');
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) return overMcp(holder.daemon, work);
  const [{ withLocked }, { createToolDoor }, { catalog }, { createLifecycle }] = await Promise.all([
    import('./store-access.ts'),
    import('../tools/call-tool.ts'),
    import('../tools/catalog.ts'),
    import('./lifecycle.ts'),
  ]);
  return withLocked(holder.lock, paths, async (core) => {
    const bugs: unknown[] = [];
    const deps = core.toolDeps(createLifecycle(core), () => 'idle');
    const door = createToolDoor(catalog, deps, (_reference, error) => bugs.push(error));
    return work(async (tool, args) => {
      const outcome = await door.call({ workerId: OWNER, via: 'cli' }, tool, args);
      if (bugs.length > 0) throw bugs[0];
      switch (outcome.kind) {
        case 'ok':
          return outcome.result;
        case 'refused':
          throw forbidden(outcome.message);
        case 'unknown':
          throw unknownTool(
            tool,
            catalog.map(({ name }) => name),
          );
      }
    });
  });
}

async function overMcp<T>({ url, token }: RunningDaemon, work: (call: OwnerCall) => Promise<T>): Promise<T> {
  const { Client, ProtocolError, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client({ name: 'helix-org-cli', version: '1' });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/workers/${OWNER}/mcp`), { requestInit }));
  try {
    return await work(async (tool, args) => {
      try {
        const result = await client.callTool({ name: tool, arguments: args }, { timeout: TIMEOUT_MS });
        const [first] = result.content as { text?: string }[];
        if (result.isError) throw forbidden(first?.text ?? 'The tool refused without a word.');
        return result.structuredContent ?? JSON.parse(first?.text ?? '{}');
      } catch (error) {
        if (!(error instanceof ProtocolError) || error.code !== -32602) throw error;
        const { tools } = await client.listTools();
        const known = tools.map(({ name }) => name);
        throw known.includes(tool) ? invalid(error.message) : unknownTool(tool, known);
      }
    });
  } finally {
    await client.close();
  }
}

function unknownTool(tool: string, known: string[]): Error {
  const near = nearest(tool, known);
  return invalid(`unknown tool "${tool}"; ${near ? `did you mean ${near}?` : `valid: ${known.join(', ')}.`}`);
}
