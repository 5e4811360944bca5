import { chmodSync, linkSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFolder, play, sh } from './play.ts';

const isRoot = process.getuid?.() === 0;

test('agent.wrap stands before the program, and names the folder and the Worker', async () => {
  const folder = createFolder();
  const wrap = ['env', 'WRAPPED={folder} {worker} {home} {else}', 'sh', '-c', 'exec "$@"', 'sh'];
  const { bodies, result } = await play(sh('echo "$WRAPPED"; cat'), {
    folder,
    confinement: { wrap },
    prompt: 'the prompt',
  });
  expect(bodies).toEqual([`${folder} ada ${homedir()} {else}`, 'the prompt']);
  expect(result).toEqual({ outcome: 'done', exit: 'ok' });
});

test('a sandbox that is missing is the agent’s fault', async () => {
  const { result } = await play(['true'], { confinement: { wrap: ['no-such-sandbox', '--'] } });
  expect(result).toEqual({
    outcome: 'failed',
    exit: 'cannot start "no-such-sandbox": no such program',
    agentFault: true,
  });
});

describe('agent.run_as', () => {
  const as = (runAs: string) => ({ wrap: [], runAs });

  test.each([
    ['nobody-here', 'there is no such user here'],
    ['root', 'which is root itself'],
    ['-u', 'there is no such user here'],
    ['worker-{worker}', 'agent.run_as names "worker-ada": there is no such user here'],
  ])('refuses %s', async (runAs, reason) => {
    const { result } = await play(['true'], { confinement: as(runAs) });
    expect(result).toMatchObject({ outcome: 'failed', agentFault: true });
    expect(result.exit).toContain(isRoot ? reason : 'only a daemon that runs as root');
  });

  test('runs the program as that user, who has the folder and nothing of the daemon’s', async () => {
    const parent = createFolder();
    const folder = join(parent, 'w-ada');
    const secret = join(parent, 'owner-token');
    mkdirSync(join(folder, '.home'), { recursive: true });
    writeFileSync(join(folder, 'role.md'), 'the role\n', { mode: 0o600 });
    writeFileSync(secret, 'the secret\n', { mode: 0o600 });
    // What a run could have left to get at it.
    symlinkSync(secret, join(folder, 'a-link'));
    linkSync(secret, join(folder, 'another-name'));
    const look = sh(
      'id -un; cat role.md; cat ../owner-token another-name; echo mine > note; cat note; cd ~ && touch x && echo "$HOME"',
    );
    const closed = await play(look, { folder, confinement: as('nobody') });
    expect(closed.result).toMatchObject({ outcome: 'failed', agentFault: true });
    if (!isRoot) return expect(closed.result.exit).toContain('only a daemon that runs as root');
    expect(closed.result.exit).toContain(`who cannot enter ${folder}`);
    chmodSync(parent, 0o711);
    const { bodies, result } = await play(look, { folder, confinement: as('nobody') });
    expect(result).toEqual({ outcome: 'done', exit: 'ok' });
    expect(bodies.filter((body) => !body.startsWith('stderr'))).toEqual([
      'nobody',
      'the role',
      'mine',
      join(folder, '.home'),
    ]);
    expect(bodies.join()).not.toContain('the secret');
    expect(lstatSync(secret).uid).toBe(0);
    expect(statSync(join(folder, 'role.md')).uid).toBe(lstatSync(folder).uid);
    // What the daemon writes before the next run is handed over as well.
    writeFileSync(join(folder, 'role.md'), 'the new role\n', { mode: 0o600 });
    mkdirSync(join(folder, '.home/.claude/tmp'), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, '.home/.claude/instructions.md'), 'be good\n', { mode: 0o600 });
    const again = await play(sh('cat role.md .home/.claude/instructions.md; touch .home/.claude/tmp/x'), {
      folder,
      confinement: as('nobody'),
    });
    expect(again.bodies).toEqual(['the new role', 'be good']);
  });

  test('is stopped like any other', async () => {
    const parent = createFolder();
    const folder = join(parent, 'w-ada');
    mkdirSync(folder);
    chmodSync(parent, 0o711);
    const { result, bodies } = await play(sh('setsid sleep 300 & echo $$; trap "" INT; sleep 300'), {
      folder,
      confinement: as('nobody'),
      limits: { firstOutputMs: 20_000, runMs: 500 },
    });
    if (!isRoot) return expect(result.exit).toContain('only a daemon that runs as root');
    expect(result).toEqual({ outcome: 'timed_out', exit: 'time limit of 500 ms' });
    expect(bodies).toHaveLength(1);
  });
});
