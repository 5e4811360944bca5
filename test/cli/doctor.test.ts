// Each fault is a real one, in a real data directory.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  cpSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Core, openCore } from '../../src/cli/core.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import type { Finding } from '../../src/cli/finding.ts';
import { takeLock } from '../../src/cli/lock.ts';
import { ensureOwner, ensureOwnerToken } from '../../src/cli/owner.ts';
import { createToolDoor } from '../../src/tools/call-tool.ts';
import { catalog } from '../../src/tools/catalog.ts';
import { openCatcher } from '../support/catcher.ts';
import { cli, spawnDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';
import { dispatchStage } from '../support/dispatch.ts';

type Call = (tool: string, args: object) => Promise<unknown>;

/** Works on the data as a command would while no daemon runs. */
async function within(dir: string, work: (core: Core, call: Call) => unknown, now = () => new Date()): Promise<void> {
  const url = () => 'http://127.0.0.1:8080';
  const core = openCore({ paths: dataPaths({ dataDir: dir }, {}), url, publicUrl: url, now });
  try {
    await ensureOwner(core);
    ensureOwnerToken(core.tokens, core.paths.ownerTokenFile);
    const lifecycle = {
      folderOf: () => '',
      interrupt: async () => false,
      dismiss: async () => {},
      isDelivering: () => false,
    };
    const door = createToolDoor(
      catalog,
      core.toolDeps(lifecycle, () => 'idle'),
      (_, error) => {
        throw error;
      },
    );
    await work(core, async (tool, args) => {
      const outcome = await door.call({ workerId: 'w-owner', via: 'cli' }, tool, args);
      if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome));
      return outcome.result;
    });
  } finally {
    core.close();
  }
}

const AGENT = [process.execPath, '-e', ''];

/** An organisation with which all is well. */
async function sound(now?: () => Date): Promise<string> {
  const dir = temporaryDirectory();
  await within(
    dir,
    async ({ settings, folders }, call) => {
      settings.set('agent.command', AGENT);
      settings.setSecret('test', 'a secret');
      await call('create_role', { id: 'r-ann', content: '# Ann' });
      await call('create_position', { id: 'p-ann', roleId: 'r-ann', parentId: 'p-root' });
      await call('hire_worker', { id: 'w-ann', positionId: 'p-ann', kind: 'ai', identityContent: 'Ann.' });
      folders.prepare('w-ann');
    },
    now,
  );
  chmodSync(dir, 0o750);
  return dir;
}

const FREE = ['--addr', '127.0.0.1:0'];

async function doctor(dir: string, ...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  const { code, stdout, stderr } = await cli([
    'doctor',
    '--json',
    '--data-dir',
    dir,
    ...(args.length > 0 ? args : FREE),
  ]);
  expect(stderr).toBe('');
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  expect(ok).toBe(code === 0);
  for (const { state, fix } of findings) expect(fix !== undefined).toBe(state === 'warning' || state === 'broken');
  return { code, findings };
}

const wrong = (findings: Finding[]) => findings.filter(({ state }) => state === 'broken' || state === 'warning');

function sql(dir: string, text: string): void {
  const sqlite = new Database(join(dir, 'org.db'));
  sqlite.exec(text);
  sqlite.close();
}

test('where all is well it says so, with and without a daemon, in at least twelve checks', async () => {
  const dir = await sound();
  const stopped = await doctor(dir);
  expect(wrong(stopped.findings)).toEqual([]);
  expect(stopped.code).toBe(0);
  expect(new Set(stopped.findings.map(({ check }) => check)).size).toBeGreaterThanOrEqual(12);
  const daemon = await spawnDaemon({ dir, agent: AGENT });
  await waitFor('it is ready', async () => (await fetch(`${daemon.url}/readyz`)).ok);
  const running = await doctor(dir);
  expect(wrong(running.findings)).toEqual([]);
  expect(running.findings).toContainEqual(
    expect.objectContaining({ check: 'daemon', says: expect.stringContaining('answers on http://127.0.0.1:') }),
  );
  const { stdout, code } = await cli(['doctor', '--data-dir', dir]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^✓ node /);
  expect(stdout.trimEnd().endsWith('All is well.')).toBe(true);
});

type Fault = {
  name: string;
  inject(dir: string): unknown;
  args?: string[];
  finds: { check: string; state?: 'broken' | 'warning'; says: string; fix: string };
};

const faults: Fault[] = [
  {
    name: 'the data are gone',
    inject: (dir) => rmSync(dir, { recursive: true }),
    finds: { check: 'data directory', says: 'There is nothing at', fix: 'helix-org serve' },
  },
  {
    name: 'the folders’ place is a file',
    inject: (dir) => {
      rmSync(join(dir, 'workers'), { recursive: true });
      writeFileSync(join(dir, 'workers'), '');
    },
    finds: { check: 'data directory', says: 'workers is no directory', fix: 'Make it a directory' },
  },
  {
    name: 'everybody may look into the data',
    inject: (dir) => chmodSync(dir, 0o755),
    finds: { check: 'data directory', state: 'warning', says: 'Everybody on this machine', fix: 'chmod 750 ' },
  },
  {
    name: 'the key is gone',
    inject: (dir) => rmSync(join(dir, 'key')),
    finds: { check: 'secrets', says: 'key is missing', fix: 'Put ' },
  },
  {
    name: 'the key is another one',
    inject: (dir) => writeFileSync(join(dir, 'key'), Buffer.alloc(32, 7).toString('base64')),
    finds: { check: 'secrets', says: 'does not open secret.test', fix: 'Put ' },
  },
  {
    name: 'the key is no key',
    inject: (dir) => writeFileSync(join(dir, 'key'), 'half'),
    finds: { check: 'secrets', says: 'holds no key', fix: 'Put ' },
  },
  {
    name: 'others may read the key',
    inject: (dir) => chmodSync(join(dir, 'key'), 0o644),
    finds: { check: 'secrets', says: 'mode 644', fix: 'chmod 600 ' },
  },
  {
    name: 'others may read the owner’s token',
    inject: (dir) => chmodSync(join(dir, 'owner-token'), 0o640),
    finds: { check: 'owner token', says: 'mode 640', fix: 'chmod 600 ' },
  },
  {
    name: 'the owner’s token is gone',
    inject: (dir) => rmSync(join(dir, 'owner-token')),
    finds: { check: 'owner token', says: 'is missing', fix: 'helix-org serve' },
  },
  {
    name: 'the owner’s token was revoked',
    inject: (dir) =>
      within(dir, ({ tokens }) => tokens.revokeAll('w-owner')).then(() =>
        sql(dir, "UPDATE tokens SET revoked_at = '2026-01-01T00:00:00.000Z'"),
      ),
    finds: { check: 'owner token', says: 'holds no more', fix: 'helix-org serve' },
  },
  {
    name: 'the database is something else',
    inject: (dir) => {
      rmSync(join(dir, 'org.db-wal'), { force: true });
      writeFileSync(join(dir, 'org.db'), 'x'.repeat(10_000));
    },
    finds: { check: 'database', says: 'cannot be opened', fix: 'Restore the newest backup' },
  },
  {
    name: 'pages of the database are damaged',
    inject: (dir) => {
      sql(dir, 'PRAGMA wal_checkpoint(TRUNCATE)');
      const sqlite = new Database(join(dir, 'org.db'), { readonly: true });
      const page = sqlite.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'workers'").pluck().get() as number;
      sqlite.close();
      const file = openSync(join(dir, 'org.db'), 'r+');
      writeSync(file, Buffer.alloc(200, 0xee), 0, 200, (page - 1) * 4_096);
      closeSync(file);
    },
    finds: { check: 'database', says: 'damaged', fix: 'Restore the newest backup' },
  },
  {
    name: 'the database is of a newer version',
    inject: (dir) => sql(dir, "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)"),
    finds: { check: 'database', says: 'newer helix-org', fix: 'Upgrade' },
  },
  {
    name: 'an entry of the journal was changed',
    inject: (dir) => sql(dir, "DROP TRIGGER journal_no_update; UPDATE journal SET actor = 'w-ann' WHERE seq = 3"),
    finds: { check: 'journal', says: 'entry 3 was changed', fix: 'helix-org verify' },
  },
  {
    name: 'the write-ahead log grew',
    inject: (dir) => {
      writeFileSync(join(dir, 'org.db-wal'), '');
      truncateSync(join(dir, 'org.db-wal'), 70 * 1_048_576);
    },
    finds: { check: 'write-ahead log', says: '70 MiB', fix: 'fuser' },
  },
  {
    name: 'the clock was put back',
    inject: (dir) =>
      within(
        dir,
        ({ journal }) => journal.commit('system', { type: 'PostNotice', subject: 'x', body: 'y' }),
        () => new Date(Date.now() + 3_600_000),
      ),
    finds: { check: 'clock', says: 'the newest entry was written at', fix: 'timedatectl' },
  },
  {
    name: 'the agent’s program is gone',
    inject: (dir) => within(dir, ({ settings }) => settings.set('agent.command', ['/nonexistent/agent'])),
    finds: { check: 'agent', says: '/nonexistent/agent', fix: '' },
  },
  {
    name: 'the program of an agent that was chosen for one Worker is gone',
    inject: (dir) =>
      within(dir, async ({ settings }, call) => {
        settings.set('codex.bin', '/nonexistent/codex');
        await call('update_agent', { workerId: 'w-ann', agent: 'codex' });
      }),
    finds: {
      check: 'agent',
      says: 'codex.bin names "/nonexistent/codex": no such program. It was chosen for w-ann.',
      fix: 'npm install -g @openai/codex',
    },
  },
  {
    name: 'the command that was chosen for one Worker is gone',
    inject: (dir) =>
      within(dir, (_, call) => call('update_agent', { workerId: 'w-ann', agent: { command: ['/nonexistent/own'] } })),
    finds: { check: 'agent', says: '/nonexistent/own', fix: '' },
  },
  {
    name: 'the sandbox is gone',
    inject: (dir) => within(dir, ({ settings }) => settings.set('agent.wrap', ['no-such-sandbox', '--'])),
    finds: { check: 'sandbox', says: 'no-such-sandbox', fix: 'helix-org config delete agent.wrap' },
  },
  {
    name: 'more agents than memory',
    inject: (dir) => within(dir, ({ settings }) => settings.set('dispatch.max_inflight', 1_000)),
    finds: {
      check: 'memory',
      state: 'warning',
      says: 'dispatch.max_inflight is 1000',
      fix: 'helix-org config set dispatch.max_inflight',
    },
  },
  {
    name: 'a Worker’s folder is a file',
    inject: (dir) => {
      renameSync(join(dir, 'workers', 'w-ann'), join(dir, 'aside'));
      writeFileSync(join(dir, 'workers', 'w-ann'), '');
    },
    finds: { check: 'folders', says: 'w-ann cannot run', fix: 'mv ' },
  },
  {
    name: 'a Stream is for mail and there is no account',
    inject: (dir) =>
      within(dir, (_, call) =>
        call('create_stream', { id: 's-mail', name: 'mail', transport: { kind: 'email', config: { alias: 'a' } } }),
      ),
    finds: { check: 'mail', says: 's-mail is for mail', fix: 'helix-org config set transport.postmark' },
  },
  {
    name: 'anybody may post mail in Postmark’s place',
    inject: (dir) =>
      within(dir, ({ settings }) =>
        settings.set('transport.postmark', { token: 't', inbound: 'h@in.example', from: 'a@b.example' }),
      ),
    finds: { check: 'mail', state: 'warning', says: 'inbound_user', fix: 'transport.postmark' },
  },
  {
    name: 'mail leaves by an SMTP server, and anybody may post what comes',
    inject: (dir) =>
      within(dir, ({ settings }) =>
        settings.set('transport.postmark', {
          smtp: { host: 'mail.example', user: 'u', pass: 'p' },
          inbound: 'h@in.example',
          from: 'a@b.example',
        }),
      ),
    finds: { check: 'mail', state: 'warning', says: 'inbound_user', fix: 'transport.postmark' },
  },
  {
    name: 'a Stream is for GitHub and nothing can be proven',
    inject: (dir) =>
      within(dir, (_, call) =>
        call('create_stream', {
          id: 's-gh',
          name: 'gh',
          transport: { kind: 'github', config: { repo: 'a/b', events: ['*'] } },
        }),
      ),
    finds: { check: 'github', says: 's-gh listens to GitHub', fix: 'helix-org config set transport.github' },
  },
  {
    name: 'a webhook without a secret is public',
    inject: (dir) =>
      within(dir, (_, call) => call('create_stream', { id: 's-hook', name: 'hook', transport: { kind: 'webhook' } })),
    args: [...FREE, '--public-url', 'https://org.invalid'],
    finds: { check: 'webhooks', state: 'warning', says: 's-hook', fix: '"secret":true' },
  },
  {
    name: 'a webhook’s secret is gone',
    inject: (dir) =>
      within(dir, async ({ settings }, call) => {
        await call('create_stream', {
          id: 's-hook',
          name: 'hook',
          transport: { kind: 'webhook', config: { secret: true } },
        });
        settings.deleteSecret('stream.s-hook');
      }),
    finds: { check: 'webhooks', says: 's-hook signs', fix: 'rotate_secret' },
  },
  {
    name: 'nothing answers at the public address',
    inject: () => {},
    args: [...FREE, '--public-url', 'http://org.invalid'],
    finds: { check: 'public address', says: 'Nothing answers at http://org.invalid', fix: '--public-url' },
  },
  {
    name: 'a Worker was paused',
    inject: (dir) => within(dir, (_, call) => call('pause_worker', { workerId: 'w-ann' })),
    finds: {
      check: 'work',
      state: 'warning',
      says: 'w-ann is paused',
      fix: 'helix-org call resume_worker \'{"workerId": "w-ann"}\'',
    },
  },
];

describe('a fault is found, with what to do', () => {
  test.each(faults)('$name', async ({ inject, args = [], finds: { check, state = 'broken', says, fix } }) => {
    const dir = await sound();
    await inject(dir);
    const { code, findings } = await doctor(dir, ...args);
    const found = wrong(findings).find((each) => each.check === check && each.says.includes(says));
    expect(found, JSON.stringify(wrong(findings), null, 1)).toMatchObject({ state, fix: expect.stringContaining(fix) });
    expect(code).toBe(findings.some((each) => each.state === 'broken') ? 1 : 0);
    if (state === 'broken') expect(code).toBe(1);
  });

  test('the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { findings } = await doctor(await sound(), '--addr', `127.0.0.1:${port}`);
    expect(wrong(findings)).toEqual([
      expect.objectContaining({ check: 'port', fix: expect.stringContaining('--addr 127.0.0.1:8090') }),
    ]);
  });

  test('a daemon was killed, and one hangs', async () => {
    const dir = await sound();
    const daemon = await spawnDaemon({ dir, agent: AGENT });
    process.kill(daemon.pid, 'SIGSTOP');
    const hung = await doctor(dir);
    expect(wrong(hung.findings)).toContainEqual(
      expect.objectContaining({ check: 'daemon', state: 'broken', fix: expect.stringContaining(`kill ${daemon.pid}`) }),
    );
    await daemon.kill('SIGKILL');
    const { code, findings } = await doctor(dir);
    expect(code).toBe(0);
    expect(wrong(findings)).toEqual([
      expect.objectContaining({ check: 'daemon', state: 'warning', fix: expect.stringContaining('helix-org serve') }),
    ]);
  });

  test.each([
    ['something else', 200, 'hello', 'Something else answers'],
    [
      'a proxy that changes the Host header',
      403,
      'This daemon does not answer to the host "x".',
      'does not know the name',
    ],
  ])('%s is at the public address', async (_name, status, body, says) => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    // A machine without a network has no address but its loopback, which is none of the outside.
    const host = own ?? '0.0.0.0';
    const server = createHttpServer((_request, response) => response.writeHead(status).end(body)).listen(0, '0.0.0.0');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { findings, code } = await doctor(await sound(), ...FREE, '--public-url', `http://${host}:${port}`);
    expect(code).toBe(1);
    expect(wrong(findings)).toMatchObject([
      { check: 'public address', state: 'broken', says: expect.stringContaining(says) },
    ]);
  });

  test('a daemon that listens to the whole network looks at itself', async () => {
    const dir = await sound();
    await within(dir, (_, call) =>
      call('create_stream', { id: 's-hook', name: 'hook', transport: { kind: 'webhook' } }),
    );
    const daemon = await spawnDaemon({ dir, agent: ['/nonexistent/agent'], args: ['--addr', ':0'] });
    await waitFor('it is ready', async () => (await fetch(`${daemon.url}/readyz`)).ok);
    const { findings } = await doctor(dir);
    // The agent it was started with is not the one that is stored. Whether w-ann has tried to run by now is all the same.
    expect(wrong(findings).filter(({ check }) => check !== 'work')).toMatchObject([
      { check: 'agent', state: 'broken', says: expect.stringContaining('/nonexistent/agent') },
      { check: 'webhooks', state: 'warning', says: expect.stringContaining('this machine may post to s-hook') },
    ]);
  });

  test('another command holds the data', async () => {
    const dir = await sound();
    const lock = takeLock(dataPaths({ dataDir: dir }, {}).lockFiles);
    onTestFinished(() => lock?.release());
    const { findings } = await doctor(dir);
    expect(wrong(findings)).toMatchObject([
      { check: 'daemon', state: 'warning', says: expect.stringContaining('another helix-org command') },
    ]);
  });

  test('there was no backup for weeks; after one there is nothing to say', async () => {
    const dir = await sound(() => new Date(Date.now() - 30 * 86_400_000));
    const before = await doctor(dir);
    expect(wrong(before.findings)).toMatchObject([
      { check: 'backup', state: 'warning', says: 'There was never a backup, for 30 days.' },
    ]);
    expect((await cli(['backup', join(temporaryDirectory(), 'org.tar'), '--data-dir', dir])).code).toBe(0);
    expect(wrong((await doctor(dir)).findings)).toEqual([]);
  });

  test('a target is gone and a delivery died: what to call mends it', async () => {
    const catcher = await openCatcher(() => ({ status: 410 }));
    const dataDir = temporaryDirectory();
    const org = await dispatchStage({ dataDir, settings: { 'outbound.allow_private': true } });
    await org.stream('s-out', { transport: { kind: 'webhook', config: { outbound_url: catcher.url } } });
    await org.publish('s-out', 'hello');
    await org.daemon.courier.idle();
    const { findings } = await doctor(dataDir);
    const outbox = wrong(findings).filter(({ check }) => check === 'outbox');
    expect(outbox.map(({ state }) => state)).toEqual(['broken', 'warning']);
    const [, args = ''] = /call retry '(.*?)'/.exec(outbox[0]?.fix ?? '') ?? [];
    await org.call('retry', JSON.parse(args) as object);
    expect(
      wrong((await doctor(dataDir)).findings).filter(({ check, state }) => check === 'outbox' && state === 'broken'),
    ).toEqual([]);
  });
});

test.each([
  ['takes what anybody sends', { outbound_url: "https://shop.example/o'hook" }, false],
  ['has lost the secret by which it sends', { outbound_url: 'https://shop.example/hook' }, true],
  ['has lost the secret of what it takes', { outbound_url: 'https://shop.example/hook', secret: true }, true],
])('a webhook that %s: what to call mends it, shows a secret, and keeps its target', async (_name, config, isLost) => {
  const dir = await sound();
  await within(dir, async ({ settings }, call) => {
    await call('create_stream', { id: 's-hook', name: 'hook', transport: { kind: 'webhook', config } });
    if (isLost) settings.deleteSecret('stream.s-hook');
  });
  const look = () => doctor(dir, ...FREE, '--public-url', 'https://org.invalid');
  const webhooks = async () => (await look()).findings.filter(({ check }) => check === 'webhooks');
  // As a shell would take it apart.
  for (let [found] = await webhooks(), n = 0; found?.state !== 'ok' && n < 2; [found] = await webhooks(), n++) {
    const calls = [...(found?.fix ?? '').matchAll(/helix-org call (\w+) '((?:[^']|'\\'')*)'/g)];
    let said: unknown;
    await within(dir, async (_, call) => {
      for (const [, tool = '', args = ''] of calls) said = await call(tool, JSON.parse(args.replaceAll(`'\\''`, "'")));
    });
    expect(said).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
  }
  expect(await webhooks()).toMatchObject([{ state: 'ok' }]);
  await within(dir, async (_, call) =>
    expect(await call('get_stream', { id: 's-hook' })).toMatchObject({ transportConfig: config }),
  );
});

test('what it says to type is what mends it', async () => {
  const dir = await sound();
  chmodSync(dir, 0o757);
  chmodSync(join(dir, 'key'), 0o666);
  chmodSync(join(dir, 'owner-token'), 0o604);
  const { findings, code } = await doctor(dir);
  expect(code).toBe(1);
  const fixes = wrong(findings).map(({ fix = '' }) => fix);
  expect(fixes).toHaveLength(3);
  for (const fix of fixes) execFileSync('sh', ['-c', fix]);
  expect(wrong((await doctor(dir)).findings)).toEqual([]);
});

test('it changes nothing', async () => {
  const dir = await sound();
  sql(dir, 'PRAGMA wal_checkpoint(TRUNCATE)');
  const copy = temporaryDirectory();
  cpSync(dir, copy, { recursive: true });
  await doctor(dir);
  for (const name of ['org.db', 'key', 'owner-token'])
    expect(readFileSync(join(dir, name)).equals(readFileSync(join(copy, name)))).toBe(true);
});
