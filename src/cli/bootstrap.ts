import { type Command, Option } from 'commander';
import { OWNER } from '../domain/ids.ts';
import { argument, type Cli, type CommonOptions, dataPathsFor, json, OK, runs } from './command.ts';
import { connectClient, parseName, parseUrl } from './connect.ts';
import { createDataDir, type DataPaths } from './data-dir.ts';
import { SCOPES, type Scope } from './mcp-client.ts';

type BootstrapOptions = {
  installClaudeMcp?: boolean;
  claudeMcpName?: string;
  claudeMcpScope: Scope;
  serverUrl?: string;
};

export function registerBootstrap(program: Command, cli: Cli): void {
  const bootstrap = program
    .command('bootstrap')
    .description('make the data directory and an organisation that has only its owner; `serve` does so by itself')
    .option(
      '--install-claude-mcp',
      "enter the owner's endpoint into Claude Code's configuration, as `connect claude` does",
    )
    .option('--claude-mcp-name <name>', 'what Claude Code calls it (default: helix-org)', argument(parseName))
    .addOption(new Option('--claude-mcp-scope <scope>', 'where Claude Code keeps it').choices(SCOPES).default('user'))
    .option(
      '--server-url <url>',
      'where the daemon will be reached, for Claude Code (default: where it runs)',
      argument(parseUrl),
    )
    .option('--json', 'print nothing but the JSON');
  runs<BootstrapOptions>(bootstrap, cli, async (options) => {
    const paths = dataPathsFor(cli, options);
    const { isNew, owner } = await found(paths);
    if (!isNew && !options.json) cli.err('org is already initialised; nothing was changed\n');
    if (options.installClaudeMcp) await install(cli, options, paths);
    cli.out(json(owner));
    return OK;
  });
}

async function install(cli: Cli, options: BootstrapOptions & CommonOptions, paths: DataPaths): Promise<void> {
  const { claudeMcpName: name, claudeMcpScope: scope, serverUrl } = options;
  const wanted = { worker: OWNER, scope, ...(name ? { name } : {}), ...(serverUrl ? { serverUrl } : {}) };
  const { file, changed } = await connectClient(cli, wanted, paths, 'claude');
  if (!options.json) cli.err(changed ? `entered into ${file}\n` : `${file} has it already\n`);
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
