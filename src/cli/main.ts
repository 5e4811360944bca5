// argv → command → exit code: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong usage of a command.
import { Command, CommanderError } from 'commander';
import { OrgError } from '../domain/errors.ts';
import { registerApply } from './apply.ts';
import { registerBackup } from './backup.ts';
import { registerBootstrap } from './bootstrap.ts';
import { registerCall } from './call.ts';
import { registerChat } from './chat.ts';
import { type Cli, type CommonOptions, OK, type Outlets, REFUSED, USAGE } from './command.ts';
import { registerConfig } from './config.ts';
import { registerConnect } from './connect.ts';
import { registerDemo } from './demo-command.ts';
import { registerDoctor } from './doctor.ts';
import { registerExport } from './export.ts';
import { registerGithub } from './github.ts';
import { registerHelp, unknownCommand } from './help.ts';
import { registerKey } from './key.ts';
import { registerLogin } from './login.ts';
import { namesFirst } from './names-first.ts';
import { registerRebuild } from './rebuild.ts';
import { registerRestore } from './restore.ts';
import { registerServe } from './serve.ts';
import { registerTail } from './tail.ts';
import { registerToken } from './token.ts';
import { registerTrace } from './trace.ts';
import { registerVerify } from './verify.ts';
import { version } from './version.ts';

const processOutlets: Outlets = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  environment: process.env,
};

/** Runs one command. @param argv what follows the program's name @returns the exit code */
export async function main(argv: string[], outlets: Outlets = processOutlets): Promise<number> {
  const cli: Cli = { ...outlets, exitCode: OK };
  const program = createProgram(cli);
  try {
    await program.parseAsync(namesFirst(argv, program), { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageOf(error, program, cli);
    const debug = program.opts<CommonOptions>().debug === true || Boolean(outlets.environment.HELIX_ORG_DEBUG);
    return failureOf(error, debug, cli);
  }
}

/** The whole command line; made anew for each run, since commander keeps what it parsed. */
export function createProgram(cli: Cli): Command {
  const program = new Command('helix-org')
    .description('Runs an organisation of people and AI Workers.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print how to use it')
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortOptions: false })
    .configureOutput({ writeOut: cli.out, writeErr: cli.err, outputError: () => {} })
    .option('--data-dir <directory>', 'where everything lies (default: $HELIX_ORG_HOME or ~/.helix-org)')
    .option('--db <file>', 'the database, when it lies elsewhere (default: org.db in the data directory)')
    .option(
      '--envs-dir <directory>',
      "the Workers' folders, when they lie elsewhere (default: workers in the data directory)",
    )
    .option('-q, --quiet', 'say only what was asked for')
    .option('--debug', 'with an internal error, print where it happened');
  for (const register of [
    registerServe,
    registerBootstrap,
    registerDemo,
    registerChat,
    registerCall,
    registerDoctor,
    registerTail,
    registerTrace,
    registerConnect,
    registerLogin,
    registerToken,
    registerConfig,
    registerGithub,
    registerKey,
    registerVerify,
    registerRebuild,
    registerExport,
    registerApply,
    registerBackup,
    registerRestore,
    registerHelp,
  ]) {
    register(program, cli);
  }
  return program.addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Begin with:
  helix-org demo                              watch an organisation at work, offline
  helix-org serve --agent-command 'node /path/to/agent.mjs'
  helix-org call create_stream '{"id": "s-inbox", "name": "inbox", "transport": "webhook"}'
  helix-org tail
  helix-org chat                              run it by talking, in Claude Code on this terminal
  helix-org trace e-…                         why something happened, and what came of it
  helix-org doctor                            what is wrong, and how to mend it
  helix-org connect claude                    talk to it from a Claude Code of your own, as its owner

\`helix-org help COMMAND\` says more about one of them.
`;

/** Commander's own refusals: a word for people, and the code by which scripts tell them apart. */
function usageOf(error: CommanderError, program: Command, cli: Cli): number {
  if (error.exitCode === 0) return OK;
  if (error.code === 'commander.help') {
    cli.err('no subcommand given\n');
    return REFUSED;
  }
  if (error.code === 'commander.unknownCommand') {
    const [first = '', second = ''] = program.args;
    const parent = program.commands.find((command) => command.name() === first);
    cli.err(`${parent ? unknownCommand(second, parent) : unknownCommand(first, program)}\n`);
    return REFUSED;
  }
  cli.err(`${error.message.replace(/^error: /, '')}\n`);
  return USAGE;
}

function failureOf(error: unknown, debug: boolean, cli: Cli): number {
  if (error instanceof OrgError) {
    cli.err(`${error.message}\n`);
    return REFUSED;
  }
  const { code, message, stack }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  // What the system refused says what is wrong; anything else is a bug of ours.
  cli.err(code === undefined ? `Internal error: ${message}\n` : `${message}\n`);
  if (debug) cli.err(`${stack}\n`);
  return REFUSED;
}
