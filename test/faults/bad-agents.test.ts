// Agents as bad as they come, run by a daemon that is a real process: each run ends, is recorded with a closed transcript, leaves
// no process, and keeps neither the daemon nor another Worker from working.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { createQueries } from '../../src/store/queries.ts';
import { alive } from '../agents/play.ts';
import { killLeftovers, type Serve, serve, temporaryDirectory, until } from './serve.ts';

const dataDir = temporaryDirectory('bad-agents');
/** Which badness a run shows is said by the Event that wakes it. */
const program = String.raw`
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
const prompt = readFileSync(0, 'utf8');
const what = /bad: (\w+)/.exec(prompt)?.[1];
const say = (text) => process.stdout.write(text + '\n');
const stay = "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
const linger = () => {
  const child = spawn(process.execPath, ['-e', stay], { detached: true, stdio: 'ignore' });
  child.unref();
  say('pid ' + child.pid);
};
say('pid ' + process.pid);
switch (what) {
  case 'hangs': process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); break;
  case 'crashes': process.kill(process.pid, 'SIGSEGV'); break;
  case 'fails': process.exit(7);
  case 'silent': process.exit(0);
  case 'lingers': linger(); break;
  case 'forks': for (let n = 0; n < 20; n++) linger(); break;
  case 'floods': {
    const chunk = Buffer.alloc(1 << 20, 'x');
    let left = 1024;
    const more = () => {
      while (left-- > 0) if (!process.stdout.write(chunk)) return process.stdout.once('drain', more);
    };
    more();
    break;
  }
  case 'binary': process.stdout.write(Buffer.from([0xff, 0xfe, 0, 10, 0xc3, 10])); break;
  default: say('fine');
}
`;

const PATIENCE_MS = 300_000;
let daemon: Serve;

beforeAll(async () => {
  const agent = JSON.stringify([process.execPath, '--input-type=module', '-e', program]);
  daemon = await serve(dataDir, {
    args: ['--agent-command', agent],
    env: { HELIX_ORG_DISPATCH_ATTEMPTS: '1' },
  });
  await daemon.call('create_role', { id: 'r-worker', content: '# Worker' });
  await daemon.call('create_position', { id: 'p-worker', roleId: 'r-worker', parentId: 'p-root' });
  // Only who hangs is stopped by the clock: how long the others take is the machine's affair.
  for (const id of ['bad', 'good', 'hung']) {
    await daemon.call('create_stream', { id: `s-${id}`, name: id });
    await daemon.call('hire_worker', {
      id: `w-${id}`,
      positionId: 'p-worker',
      kind: 'ai',
      identityContent: 'A worker.',
      grants: [],
      streams: [`s-${id}`],
      ...(id === 'hung' ? { agent: { runSeconds: 5 } } : {}),
    });
  }
  for (const id of ['w-bad', 'w-hung']) await settled(id);
});

afterAll(async () => {
  await daemon.stop();
  killLeftovers();
  rmSync(dataDir, { recursive: true, force: true });
});

type Row = { id: string; state: string; exit: string | null };

async function runs(workerId: string): Promise<Row[]> {
  return ((await daemon.call('list_activations', { workerId, limit: 100 })) as { activations: Row[] }).activations;
}

async function settled(workerId: string): Promise<void> {
  await until(
    `${workerId} has no run under way`,
    async () => {
      const found = await runs(workerId);
      return found.length > 0 && found.every(({ state }) => state !== 'running' && state !== 'queued');
    },
    PATIENCE_MS,
  );
}

const bodies = async (workerId: string) => {
  const { events } = (await daemon.call('worker_log', { workerId, limit: 200 })) as {
    events: { body: string }[];
  };
  return events.map(({ body }) => body);
};

describe('an agent that', () => {
  it.each([
    ['hangs', 'timed_out', /time/],
    ['crashes', 'failed', /SIGSEGV/],
    ['fails', 'failed', /exit code 7/],
    ['silent', 'done', /ok/],
    ['lingers', 'done', /ok/],
    ['forks', 'done', /ok/],
    ['floods', 'done', /ok/],
    ['binary', 'done', /ok/],
  ])('%s ends as %s, and leaves nothing behind', { timeout: PATIENCE_MS }, async (bad, state, exit) => {
    const who = bad === 'hangs' ? 'hung' : 'bad';
    const before = (await runs(`w-${who}`)).length;
    await daemon.call('publish', { streamId: `s-${who}`, body: `bad: ${bad}` });
    await daemon.call('publish', { streamId: 's-good', body: 'work as ever' });
    await until('it was woken', async () => (await runs(`w-${who}`)).length > before);
    await settled(`w-${who}`);
    await settled('w-good');
    const [newest] = await runs(`w-${who}`);
    expect(newest).toMatchObject({ state, exit: expect.stringMatching(exit) });
    const lines = await bodies(`w-${who}`);
    expect(await alive(lines)).toEqual([]);
    expect(lines[0]).toMatch(/^=== exit: .* ===$/);
    expect((await runs('w-good'))[0]).toMatchObject({ state: 'done' });
    expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  });
});

it('whose transcripts are bounded however much was printed', async () => {
  await daemon.stop();
  const db = openDatabase(join(dataDir, 'org.db'));
  const largest = db.sqlite
    .prepare(
      'SELECT max(size) FROM (SELECT sum(length(CAST(body AS BLOB)) + coalesce(length(extra), 0)) AS size FROM transcripts GROUP BY activation_id)',
    )
    .pluck()
    .get() as number;
  const closed = createQueries(db)
    .activationsOf('w-bad', 100)
    .every(({ endedAt, exit }) => endedAt !== null && exit !== null);
  db.sqlite.close();
  expect(largest).toBeLessThan(6 * 1_048_576);
  expect(closed).toBe(true);
});
