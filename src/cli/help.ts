import type { Command } from 'commander';
import { notFound, nearest } from '../domain/errors.ts';
import { type Cli, OK, runs } from './command.ts';

export function registerHelp(program: Command, cli: Cli): void {
  const help = program.command('help').argument('[command]').description('say how to use a command');
  runs(help, cli, async (_options, [name]) => {
    const command = name === undefined ? program : find(program, name);
    cli.out(command.helpInformation());
    return OK;
  });
}

function find(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known) return known;
  const near = nearest(
    name,
    program.commands.map((command) => command.name()),
  );
  throw notFound(`unknown subcommand "${name}"${near ? `; did you mean ${near}?` : '; see `helix-org help`.'}`);
}
