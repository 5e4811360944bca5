// Eight Workers woken at once, beside eight bare starts of the same agent doing the same work: what the daemon adds.
// `npm run bench:agents [-- rounds]`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startDaemon } from '../src/cli/daemon.ts';
import { dataPaths } from '../src/cli/data-dir.ts';
import type { AgentRun } from '../src/domain/agent.ts';
import { createProcesses } from '../src/store/processes.ts';
import { type BareAgent, claude, codex } from './bare-agents.ts';

const WORKERS = Array.from({ length: 8 }, (_, n) => `w-${n}`);
const ROUNDS = Number(process.argv[2] ?? 5);
const SAMPLE_MS = 50;

type Measured = { seconds: number; megabytes: number };
type Round = { ours: Measured; theirs: Measured };

for (const open of [claude, codex]) {
  const agent = await open();
  if (!existsSync(agent.bin)) throw new Error(`${agent.name} is not installed; run \`npm run bench:agents\`.`);
  process.stdout.write(report(agent.name, await compare(agent)));
  await agent.close();
}

async function compare(agent: BareAgent): Promise<Round[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'helix-bench-'));
  const daemon = await startDaemon({
    paths: dataPaths({ dataDir }, {}),
    address: { host: '127.0.0.1', port: 0 },
    // As many at once as the bare ones, should the daemon's own pace of starts allow it.
    settings: { ...agent.settings, 'dispatch.max_inflight': WORKERS.length },
  });
  daemon.settings.setSecret(`login.${agent.kind}`, JSON.stringify(agent.login));
  await daemon.recovered;
  const processes = createProcesses(daemon.db);
  const tokens = new Map<string, string>();

  async function call(tool: string, args: object): Promise<void> {
    const outcome = await daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, tool, args);
    if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome));
  }

  async function hireAll(): Promise<void> {
    await call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
    await call('create_stream', { id: 's-out', name: 'out' });
    await call('create_role', { id: 'r-all', content: '# Role\n\nSay that you heard it.' });
    await call('create_position', { id: 'p-all', roleId: 'r-all', parentId: 'p-root' });
    const common = { positionId: 'p-all', kind: 'ai', identityContent: 'One of eight.', streams: ['s-in'] };
    for (const id of WORKERS) {
      await call('hire_worker', { id, ...common, grants: [{ toolName: 'publish' }] });
      tokens.set(id, daemon.tokens.create({ workerId: id, label: 'bench' }).token);
    }
    await daemon.dispatcher.idle();
  }

  async function throughDaemon(): Promise<Measured> {
    const before = residentKilobytes(process.pid);
    const wake = async () => {
      const response = await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'hello' });
      if (!response.ok) throw new Error(await response.text());
      await daemon.dispatcher.idle();
    };
    const { seconds, megabytes } = await measured(wake(), () => processes.list().map(({ pid }) => pid));
    for (const id of WORKERS) {
      const run = daemon.queries.activationsOf(id, 1)[0];
      if (run?.state !== 'done') throw new Error(`${id} did not do its work: ${run?.exit}`);
    }
    const grown = Math.max(0, residentKilobytes(process.pid) - before) / 1_024;
    return { seconds, megabytes: megabytes + grown };
  }

  const bareRun = (workerId: string): AgentRun => ({
    ...{ activationId: 'a-bare', workerId, attempt: 1, agent: {}, grants: [], confinement: { wrap: [] } },
    folder: join(dataDir, 'bare', workerId),
    ...{ prompt: '', briefPrompt: '', instructions: 'One of eight.', environment: {} },
    limits: { firstOutputMs: 0, runMs: 0 },
    mcp: { url: `${daemon.url}/workers/${workerId}/mcp`, token: tokens.get(workerId) ?? '' },
    ...{ onStart: () => {}, onSegment: () => true, signal: new AbortController().signal },
  });

  async function bare(): Promise<Measured> {
    const pids: number[] = [];
    const starts = WORKERS.map(bareRun).map(async (run) => {
      const [program = '', ...args] = agent.command(run);
      const child = spawn(program, args, { cwd: run.folder, env: agent.environment(run) });
      pids.push(child.pid ?? 0);
      child.stdout.resume();
      child.stderr.resume();
      child.stdin.end('Say that you heard it.');
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`a bare start ended with ${code}`);
    });
    return measured(Promise.all(starts), () => pids);
  }

  await hireAll();
  const rounds: Round[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    // What the daemon does for each run is done for the bare ones before the clock starts.
    for (const id of WORKERS) await agent.prepare(bareRun(id));
    // In turn, now the one first and now the other; the first round only warms up.
    const isOursFirst = round % 2 === 0;
    const first = isOursFirst ? await throughDaemon() : await bare();
    const second = isOursFirst ? await bare() : await throughDaemon();
    const [ours, theirs] = isOursFirst ? [first, second] : [second, first];
    if (round >= 0) rounds.push({ ours, theirs });
  }
  await daemon.stop();
  rmSync(dataDir, { recursive: true, force: true });
  return rounds;
}

/** Memory of the processes at its highest, while the work goes on. */
async function measured(work: Promise<unknown>, pids: () => number[]): Promise<Measured> {
  const began = performance.now();
  let isOver = false;
  let highest = 0;
  const ended = work.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const now = pids().reduce((sum, pid) => sum + residentKilobytes(pid), 0);
    highest = Math.max(highest, now);
    await Promise.race([ended, pause(SAMPLE_MS)]);
  }
  return { seconds: (performance.now() - began) / 1_000, megabytes: highest / 1_024 };
}

function residentKilobytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function report(name: string, rounds: Round[]): string {
  const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
  const line = (what: string, unit: string, pick: (measured: Measured) => number) => {
    const ours = median(rounds.map((round) => pick(round.ours))).toFixed(2);
    const theirs = median(rounds.map((round) => pick(round.theirs))).toFixed(2);
    const ratio = median(rounds.map((round) => pick(round.ours) / pick(round.theirs))).toFixed(2);
    return `  ${what}  ${ours} ${unit} through the daemon, ${theirs} ${unit} bare, ratio ${ratio}\n`;
  };
  const cores = availableParallelism();
  return (
    `${WORKERS.length} Workers woken at once, ${name} with a scripted model, ${cores} cores, ${rounds.length} rounds, medians:\n` +
    line('wall time', 's', ({ seconds }) => seconds) +
    line('memory   ', 'MB', ({ megabytes }) => megabytes)
  );
}
