// The recipes of docs/security.md, with the real Claude Code and a model that obeys: what a shell may do is what the system allows.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CLAUDE_BIN } from '../agents/contract-agents.ts';
import { createFolder } from '../agents/play.ts';
import { doesBubblewrapWork, liveIn, recipe } from './bubblewrap.ts';
import { obedientStage } from './obedient.ts';

const bash = (command: string) => ({ name: 'Bash', input: { command } });

test('in bubblewrap a shell sees its own folder, and neither the daemon’s data nor other Workers’ nor the user’s files', async () => {
  const broken = doesBubblewrapWork();
  const stage = await obedientStage({ grants: ['publish', 'agent:Bash'] });
  const { ownerTokenFile } = stage.daemon.paths;
  const other = stage.folder('w-bob');
  mkdirSync(other);
  writeFileSync(join(other, 'helix-log.md'), 'the secret of w-bob');
  const home = createFolder();
  writeFileSync(join(home, 'private'), 'a private file');
  liveIn(home);
  stage.daemon.settings.set('agent.wrap', recipe(dirname(CLAUDE_BIN)));
  if (broken !== undefined) {
    // No namespaces on this machine: then it says so, and nothing runs without its sandbox.
    await stage.post('OBEY []');
    const run = await stage.ended('w-ann', 1);
    expect(run).toMatchObject({ state: 'failed' });
    return expect(stage.daemon.dispatcher.activity('w-ann')).toMatch(/waiting|running/);
  }
  const mark = join(stage.folder('w-ann'), 'note.md');
  const [token, db, neighbour, list, user, own, shared] = await stage.order(
    bash(`cat ${ownerTokenFile}`),
    bash(`cat ${stage.daemon.paths.db} | head -c 20`),
    bash(`cat ${other}/helix-log.md`),
    bash(`ls ${dirname(other)}`),
    bash(`cat ${home}/private`),
    bash(`echo mine > ${mark}; cat ${mark}`),
    bash('touch /usr/x /etc/x; ls /tmp'),
  );
  for (const refused of [token, neighbour, user, db]) expect(refused?.text).toMatch(/No such file/);
  expect(list?.text.trim()).toBe('w-ann');
  expect(own).toEqual({ text: 'mine', isError: false });
  expect(shared?.text).toMatch(/Read-only file system/);
  expect(readFileSync(mark, 'utf8')).toBe('mine\n');
  expect(JSON.stringify(stage.turns)).not.toContain('a private file');
});

test('what a shell leaves running in bubblewrap is gone with the run', async () => {
  if (doesBubblewrapWork() !== undefined) return;
  const stage = await obedientStage({ grants: ['agent:Bash'] });
  liveIn(createFolder());
  stage.daemon.settings.set('agent.wrap', recipe(dirname(CLAUDE_BIN)));
  const seconds = 100_000 + process.pid;
  await stage.order(bash(`(setsid sleep ${seconds} > /dev/null 2>&1 &)`));
  const running = execFileSync('ps', ['-axo', 'command'], { encoding: 'utf8' });
  expect(running).not.toContain(`sleep ${seconds}`);
});

test('as another user a shell cannot read what is the daemon’s', async () => {
  const stage = await obedientStage({ grants: ['publish', 'agent:Bash'] });
  const { dataDir, envsDir, ownerTokenFile } = stage.daemon.paths;
  for (const path of [dataDir, envsDir]) chmodSync(path, 0o711);
  stage.daemon.settings.set('agent.run_as', 'nobody');
  if (process.getuid?.() !== 0 || !isReachable()) {
    await stage.post('OBEY []');
    return expect(await stage.ended('w-ann', 1)).toMatchObject({ state: 'failed' });
  }
  const [user, token, db] = await stage.order(
    bash('id -un'),
    bash(`cat ${ownerTokenFile}`),
    bash(`cat ${stage.daemon.paths.db}`),
  );
  expect(user?.text).toBe('nobody');
  for (const refused of [token, db])
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('Permission denied') });
  expect(existsSync(ownerTokenFile)).toBe(true);
});

/** Whether another user may run the Claude Code of this clone. */
function isReachable(): boolean {
  try {
    execFileSync(CLAUDE_BIN, ['--version'], { uid: 65534, gid: 65534, cwd: '/', env: { HOME: '/' }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
