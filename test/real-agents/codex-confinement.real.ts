// Codex, which brings a sandbox of its own, inside the sandbox of docs/security.md, and where there can be none.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CODEX_BIN, codexAgent } from '../agents/contract-agents.ts';
import { createFolder } from '../agents/play.ts';
import { doesBubblewrapWork, liveIn, recipe } from './bubblewrap.ts';
import { obedientStage } from './obedient.ts';

const shell = (cmd: string) => ({ name: 'exec_command', input: { cmd } });
const note = { name: 'apply_patch', input: '*** Begin Patch\n*** Add File: note.md\n+mine\n*** End Patch\n' };
const installed = dirname(dirname(dirname(CODEX_BIN)));

test.skipIf(doesBubblewrapWork())('works in bubblewrap, and sees no more there', async () => {
  const stage = await obedientStage({ grants: ['publish', 'agent:Bash'] }, codexAgent);
  const other = stage.folder('w-bob');
  mkdirSync(other);
  writeFileSync(join(other, 'helix-log.md'), 'the secret of w-bob');
  liveIn(createFolder());
  stage.daemon.settings.set('agent.wrap', recipe(installed));
  const [written, own, token, neighbour] = await stage.order(
    note,
    shell('cat note.md'),
    shell(`cat ${stage.daemon.paths.ownerTokenFile}`),
    shell(`cat ${other}/helix-log.md`),
  );
  expect(written?.isError).toBe(false);
  expect(own?.text).toContain('mine');
  for (const refused of [token, neighbour]) expect(refused?.text).toMatch(/No such file/);
});

test.skipIf(doesBubblewrapWork())('runs nothing where the system allows no sandbox', async () => {
  const stage = await obedientStage({ grants: ['publish', 'agent:Bash'] }, codexAgent);
  const mark = join(stage.folder('w-ann'), 'ran');
  stage.daemon.settings.set('agent.wrap', [
    'bwrap',
    '--unshare-user',
    '--disable-userns',
    '--dev-bind',
    '/',
    '/',
    '--',
  ]);
  const results = await stage.order(shell(`touch ${mark}`), note);
  expect(results.map(({ isError }) => isError)).toEqual([true, true]);
  expect(existsSync(mark)).toBe(false);
  const [published] = await stage.order({ name: 'publish', input: { streamId: 's-in', body: 'I still speak.' } });
  expect(published?.isError).toBe(false);
});
