// Hours of ordinary life in one run: webhooks, a Worker that answers each, a page, long polls. Says each minute how the daemon
// is, and in the end whether everything that was accepted is there.
//   npm run bench:soak [-- --minutes 60 --per-second 20]
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { dataPaths } from '../src/cli/data-dir.ts';
import { verifyJournal } from '../src/store/verify.ts';
import { callTool, startDaemonProcess, temporaryFolder } from './daemon-process.ts';
import { openAt } from './dataset.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, 'per-second': { type: 'string', default: '20' } },
});
const [minutes, perSecond] = [Number(values.minutes), Number(values['per-second'])];
const MEGABYTE = 1_048_576;
const MINUTE_MS = 60_000;

const dataDir = temporaryFolder();
const paths = dataPaths({ dataDir }, {});
const daemon = await startDaemonProcess(dataDir, {
  settings: {
    'agent.kind': 'command',
    'agent.command': ['/bin/sh', '-c', 'head -c 200; echo; echo done'],
    'dispatch.worker_runs_per_hour': null,
    'dispatch.org_runs_per_hour': null,
  },
});
await callTool(daemon, 'create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
await callTool(daemon, 'create_role', { id: 'r-clerk', content: '# Clerk\n\nRead what comes in.' });
await callTool(daemon, 'create_position', { id: 'p-desk', roleId: 'r-clerk', parentId: 'p-root' });
const hire = { id: 'w-clerk', positionId: 'p-desk', kind: 'ai', identityContent: 'A clerk.', streams: ['s-in'] };
await callTool(daemon, 'hire_worker', { ...hire, grants: [] });

const page = await fetch(`${daemon.url}/events`, { headers: { authorization: `Bearer ${daemon.token}` } });
let heard = 0;
void (async () => {
  for await (const chunk of page.body ?? []) heard += Buffer.from(chunk).toString().split('\nid: ').length - 1;
})().catch(() => {});

const accepted = new Set<string>();
let refused = 0;
const until = Date.now() + minutes * MINUTE_MS;
const publishing = (async () => {
  for (let n = 0; Date.now() < until; n++) {
    const began = Date.now();
    const answer = await fetch(`${daemon.url}/webhooks/s-in`, {
      method: 'POST',
      body: `order ${n} ${'x'.repeat(500)}`,
    });
    if (answer.ok) accepted.add(((await answer.json()) as { id: string }).id);
    else refused += 1;
    await pause(Math.max(0, 1_000 / perSecond - (Date.now() - began)));
  }
})();
const polling = (async () => {
  while (Date.now() < until) await callTool(daemon, 'read_events', { streamId: 's-in', limit: 5, wait: 5 });
})();

console.log('minute   memory MB   write-ahead log MB   loop p99 ms   loop max ms   accepted   heard');
for (let minute = 1; Date.now() < until; minute++) {
  await daemon.ask('watch');
  await pause(Math.min(MINUTE_MS, Math.max(0, until - Date.now())));
  const { p99, max } = await daemon.ask<{ p99: number; max: number }>('watched');
  const memory = (await daemon.ask<number>('memory')) / MEGABYTE;
  const wal = statSync(`${paths.db}-wal`).size / MEGABYTE;
  const cells = [minute, memory.toFixed(0), wal.toFixed(1), p99.toFixed(1), max.toFixed(1), accepted.size, heard];
  console.log(cells.map((cell) => String(cell).padStart(8)).join('    '));
}
await Promise.all([publishing, polling]);
await daemon.stop();

const sqlite = new Database(paths.db, { readonly: true });
const stored = new Set(
  sqlite.prepare("SELECT json_extract(data, '$.id') FROM journal WHERE stream = 's-in'").pluck().all() as string[],
);
const runs = sqlite.prepare('SELECT count(*) FROM activations').pluck().get();
sqlite.close();
const lost = [...accepted].filter((id) => !stored.has(id)).length;
const core = openAt(paths);
const { problems, ...verification } = verifyJournal(core.db);
core.close();
console.log(`${accepted.size} accepted, ${stored.size} stored, ${lost} lost, ${refused} refused, ${runs} runs.`);
console.log(`The chain of the journal: ${JSON.stringify({ ...verification, problems: problems.length })}`);
if (lost > 0 || problems.length > 0) process.exitCode = 1;
