// What holds for a program however it is started, and what becomes of it when the launcher does.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLauncher, type Launcher } from '../../src/agents/launcher.ts';
import { openLauncherSockets } from '../../src/agents/launcher-sockets.ts';
import { readProcess, readProcessTable } from '../../src/agents/process-table.ts';
import { type StartProgram, startDirectly } from '../../src/agents/start-program.ts';
import { waitFor } from '../support/daemon.ts';
import { alive, createFolder, launcher, play, script, sh } from './play.ts';

const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';
const PATH = process.env.PATH ?? '';

type Change = { cwd?: string; environment?: Record<string, string>; user?: { uid: number; gid: number } };

/** Started, with nothing on stdin. */
async function begin(start: StartProgram, command: string[], { cwd = tmpdir(), environment = {}, user }: Change = {}) {
  const started = await start({ command, cwd, environment: { PATH, ...environment }, user });
  started.stdin.on('error', () => {}).end();
  return started;
}

async function said(start: StartProgram, command: string[], change: Change = {}) {
  const { stdout, stderr, exited } = await begin(start, command, change);
  const [out, err, exit] = await Promise.all([text(stdout), text(stderr), exited]);
  return { out, err, exit };
}

const ways: [string, StartProgram][] = [
  ['through the launcher', (start) => launcher.start(start)],
  ['directly', startDirectly],
];

describe.each(ways)('a program that is started %s', (_, start) => {
  test('has a session of its own, its directory, and exactly its environment', async () => {
    const folder = createFolder();
    const environment = { ONE: 'ä "1"\n', HELIX_ACTIVATION_ID: 'a-1' };
    const { root, stdout, exited } = await begin(start, [process.execPath, '-e', PRINT], { cwd: folder, environment });
    const [cwd, names, one] = JSON.parse(await text(stdout));
    expect([cwd, one]).toEqual([folder, environment.ONE]);
    expect(names).toEqual(['HELIX_ACTIVATION_ID', 'ONE', 'PATH']);
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(root.startedAt).not.toBe('');
    const own = await said(start, ['sh', '-c', 'echo $$; ps -o pgid= -p $$']);
    const [pid, group] = own.out.trim().split(/\s+/);
    expect(group).toBe(pid);
  });

  test('is known by its number and its start, also when it ends at once', async () => {
    const ended = await Promise.all(Array.from({ length: 10 }, () => begin(start, ['true'])));
    for (const { root } of ended) {
      expect(root.pid).toBeGreaterThan(1);
      if (isLinux) expect(root.startedAt).toMatch(/^[\w-]+:\d+$/);
    }
    expect(await Promise.all(ended.map(({ exited }) => exited))).toEqual(ended.map(() => ({ code: 0, signal: null })));
  });

  test('reads to the end of what it is given', async () => {
    const { stdin, stdout } = await start({ command: ['wc', '-c'], cwd: '/', environment: { PATH } });
    stdin.end('x'.repeat(1_000_000));
    expect((await text(stdout)).trim()).toBe('1000000');
  });

  test('says how it ended, and all that it said is there in order', async () => {
    const numbers = 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i; done; echo done >&2; exit 7';
    const { out, err, exit } = await said(start, ['sh', '-c', numbers]);
    expect(out).toBe(Array.from({ length: 2_000 }, (_, n) => `${n + 1}\n`).join(''));
    expect([err, exit]).toEqual(['done\n', { code: 7, signal: null }]);
    expect((await said(start, ['sh', '-c', 'echo last; kill -KILL $$'])).exit).toEqual({
      code: null,
      signal: 'SIGKILL',
    });
  });

  test('keeps what it says before it ends at once, every time', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, n) => said(start, ['echo', String(n)])));
    expect(all.map(({ out }) => out)).toEqual(all.map((_, n) => `${n}\n`));
  });

  test('waits while nobody reads, and loses nothing of a flood', async () => {
    const folder = createFolder();
    const flood = ['sh', '-c', 'head -c 20000000 /dev/zero; touch done'];
    const { stdout, exited } = await begin(start, flood, { cwd: folder });
    await waitFor(
      'something came',
      () => stdout.readableLength > 0 || new Promise<true>((resolve) => stdout.once('readable', () => resolve(true))),
    );
    expect(existsSync(join(folder, 'done'))).toBe(false);
    expect(stdout.readableLength).toBeLessThan(1_000_000);
    expect((await buffer(stdout)).length).toBe(20_000_000);
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  test.runIf(isLinux)('has no connection but its own three, also beside others', async () => {
    const list = ['sh', '-c', 'ls -l /proc/$$/fd; read -r _'];
    const each = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const started = await start({ command: list, cwd: '/', environment: { PATH } });
        started.stdin.on('error', () => {});
        return started;
      }),
    );
    for (const { stdin } of each) stdin.end('\n');
    const sockets = (await Promise.all(each.map(({ stdout }) => text(stdout)))).map((out) =>
      [...out.matchAll(/ (\d+) -> socket:(\S+)/g)].map(([, fd, id]) => [fd, id]),
    );
    for (const own of sockets) expect(own.map(([fd]) => fd).sort()).toEqual(['0', '1', '2']);
    expect(new Set(sockets.flat().map(([, id]) => id)).size).toBe(24);
  });

  test.runIf(isRoot)('is another user’s when it is to be', async () => {
    const { out } = await said(start, ['id'], { user: { uid: 65_534, gid: 65_534 }, cwd: '/' });
    expect(out).toMatch(/^uid=65534\S* gid=65534/);
  });

  test('can be put behind a wrap', async () => {
    const { bodies } = await play(
      ['echo', 'inside'],
      { confinement: { wrap: ['env', 'WRAPPED={worker}', 'sh', '-c', 'echo $WRAPPED; exec "$@"', 'sh'] } },
      start,
    );
    expect(bodies).toEqual(['ada', 'inside']);
  });

  test('can be stopped before it has said anything', async () => {
    const controller = new AbortController();
    const playing = play(['sleep', '300'], { signal: controller.signal }, start);
    controller.abort();
    expect((await playing).result).toEqual({ outcome: 'interrupted', exit: 'interrupted' });
  });
});

const PRINT = `console.log(JSON.stringify([process.cwd(), Object.keys(process.env).filter((name) => name !== '__CF_USER_TEXT_ENCODING').sort(), process.env.ONE]))`;

test('says the same as before when a program cannot be started', async () => {
  const folder = createFolder();
  const [, plain = ''] = script(folder, 'no program');
  const [, interpreted = ''] = script(folder, '#!/nonexistent/interpreter\n');
  for (const command of [
    ['nowhere-to-be-found'],
    [plain],
    [interpreted],
    [folder],
    ['sh', '-c', 'a\0b'],
    ['echo', 'x'.repeat(4_000_000)],
  ]) {
    const [[, launched], [, direct]] = ways as [[string, StartProgram], [string, StartProgram]];
    const ours = await play(command, { folder }, launched);
    expect(ours.result.outcome).toBe('failed');
    expect(ours.result).toEqual((await play(command, { folder }, direct)).result);
  }
});

/** A launcher of its own, and what it warned of. */
function own(): { launcher: Launcher; warned: string[] } {
  const warned: string[] = [];
  const made = createLauncher({ warn: (_, sentence) => void warned.push(sentence) });
  onTestFinished(() => made.close());
  return { launcher: made, warned };
}

test('a launcher that is killed loses its runs, which are ended; another one takes its place', async () => {
  const { launcher: mine, warned } = own();
  const controller = new AbortController();
  const killed: number[] = [];
  const { result, bodies } = await play(
    sh('echo pid $$; sleep 300'),
    {
      signal: controller.signal,
      onSegment() {
        killed.push(mine.pid ?? 0);
        process.kill(mine.pid ?? 0, 'SIGKILL');
        return true;
      },
    },
    mine.start,
  );
  expect(result).toEqual({ outcome: 'lost', exit: 'lost: the launcher has ended' });
  expect(await alive(bodies)).toEqual([]);
  expect((await play(['echo', 'again'], {}, mine.start)).bodies).toEqual(['again']);
  expect(killed).not.toContain(mine.pid);
  expect(warned).toEqual([expect.stringContaining('another one is started')]);
});

test('a launcher that is killed again and again is left alone, and the daemon starts programs itself', async () => {
  const { launcher: mine, warned } = own();
  for (let n = 0; n < 4; n++) {
    const { exited } = await begin(mine.start, ['sleep', '300']).then((started) => {
      process.kill(mine.pid ?? 0, 'SIGKILL');
      process.kill(-started.root.pid, 'SIGKILL');
      return started;
    });
    expect(['lost', { code: null, signal: 'SIGKILL' }]).toContainEqual(await exited);
  }
  expect((await said(mine.start, ['echo', 'directly'])).out).toBe('directly\n');
  expect(mine.pid).toBeUndefined();
  expect(warned.at(-1)).toContain('for a minute the daemon starts programs itself');
});

test('where no launcher can be had, the daemon starts programs itself and says so once', async () => {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = '/nonexistent';
  const { launcher: mine, warned } = own();
  onTestFinished(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  for (const word of ['one', 'two'])
    expect((await said(mine.start, ['echo', word], { cwd: '/' })).out).toBe(`${word}\n`);
  expect(warned).toEqual([expect.stringContaining('the daemon starts programs itself')]);
});

test('connects also where the directory for temporary files has a long name', async () => {
  const { TMPDIR } = process.env;
  const long = join(createFolder(), 'x'.repeat(90));
  mkdirSync(long);
  process.env.TMPDIR = long;
  const sockets = await openLauncherSockets();
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  expect(Buffer.byteLength(sockets.path)).toBeLessThan(104);
  sockets.close();
  expect(existsSync(dirname(sockets.path))).toBe(false);
});

test('nothing is left when it is closed, and a second close is none', async () => {
  const { launcher: mine, warned } = own();
  await said(mine.start, ['true']);
  const pid = mine.pid ?? 0;
  if (isLinux) expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('helix-org launcher');
  await Promise.all([mine.close(), mine.close()]);
  expect(await readProcess(pid)).toBeUndefined();
  expect(warned).toEqual([]);
});

test.runIf(isLinux)(
  'gives the launcher nothing of the daemon’s, and keeps it out of the session of a terminal',
  async () => {
    const { launcher: mine } = own();
    await said(mine.start, ['true']);
    const pid = mine.pid ?? 0;
    const table = await readProcessTable();
    expect(table.find((each) => each.pid === pid)).toMatchObject({ parent: process.pid, group: pid, session: pid });
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('PATH=');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    expect((await said(mine.start, ['echo', 'still here'])).out).toBe('still here\n');
    expect(mine.pid).toBe(pid);
  },
);

test('sends away whoever connects and does not know what for', async () => {
  const sockets = await openLauncherSockets();
  onTestFinished(sockets.close);
  const { connect } = await import('node:net');
  const expected = sockets.expect();
  const stranger = connect(sockets.path);
  stranger.write(`${'0'.repeat(32)}0`);
  await new Promise<void>((resolve) => stranger.once('close', () => resolve()).resume());
  const streams = expected.tags.map((tag, n) => connect(sockets.path).end(`${tag}of ${n}`));
  const ends = await expected.ends;
  expect(await Promise.all(ends.map((end) => text(end)))).toEqual(['of 0', 'of 1', 'of 2']);
  for (const stream of streams) stream.destroy();
  expect(readdirSync(dirname(sockets.path))).toEqual(['s']);
  rmSync(sockets.path, { force: true });
});
