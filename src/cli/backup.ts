import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Manifest } from './archive.ts';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';

export function registerBackup(program: Command, cli: Cli): void {
  const backup = program
    .command('backup')
    .argument('<file>', 'the archive to write, such as org.tar')
    .description('write database and folders into one archive; also while a daemon runs')
    .option(
      '--with-secrets',
      "put settings' secrets, tokens and the key in too: keep such an archive like a password",
      false,
    )
    .option('--json', 'print what is in it as JSON');
  runs<{ withSecrets: boolean }>(backup, cli, async (options, [name = '']) => {
    const [{ askControl }, { writeArchive }] = await Promise.all([import('./store-access.ts'), import('./archive.ts')]);
    const file = resolve(name);
    const paths = dataPathsFor(cli, options);
    const { withSecrets } = options;
    const snapshot = (copy: string, key?: string) =>
      askControl(paths, 'snapshot', { file: copy, ...(key === undefined ? {} : { key }) });
    const made = await writeArchive(paths, { file, withSecrets, snapshot });
    cli.out(options.json ? json(made) : `${file}: ${summary(made)}\n`);
    return OK;
  });
}

function summary({ entries, head, withSecrets, leftOut, skipped }: Manifest): string {
  const secrets = withSecrets
    ? 'with all secrets'
    : leftOut.length === 0
      ? 'without tokens'
      : `without tokens and ${leftOut.length} secret${leftOut.length === 1 ? '' : 's'} (--with-secrets puts them in)`;
  const files = skipped.length === 0 ? '' : `; left out: ${skipped.join(', ')}`;
  return `${entries} entries up to ${head.slice(0, 12)}, ${secrets}${files}`;
}
