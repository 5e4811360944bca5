import type { Command } from 'commander';
import { nearest, notFound } from '../domain/errors.ts';
import { type Cli, OK, runs } from './command.ts';

export function registerHelp(program: Command, cli: Cli): void {
  const help = program.command('help').argument('[command...]').description('say how to use a command');
  runs(help, cli, async (_options, words) => {
    words.reduce(subcommand, program).outputHelp();
    return OK;
  });
}

function subcommand(parent: Command, word: string): Command {
  const found = parent.commands.find((command) => command.name() === word);
  if (!found) throw notFound(unknownCommand(word, parent));
  return found;
}

/** What is said of a word that is no command of this one. */
export function unknownCommand(word: string, parent: Command): string {
  const known = parent.commands.map((command) => command.name());
  const near = nearest(word, known);
  return `unknown subcommand "${word}"; ${near ? `did you mean ${near}?` : `valid: ${known.join(', ')}.`}`;
}
