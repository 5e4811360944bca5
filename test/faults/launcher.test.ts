// A daemon that is a real process, and its launcher: what the death of either leaves.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { isSameProcess, type OsProcess, readProcess, readProcessTable } from '../../src/agents/process-table.ts';
import { foundOrg, killLeftovers, type Serve, serve, temporaryDirectory, until } from './serve.ts';

const PATIENCE_MS = 120_000;
// The hire wakes it: the first attempt stays, the next one does its work.
const agent = ['sh', '-c', 'echo "attempt $HELIX_ATTEMPT"; [ "$HELIX_ATTEMPT" -gt 1 ] || exec sleep 300'];

afterAll(killLeftovers);

/** A daemon whose only run hangs, with a directory for temporary files of its own. */
async function hanging() {
  const dataDir = temporaryDirectory('launcher');
  const temporary = join(dataDir, 'tmp');
  mkdirSync(temporary);
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const start = () => serve(dataDir, { args: ['--agent-command', JSON.stringify(agent)], env: { TMPDIR: temporary } });
  const daemon = await start();
  await foundOrg(daemon);
  const launcher = await launcherOf(daemon);
  const root = await soon('the agent runs', async () =>
    (await readProcessTable()).find(({ parent, name }) => parent === launcher.pid && name === 'sleep'),
  );
  const sockets = () => readdirSync(temporary).filter((name) => /^helix-\w{6}$/.test(name));
  return { daemon, start, launcher, root, sockets };
}

async function soon<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  let found: T | undefined;
  await until(
    what,
    async () => {
      found = await look();
      return found !== undefined;
    },
    PATIENCE_MS,
  );
  return found as T;
}

const launcherOf = (daemon: Serve): Promise<OsProcess> =>
  soon('there is a launcher', async () =>
    (await readProcessTable()).find(
      ({ pid, parent }) =>
        parent === daemon.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('helix-org launcher'),
    ),
  );

type Row = { state: string; attempt: number; exit: string | null };

const runs = async (daemon: Serve) =>
  ((await daemon.call('list_activations', { workerId: 'w-worker' })) as { activations: Row[] }).activations;

const secondRun = (daemon: Serve) =>
  soon('the batch came again', async () => {
    const found = await runs(daemon);
    return found[0]?.attempt === 2 && found[0].state === 'done' ? found : undefined;
  });

describe.runIf(process.platform === 'linux')('the launcher', () => {
  it('that is killed costs its runs an attempt as a crash of the daemon does, and is replaced', async () => {
    const { daemon, launcher, root } = await hanging();
    process.kill(launcher.pid, 'SIGKILL');
    const [second, first] = await secondRun(daemon);
    expect(first).toMatchObject({ state: 'lost', attempt: 1, exit: 'lost: the launcher has ended' });
    expect(second).toMatchObject({ state: 'done', attempt: 2 });
    expect(await isSameProcess(root.pid, root.startedAt)).toBe(false);
    expect((await launcherOf(daemon)).pid).not.toBe(launcher.pid);
    await daemon.stop();
  });

  it('ends with a daemon that is killed, and the next daemon finds the agent that it had started', async () => {
    const { daemon, start, launcher, root, sockets } = await hanging();
    expect(sockets()).toHaveLength(1);
    await daemon.kill();
    await until(
      'the launcher has ended',
      async () => !(await isSameProcess(launcher.pid, launcher.startedAt)),
      PATIENCE_MS,
    );
    expect(sockets()).toEqual([]);
    expect(await isSameProcess(root.pid, root.startedAt)).toBe(true);
    const next = await start();
    const [, first] = await secondRun(next);
    expect(first).toMatchObject({ state: 'lost', exit: 'lost: the daemon was stopped while it ran' });
    expect(await isSameProcess(root.pid, root.startedAt)).toBe(false);
    await next.stop();
  });

  it('is gone when the daemon has been stopped, which ends its runs first', async () => {
    const { daemon, launcher, root, sockets } = await hanging();
    await daemon.stop();
    expect(await readProcess(launcher.pid)).toBeUndefined();
    expect(await isSameProcess(root.pid, root.startedAt)).toBe(false);
    expect(sockets()).toEqual([]);
  });
});
