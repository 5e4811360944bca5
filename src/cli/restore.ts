import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Manifest } from './archive.ts';
import { type Cli, type CommonOptions, dataPathsFor, json, OK, runs } from './command.ts';
import type { DataPaths } from './data-dir.ts';
import { placeFlags } from './place-flags.ts';

export function registerRestore(program: Command, cli: Cli): void {
  const restore = program
    .command('restore')
    .argument('<file>', 'an archive that `backup` wrote')
    .description('make an organisation from a backup, in an empty data directory; it starts paused')
    .option('--json', 'print what was in it as JSON');
  runs(restore, cli, async (options, [name = '']) => {
    const paths = dataPathsFor(cli, options);
    const restored = await unpackPaused(paths, resolve(name));
    cli.out(options.json ? json(restored) : report(paths, options, restored));
    return OK;
  });
}

/** Paused before anybody can start it: the machine it came from may still be at work, and would do everything twice. */
async function unpackPaused(paths: DataPaths, file: string): Promise<Manifest> {
  const [{ readArchive }, { withLocked }, { lockOrRefuse }, { createDataDir }] = await Promise.all([
    import('./archive.ts'),
    import('./store-access.ts'),
    import('./running-daemon.ts'),
    import('./data-dir.ts'),
  ]);
  const restored = await readArchive(paths, file);
  createDataDir(paths);
  await withLocked(await lockOrRefuse(paths), paths, async ({ journal }) => {
    await journal.commit('w-owner', { type: 'PauseOrg' }, { via: 'cli' });
  });
  return restored;
}

function report(paths: DataPaths, options: CommonOptions, restored: Manifest): string {
  const { entries, createdAt, version, leftOut } = restored;
  const command = (words: string) => `helix-org ${words}${placeFlags(options, paths)}`;
  const lines = [
    `Restored ${entries} entries, as of ${createdAt} (helix-org ${version}), into ${paths.dataDir}.`,
    'The org is paused. Make sure that the machine it came from is off, then start it and resume:',
    `  ${command('serve')}`,
    `  ${command("call resume_org '{}'")}`,
  ];
  const advised = leftOut.flatMap((name) => advice(name, command));
  if (advised.length > 0) lines.push('Set again what the backup did not hold:', ...advised);
  if (leftOut.length > 0) lines.push('Tokens end with the old machine; `helix-org token create` makes new ones.');
  return `${lines.join('\n')}\n`;
}

/** Nothing for keys of the daemon's own, of which it makes new ones, and for an old secret of a rotation under way. */
function advice(name: string, command: (words: string) => string): string[] {
  const [, kind, whose = ''] = /^secret\.(\w+)\.?(.*)$/.exec(name) ?? [];
  if (kind === undefined) return [`  ${name}: ${command(`config set ${name} …`)}`];
  if (kind === 'login') return [`  the login of ${whose}: ${command(`login ${whose}`)}`];
  if (kind !== 'stream' || whose.endsWith('.previous')) return [];
  const rotate = command(`call rotate_secret '{"streamId": "${whose}"}'`);
  return [`  signing secret of ${whose}, a new one to give to the other side: ${rotate}`];
}
