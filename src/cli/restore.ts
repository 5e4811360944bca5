import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Manifest } from './archive.ts';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';
import type { DataPaths } from './data-dir.ts';

export function registerRestore(program: Command, cli: Cli): void {
  const restore = program
    .command('restore')
    .argument('<file>', 'an archive that `backup` wrote')
    .description('make an organisation from a backup, in an empty data directory; it starts paused')
    .option('--json', 'print what was in it as JSON');
  runs(restore, cli, async (options, [name = '']) => {
    const paths = dataPathsFor(cli, options);
    const restored = await unpackPaused(paths, resolve(name));
    cli.out(options.json ? json(restored) : report(paths, restored));
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

function report({ dataDir }: DataPaths, { entries, createdAt, version, leftOut }: Manifest): string {
  const lines = [
    `Restored ${entries} entries, as of ${createdAt} (helix-org ${version}), into ${dataDir}.`,
    'The org is paused. Make sure that the machine it came from is off, then start it and resume:',
    '  helix-org serve',
    "  helix-org call resume_org '{}'",
  ];
  if (leftOut.length > 0) {
    lines.push('Set again what the backup did not hold:', ...leftOut.map(advice));
    lines.push('Tokens end with the old machine; `helix-org token create` makes new ones.');
  }
  return `${lines.join('\n')}\n`;
}

/** A Stream's signing secret is made by the daemon; others are a person's. */
function advice(name: string): string {
  const streamId = /^secret\.stream\.(.+)$/.exec(name)?.[1];
  if (streamId === undefined) return `  ${name}: helix-org config set ${name} …`;
  return `  signing secret of ${streamId}: rotate_secret gives a new one for its sender`;
}
