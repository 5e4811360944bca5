// Flags may stand before the name of a command as well as after it; the parser knows a command's own flags only after it.
import type { Command, Option } from 'commander';

/**
 * The same words with every flag behind the names of its command: `--json token list` as `token list --json`. What follows the
 * names is left as it is, and so is what nobody knows, for the parser to refuse.
 */
export function namesFirst(argv: readonly string[], program: Command): string[] {
  const names: string[] = [];
  const flags: string[] = [];
  let command = program;
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') break;
    if (word.startsWith('-') && word.length > 1) {
      flags.push(word);
      const value = argv[at + 1];
      if (value !== undefined && !word.includes('=') && takesValue(word, value, [program, command])) {
        flags.push(value);
        at += 1;
      }
      continue;
    }
    const named = command.commands.find((each) => each.name() === word);
    if (!named) break;
    names.push(word);
    command = named;
  }
  // Without a command every flag is the program's own, or wrong.
  return names.length === 0 ? [...argv] : [...names, ...flags, ...argv.slice(at)];
}

/** A flag that some commands take with a value and others without is one without when the name of a command follows. */
function takesValue(flag: string, next: string, [program, command]: [Command, Command]): boolean {
  const own = program.options.find(is(flag));
  if (own) return own.required;
  const meant = optionsBelow(command).filter(is(flag));
  const isName = command.commands.some((each) => each.name() === next);
  return isName ? meant.length > 0 && meant.every(({ required }) => required) : meant.some(({ required }) => required);
}

const is = (flag: string) => (option: Option) => option.long === flag || option.short === flag;

function optionsBelow(command: Command): Option[] {
  return [...command.options, ...command.commands.flatMap(optionsBelow)];
}
