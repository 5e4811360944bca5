import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { invalid } from '../domain/errors.ts';
import { LOGIN_AGENTS, type LoginAgent } from './agent-logins.ts';
import { type Cli, type CommonOptions, dataPathsFor, json, OK, REFUSED, runs } from './command.ts';
import type { LoginStatus } from './login-control.ts';

type LoginOptions = { fromStdin?: boolean; apiKey?: boolean; status?: boolean; remove?: boolean };

/** The login that Workers use. Nobody's own is read or copied. */
export function registerLogin(program: Command, cli: Cli): void {
  const login = program
    .command('login')
    .argument('[agent]', LOGIN_AGENTS.join(' or '))
    .description('log the agent in that plays Workers, by its own set-up command; the login is stored encrypted')
    .option('--from-stdin', 'store what stands on standard input: a token, a key, or for codex an auth.json')
    .option('--api-key', 'what stands on standard input is an API key, which is paid by use')
    .option('--status', 'print how the agents are logged in and who pays; exit code 1 when one is not')
    .option('--remove', 'forget the login that is stored')
    .option('--json', 'print it as JSON');
  runs<LoginOptions>(login, cli, async (options, [name]) => {
    const agent = name === undefined ? undefined : knownAgent(name);
    if (options.status) return printStatus(cli, options, agent);
    if (!agent)
      throw invalid(`Say which agent: ${LOGIN_AGENTS.map((each) => `helix-org login ${each}`).join(', or ')}.`);
    if (options.remove) return remove(cli, options, agent);
    const status = (await ask(cli, options, 'login.store', {
      agent,
      login: await newLogin(cli, options, agent),
    })) as LoginStatus;
    cli.out(options.json ? json(status) : `Stored. ${lineOf(status)}\n`);
    return OK;
  });
}

async function newLogin(cli: Cli, options: LoginOptions & CommonOptions, agent: LoginAgent) {
  const { parseLogin, setUpLogin } = await import('./agent-setup.ts');
  if (options.fromStdin || options.apiKey) return parseLogin(agent, await text(process.stdin), options.apiKey);
  const { program } = (await ask(cli, options, 'login.program', { agent })) as { program: string };
  return setUpLogin(agent, program, cli.err);
}

async function printStatus(cli: Cli, options: CommonOptions, agent: LoginAgent | undefined): Promise<number> {
  const { agents } = (await ask(cli, options, 'login.status')) as { agents: LoginStatus[] };
  const asked = agents.filter(({ kind }) => agent === undefined || kind === agent);
  cli.out(options.json ? json(asked) : asked.map((status) => `${lineOf(status)}\n`).join(''));
  return asked.every(({ loggedIn }) => loggedIn) ? OK : REFUSED;
}

async function remove(cli: Cli, options: CommonOptions, agent: LoginAgent): Promise<number> {
  const { removed, status } = (await ask(cli, options, 'login.remove', { agent })) as {
    removed: boolean;
    status: LoginStatus;
  };
  const said = removed ? 'Removed.' : 'Nothing was stored.';
  cli.out(options.json ? json({ removed, status }) : `${said} ${lineOf(status)}\n`);
  return OK;
}

const origins = { stored: 'stored', environment: 'in the environment of the daemon' };

function lineOf({ kind, from, pays, version, problems }: LoginStatus): string {
  const login = from === null ? 'not logged in' : `login ${origins[from]}; paid by ${pays}`;
  const wrong = problems.map(({ sentence, fix }) => ` ${sentence} ${fix}`).join('');
  return `${kind}${version === null ? '' : ` ${version}`}: ${login}.${wrong}`;
}

function knownAgent(name: string): LoginAgent {
  const known = LOGIN_AGENTS.find((each) => each === name);
  if (known) return known;
  throw invalid(`unknown agent ${JSON.stringify(name)} (valid: ${LOGIN_AGENTS.join(', ')})`);
}

type LoginRequest = 'login.status' | 'login.program' | 'login.store' | 'login.remove';

async function ask(cli: Cli, options: CommonOptions, name: LoginRequest, args = {}): Promise<unknown> {
  const { askControl } = await import('./store-access.ts');
  return askControl(dataPathsFor(cli, { ...options, quiet: options.quiet || name !== 'login.store' }), name, args);
}
