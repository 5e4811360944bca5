import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/cli/logger.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { toolNames } from '../../src/tools/catalog.ts';
import { alive } from '../agents/play.ts';
import { signedIn } from '../support/chat-person.ts';
import {
  cli,
  connectOwner,
  isUp,
  spawnDaemon,
  startTestDaemon,
  temporaryDirectory,
  waitFor,
} from '../support/daemon.ts';

/** A logger and what was logged. */
function listen() {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createLogger({ json: true, write: (line) => void lines.push(JSON.parse(line)) }) };
}

test('on an empty directory there is an owner, human, in the root Position, with a folder and every tool of the catalog (A1)', async () => {
  const { queries, paths } = await startTestDaemon();
  expect(queries.worker('w-owner')).toMatchObject({ kind: 'human', positions: ['p-root'] });
  expect(queries.position('p-root')).toMatchObject({ roleId: 'r-owner', parentId: null });
  expect(queries.role('r-owner')?.content).toMatch(/^# Role: Owner/);
  expect(readFileSync(join(paths.envsDir, 'w-owner', 'role.md'), 'utf8')).toBe(queries.role('r-owner')?.content);
  const grants = queries.grantsOf('w-owner');
  expect(new Set(grants.map(({ tool }) => tool))).toEqual(toolNames);
  expect(grants).toHaveLength(toolNames.size);
  for (const { id } of grants) expect(id).toMatch(/^g-owner-[0-9a-f-]{36}$/);
});

test('pages know from the first one on that the agent cannot run', async () => {
  const daemon = await spawnDaemon({ settings: { 'agent.kind': 'claude', 'claude.bin': '/nowhere/claude' } });
  expect(await daemon.greeting()).toContain('NOT READY: claude.bin names "/nowhere/claude": no such program.');
  const { get } = await signedIn(daemon);
  expect((await get('/ui/')).html).toMatch(/<strong>1<\/strong> <span class="words-of">needs someone/);
});

test('on a directory with an org nothing changes, and the log says so (A2)', async () => {
  const { dir, stop, db } = await startTestDaemon();
  const { head } = verifyJournal(db);
  await stop();
  const { lines, log } = listen();
  const again = await startTestDaemon({ dir, log });
  expect(verifyJournal(again.db).head).toBe(head);
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'bootstrap skipped: the org is already initialised' }));
});

test('tools that came since are granted to the owner at the start, by the system (A1)', async () => {
  const first = await startTestDaemon();
  const grant = first.queries.grantsOf('w-owner').find(({ tool }) => tool === 'publish');
  await first.stop();
  // As if this org had been founded by a version without the tool.
  const sqlite = new Database(join(first.dir, 'org.db'));
  sqlite.exec('DROP TRIGGER journal_no_delete; DROP TRIGGER content_no_delete');
  sqlite.prepare("DELETE FROM journal WHERE type = 'ToolGranted' AND json_extract(data, '$.tool') = 'publish'").run();
  sqlite.prepare('DELETE FROM grants WHERE id = ?').run(grant?.id);
  sqlite.close();
  const { queries } = await startTestDaemon({ dir: first.dir });
  const granted = queries.grantsOf('w-owner').find(({ tool }) => tool === 'publish');
  expect(granted).toBeDefined();
  expect(queries.entry(granted?.seq ?? 0)).toMatchObject({ actor: 'system', via: 'system' });
});

test('without --public-url, the port that was bound is in the URLs it gives out; with it, that URL is (A5)', async () => {
  const inward = await startTestDaemon();
  expect(inward.publicUrl).toBe(`http://localhost:${inward.port}`);
  const create = { id: 's-a', name: 'a', transport: 'webhook' };
  expect(await (await connectOwner(inward)).call('create_stream', create)).toMatchObject({
    url: `${inward.publicUrl}/webhooks/s-a`,
  });
  const outward = await startTestDaemon({ publicUrl: 'https://hooks.example.com/helix' });
  expect(await (await connectOwner(outward)).call('create_stream', create)).toMatchObject({
    url: 'https://hooks.example.com/helix/webhooks/s-a',
  });
});

test('--db :memory: works, and requests at the same time see one database (A6)', async () => {
  const daemon = await startTestDaemon({ db: ':memory:' });
  const owner = await connectOwner(daemon);
  await owner.call('create_stream', { id: 's-a', name: 'a' });
  const bodies = Array.from({ length: 40 }, (_, index) => `message ${index}`);
  await Promise.all(bodies.map((body) => owner.call('publish', { streamId: 's-a', body })));
  const { events } = (await owner.call('read_events', { streamId: 's-a', limit: 100 })) as {
    events: { body: string }[];
  };
  expect(events.map(({ body }) => body).sort()).toEqual([...bodies].sort());
  expect(() => statSync(join(daemon.dir, 'org.db'))).toThrow('ENOENT');
});

describe('SIGTERM and SIGINT', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with exit code 0 when nothing is open (A7)', async (signal) => {
    const daemon = await spawnDaemon();
    expect(await daemon.kill(signal)).toMatchObject({ code: 0, signal: null });
    expect(daemon.output.stderr).toContain(`stopping signal=${signal}`);
  });

  test('ends with exit code 0, soon, with an open feed, a waiting long poll and a running activation (A7)', async () => {
    const daemon = await spawnDaemon({ agent: ['sleep', '60'] });
    const owner = await connectOwner(daemon);
    await owner.call('create_role', { id: 'r-a', content: '# A' });
    await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
    await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
    await waitFor('w-a runs', async () => JSON.stringify(await owner.call('list_workers')).includes('"running"'));
    const feed = await fetch(`${daemon.url}/events`, { headers: { Authorization: `Bearer ${daemon.token}` } });
    const poll = owner.call('read_events', { wait: 45 });
    await waitFor(
      'the poll waits',
      async () => ((await daemon.control('status')) as { waiting: number }).waiting === 1,
    );
    const began = performance.now();
    expect(await daemon.kill('SIGTERM')).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(9_000);
    expect(await poll).toEqual({ events: [] });
    expect(await feed.text()).toContain('the daemon stops');
    expect(await cli(['verify', '--data-dir', daemon.dir])).toMatchObject({ code: 0 });
  });

  test('A128: ends the processes of every activation, however stubborn, and shows what they worked on again, uncounted', async () => {
    const stubborn = 'trap "" INT TERM; echo pid $$ > pids; setsid sleep 300 & echo pid $! >> pids; echo here; wait';
    const daemon = await spawnDaemon({ agent: ['sh', '-c', stubborn] });
    const owner = await connectOwner(daemon);
    await owner.call('create_role', { id: 'r-a', content: '# A' });
    await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
    await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
    const log = async () => JSON.stringify(await owner.call('worker_log', { workerId: 'w-a' }));
    await waitFor('the agent is at work', async () => (await log()).includes('here'));
    const pids = readFileSync(join(daemon.dir, 'workers', 'w-a', 'pids'), 'utf8')
      .trim()
      .split('\n');
    expect(await alive(pids)).toHaveLength(2);
    const began = performance.now();
    const ended = daemon.kill('SIGTERM');
    // It takes nothing new from here on.
    await waitFor('it says that it stops', () => daemon.output.stderr.includes('stopping'));
    expect(await ended).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await alive(pids)).toEqual([]);

    const next = await spawnDaemon({ dir: daemon.dir, agent: ['true'] });
    const again = await connectOwner(next);
    const runs = async () =>
      ((await again.call('list_activations', { workerId: 'w-a' })) as { activations: object[] }).activations;
    await waitFor('it was shown again', async () => JSON.stringify(await runs()).includes('"done"'));
    expect(await runs()).toMatchObject([
      { state: 'done', attempt: 1, triggers: ['hire'] },
      { state: 'interrupted', attempt: 1, triggers: ['hire'], exit: expect.stringContaining('shutdown') },
    ]);
  });

  test('a second one, when a moment has passed, ends it at once', async () => {
    const daemon = await spawnDaemon({ agent: ['sh', '-c', 'trap "" INT; echo here; sleep 5'] });
    const owner = await connectOwner(daemon);
    await owner.call('create_role', { id: 'r-a', content: '# A' });
    await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
    await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
    const isHere = async () => JSON.stringify(await owner.call('worker_log', { workerId: 'w-a' })).includes('here');
    await waitFor('the agent runs', isHere);
    await waitFor('it has ended', () => {
      if (daemon.child.exitCode === null) process.kill(daemon.pid, 'SIGINT');
      return daemon.child.exitCode !== null;
    });
    expect(await daemon.ended).toMatchObject({ code: 130 });
    expect(await cli(['verify', '--data-dir', daemon.dir])).toMatchObject({ code: 0 });
  });

  test('a run that was stopped by the shutdown comes again, without having counted', async () => {
    const first = await startTestDaemon({ agent: () => new Promise(() => {}) });
    const owner = await connectOwner(first);
    await owner.call('create_role', { id: 'r-a', content: '# A' });
    await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
    await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
    await waitFor('w-a runs', () => first.queries.runningActivations().length === 1);
    await first.stop();
    const attempts: number[] = [];
    const second = await startTestDaemon({ dir: first.dir, agent: ({ attempt }) => void attempts.push(attempt) });
    await second.dispatcher.idle();
    expect(attempts).toEqual([1]);
  });
});

test('the greeting names the address, the agent and whether it is fit, and a link that signs the owner in', async () => {
  const daemon = await spawnDaemon({ agent: [process.execPath, '--version'] });
  const stdout = await daemon.greeting();
  expect(stdout).toContain(`listens on ${daemon.url}\n`);
  expect(stdout).toContain('agent      command, ready\n');
  const link = /http:\S+\/login\?\S+/.exec(stdout)?.[0] ?? '';
  expect((await fetch(link)).status).toBe(200);
  expect(daemon.output.stderr).not.toContain('hxo_');
});

test('an agent that is not there is named at the start, with what to do', async () => {
  const daemon = await spawnDaemon({ agent: ['no-such-agent'] });
  expect(await daemon.greeting()).toMatch(
    /agent {6}command, NOT READY: agent\.command names "no-such-agent": .+ Install it or correct/,
  );
});

test('a wider address works, and warns', async () => {
  const daemon = await spawnDaemon({ args: ['--addr', ':0'] });
  expect(daemon.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(daemon.output.stderr).toContain('WARN  listening beyond this machine');
});

test('--log-json logs one JSON object a line and nothing else', async () => {
  const daemon = await spawnDaemon({ args: ['--log-json'], env: { HELIX_ORG_NOTHING: '1' } });
  await daemon.kill('SIGTERM');
  const lines = daemon.output.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string });
  expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['server listening', 'stopped']));
  expect(lines[0]).toMatchObject({ level: 'warn', msg: expect.stringContaining('HELIX_ORG_NOTHING names no setting') });
});

test('an address in use is one sentence and exit code 1', async () => {
  const { port } = await startTestDaemon();
  const { code, stderr } = await cli([
    'serve',
    '--addr',
    `127.0.0.1:${port}`,
    '--data-dir',
    temporaryDirectory(),
    '--quiet',
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/);
});

test('a database of a newer version is refused with a sentence, and left as it is', async () => {
  const first = await startTestDaemon();
  await first.stop();
  const file = join(first.dir, 'org.db');
  const sqlite = new Database(file);
  sqlite.prepare("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('later', 99999999999999)").run();
  sqlite.close();
  const before = readFileSync(file);
  for (const command of ['serve', 'verify', 'rebuild', 'bootstrap']) {
    const { code, stderr } = await cli([command, '--data-dir', first.dir, '--quiet']);
    expect({ command, code }).toEqual({ command, code: 1 });
    expect(stderr).toContain('was written by a newer helix-org; upgrade this one');
  }
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('the server answers before what a crash left behind is dealt with, and nobody is woken earlier', async () => {
  const first = await startTestDaemon({ agent: () => new Promise(() => {}) });
  const owner = await connectOwner(first);
  await owner.call('create_role', { id: 'r-a', content: '# A' });
  await owner.call('create_position', { id: 'p-a', roleId: 'r-a', parentId: 'p-root' });
  await owner.call('hire_worker', { id: 'w-a', positionId: 'p-a', kind: 'ai', identityContent: 'A.' });
  await waitFor('w-a runs', () => first.queries.runningActivations().length === 1);
  // A copy of the data at this moment is what a crash leaves.
  const dir = temporaryDirectory();
  for (const name of ['org.db', 'org.db-wal', 'key', 'owner-token'])
    writeFileSync(join(dir, name), readFileSync(join(first.dir, name)));
  const seen: { attempt: number; running: number }[] = [];
  const second = await startTestDaemon({
    dir,
    agent: ({ attempt }) => void seen.push({ attempt, running: second?.queries.runningActivations().length }),
  });
  expect(await isUp(second.url)).toBe(true);
  await second.dispatcher.idle();
  expect(seen).toEqual([{ attempt: 2, running: 1 }]);
});
