import type { Command } from 'commander';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';

export function registerKey(program: Command, cli: Cli): void {
  const key = program.command('key').description('the key that encrypts the secrets of settings and Streams');
  const rotate = key
    .command('rotate')
    .description(
      'make a new key and encrypt every secret with it, also while the daemon runs; the old key opens nothing more',
    )
    .option('--json', 'print the result as JSON');
  runs(rotate, cli, async (options) => {
    const paths = dataPathsFor(cli, options);
    const { askControl } = await import('./store-access.ts');
    await askControl(paths, 'key.rotate');
    cli.out(
      options.json
        ? json({ rotated: true, keyFile: paths.keyFile })
        : `The secrets are encrypted with a new key: ${paths.keyFile}. Copies of the old one open older backups only.\n`,
    );
    return OK;
  });
}
