// Eight Workers woken at once, beside eight bare starts of the same agent doing the same work: what the daemon adds.
// `npm run test:agents` installs the agent; then `node bench/agents.ts [rounds]`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { agentEnvironment } from '../src/agents/agent-environment.ts';
import { claudeArguments, claudeEnvironment } from '../src/agents/claude-arguments.ts';
import { prepareConfig } from '../src/agents/claude-config.ts';
import { startDaemon } from '../src/cli/daemon.ts';
import { dataPaths } from '../src/cli/data-dir.ts';
import type { AgentRun } from '../src/domain/agent.ts';
import { createProcesses } from '../src/store/processes.ts';
import { CLAUDE_BIN } from '../test/agents/contract-agents.ts';
import { startScriptedAnthropic, stepByStep } from '../test/support/scripted-anthropic.ts';

const WORKERS = Array.from({ length: 8 }, (_, n) => `w-${n}`);
const ROUNDS = Number(process.argv[2] ?? 5);
const SAMPLE_MS = 50;

type Measured = { seconds: number; megabytes: number };

if (!existsSync(CLAUDE_BIN)) throw new Error('The agent is not installed; run `npm run test:agents` once.');
const dataDir = mkdtempSync(join(tmpdir(), 'helix-bench-'));
const model = await startScriptedAnthropic(
  stepByStep([{ name: 'mcp__helix__publish', input: { streamId: 's-out', body: 'I heard it.' } }]),
);
const login = { ANTHROPIC_API_KEY: 'dummy', ANTHROPIC_BASE_URL: model.url };
const daemon = await startDaemon({
  paths: dataPaths({ dataDir }, {}),
  address: { host: '127.0.0.1', port: 0 },
  settings: { 'agent.kind': 'claude', 'claude.bin': CLAUDE_BIN },
});
daemon.settings.setSecret('login.claude', JSON.stringify(login));
await daemon.recovered;
const processes = createProcesses(daemon.db);

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
  for (const id of WORKERS) await call('hire_worker', { id, ...common, grants: [{ toolName: 'publish' }] });
  await daemon.dispatcher.idle();
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
    highest = Math.max(
      highest,
      pids().reduce((sum, pid) => sum + residentKilobytes(pid), 0),
    );
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

async function throughDaemon(): Promise<Measured> {
  const before = residentKilobytes(process.pid);
  const wake = async () => {
    const response = await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'hello' });
    if (!response.ok) throw new Error(await response.text());
    await daemon.dispatcher.idle();
  };
  const { seconds, megabytes } = await measured(wake(), () => processes.list().map(({ pid }) => pid));
  for (const id of WORKERS)
    if (daemon.queries.activationsOf(id, 1)[0]?.state !== 'done') throw new Error(`${id} did not do its work`);
  const grown = Math.max(0, residentKilobytes(process.pid) - before) / 1_024;
  return { seconds, megabytes: megabytes + grown };
}

async function bare(): Promise<Measured> {
  const pids: number[] = [];
  const starts = WORKERS.map(async (workerId) => {
    const folder = join(dataDir, 'bare', workerId);
    const run: AgentRun = {
      ...{ activationId: 'a-bare', workerId, attempt: 1, agent: {}, folder, grants: [], confinement: { wrap: [] } },
      ...{ prompt: '', briefPrompt: '', instructions: '', environment: {}, limits: { firstOutputMs: 0, runMs: 0 } },
      mcp: { url: `${daemon.url}/workers/${workerId}/mcp`, token: tokenOf(workerId) },
      ...{ onStart: () => {}, onSegment: () => true, signal: new AbortController().signal },
    };
    const child = spawn(CLAUDE_BIN, claudeArguments(run, { model: 'sonnet', effort: 'low' }), {
      cwd: folder,
      env: { ...agentEnvironment(run, process.env), ...claudeEnvironment(folder, login) },
    });
    pids.push(child.pid ?? 0);
    child.stdout.resume();
    child.stderr.resume();
    child.stdin.end('Say that you heard it.');
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`a bare start ended with ${code}`);
  });
  return measured(Promise.all(starts), () => pids);
}

const tokens = new Map<string, string>();
function tokenOf(workerId: string): string {
  const known = tokens.get(workerId) ?? daemon.tokens.create({ workerId, label: 'bench' }).token;
  tokens.set(workerId, known);
  return known;
}

/** What the daemon does for each run is done here before the clock starts. */
async function prepareBare(): Promise<void> {
  for (const workerId of WORKERS) {
    const folder = join(dataDir, 'bare', workerId);
    mkdirSync(folder, { recursive: true });
    const url = `${daemon.url}/workers/${workerId}/mcp`;
    const helix = { type: 'http', url, alwaysLoad: true, headers: { Authorization: 'Bearer ${HELIX_MCP_TOKEN}' } };
    writeFileSync(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: { helix } }));
    await prepareConfig(folder, 'One of eight.', undefined);
  }
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

await hireAll();
const rounds: { ours: Measured; theirs: Measured }[] = [];
for (let round = -1; round < ROUNDS; round++) {
  await prepareBare();
  // In turn, now the one first and now the other; the first round only warms up.
  const isOursFirst = round % 2 === 0;
  const first = isOursFirst ? await throughDaemon() : await bare();
  const second = isOursFirst ? await bare() : await throughDaemon();
  const [ours, theirs] = isOursFirst ? [first, second] : [second, first];
  if (round >= 0) rounds.push({ ours, theirs });
}
await daemon.stop();
await model.close();
rmSync(dataDir, { recursive: true, force: true });

const of = (pick: (measured: Measured) => number) => {
  const [ours, theirs] = [median(rounds.map((r) => pick(r.ours))), median(rounds.map((r) => pick(r.theirs)))];
  return {
    ours: ours.toFixed(2),
    theirs: theirs.toFixed(2),
    ratio: median(rounds.map((r) => pick(r.ours) / pick(r.theirs))).toFixed(2),
  };
};
const seconds = of((measured) => measured.seconds);
const megabytes = of((measured) => measured.megabytes);
process.stdout.write(
  `Eight Workers woken at once, Claude Code with a scripted model, ${rounds.length} rounds, medians:\n` +
    `  wall time  ${seconds.ours} s through the daemon, ${seconds.theirs} s bare, ratio ${seconds.ratio}\n` +
    `  memory     ${megabytes.ours} MB through the daemon, ${megabytes.theirs} MB bare, ratio ${megabytes.ratio}\n`,
);
