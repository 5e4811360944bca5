import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';
import type { Described } from './org-document.ts';

export function registerExport(program: Command, cli: Cli): void {
  const command = program
    .command('export')
    .argument('<folder>', 'where to write; a new folder, or that of an earlier export')
    .description('write what the org is made of as markdown and YAML, without history and secrets; `apply` reads it')
    .option('--json', 'print what was written as JSON');
  runs(command, cli, async (options, [name = '']) => {
    const [{ askControl }, { filesOf, writeFolder }] = await Promise.all([
      import('./store-access.ts'),
      import('./org-folder-write.ts'),
    ]);
    const folder = resolve(name);
    const described = (await askControl(dataPathsFor(cli, options), 'org.describe')) as Described;
    const files = filesOf(described.document);
    writeFolder(folder, files);
    const { masked } = described;
    if (options.json) cli.out(json({ folder, files: [...files.keys()], masked }));
    else cli.out(`${folder}: ${files.size} files\n`);
    if (masked.length > 0)
      cli.err(`Secrets that stand in texts are masked, see [secret] in: ${masked.join(', ')}. Take them out there.\n`);
    return OK;
  });
}
