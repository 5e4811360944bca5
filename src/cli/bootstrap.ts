import type { Command } from 'commander';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';
import { createDataDir, type DataPaths } from './data-dir.ts';

export function registerBootstrap(program: Command, cli: Cli): void {
  const bootstrap = program
    .command('bootstrap')
    .description('make the data directory and an organisation that has only its owner; `serve` does so by itself')
    .option('--json', 'print nothing but the JSON');
  runs(bootstrap, cli, async (options) => {
    const paths = dataPathsFor(cli, options);
    const { isNew, owner } = await found(paths);
    if (!isNew && !options.json) cli.err('org is already initialised; nothing was changed\n');
    cli.out(json(owner));
    return OK;
  });
}

async function found(paths: DataPaths) {
  const [{ daemonOrLock }, { withLocked }, { ensureOwner, ensureOwnerToken, ownerSeat }] = await Promise.all([
    import('./running-daemon.ts'),
    import('./store-access.ts'),
    import('./owner.ts'),
  ]);
  createDataDir(paths);
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) {
    const { owner } = (await holder.daemon.control('status')) as { owner: ReturnType<typeof ownerSeat> };
    return { isNew: false, owner };
  }
  return withLocked(holder.lock, paths, async (core) => {
    const isNew = await ensureOwner(core);
    ensureOwnerToken(core.tokens, paths.ownerTokenFile);
    return { isNew, owner: ownerSeat(core) };
  });
}
