// What every command has in common: its outlets, the options that all of them take, and how it answers its exit code.
import { type Command, InvalidArgumentError } from 'commander';
import { type DataOptions, type DataPaths, dataPaths } from './data-dir.ts';

/** Where a command reads and writes; a test gives its own. */
export type Outlets = {
  out(text: string): void;
  err(text: string): void;
  environment: NodeJS.ProcessEnv;
};

export type CommonOptions = DataOptions & { quiet?: boolean; debug?: boolean; json?: boolean };

export const OK = 0;
export const REFUSED = 1;
export const USAGE = 2;

/** A command's work. @returns its exit code */
export type Work<Options> = (options: Options & CommonOptions, operands: string[]) => Promise<number>;

export type Cli = Outlets & {
  /** What the command that ran answered. */
  exitCode: number;
};

/** Hands a command its operands and all options, wherever on the line they stood. */
export function runs<Options>(command: Command, cli: Cli, work: Work<Options>): Command {
  return command.action(async () => {
    const operands = command.processedArgs.flat().filter((word): word is string => typeof word === 'string');
    cli.exitCode = await work(command.optsWithGlobals(), operands);
  });
}

/** Where the data lie; said on stderr, so that nobody wonders which organisation they just changed. */
export function dataPathsFor(cli: Outlets, options: CommonOptions): DataPaths {
  const paths = dataPaths(options, cli.environment);
  if (!options.quiet && !options.json) cli.err(`Data directory: ${paths.dataDir}\n`);
  return paths;
}

/** Makes a parser's refusal one of the command line's usage. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
