import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Logger } from 'pino';
import type { AgentCheck } from '../domain/agent.ts';
import type { Durability } from '../store/database.ts';
import { type Address, isWide, parseAddress, parseProxies } from './address.ts';
import { parseCommand, wholePaths } from './agent-command.ts';
import { chosenKinds } from './agents.ts';
import { argument, type Cli, type CommonOptions, dataPathsFor, OK, runs } from './command.ts';
import type { Daemon } from './daemon.ts';
import type { LogLevel } from './logger.ts';
import { version } from './version.ts';

type ServeOptions = CommonOptions & {
  addr: Address;
  publicUrl?: string;
  publicUi?: boolean;
  allowHost?: string[];
  trustProxy?: string | true;
  agent?: string;
  agentCommand?: string[];
  claudeBin?: string;
  codexBin?: string;
  model?: string;
  effort?: string;
  durability: Durability;
  logJson?: boolean;
  logLevel: LogLevel;
};

export function registerServe(program: Command, cli: Cli): void {
  const serve = program
    .command('serve')
    .description(
      'run the daemon until it is interrupted; makes the data directory and the organisation when they are missing',
    )
    .addOption(
      new Option('--addr <address>', 'where to listen; :8080 means every interface')
        .default(parseAddress('127.0.0.1:8080'), '127.0.0.1:8080')
        .argParser(argument(parseAddress)),
    )
    .option(
      '--public-url <url>',
      'how the outside reaches it, for the URLs it gives out (default: http://localhost and the port)',
      argument(parseUrl),
    )
    .option('--public-ui', 'serve pages and endpoints at the public URL too, not only what providers send')
    .option('--allow-host <name>', 'another host name under which it answers; may be repeated', collect)
    .option(
      '--trust-proxy [addresses]',
      'believe X-Forwarded-For of these proxies, so that limits are per real address (default: those on this machine)',
      argument(parseProxies),
    )
    .option('--agent <kind>', 'what plays AI Workers: claude, codex or command (agent.kind)')
    .option('--claude-bin <program>', 'where Claude Code is (claude.bin)')
    .option('--codex-bin <program>', 'where Codex is (codex.bin)')
    .option('--model <name>', 'the model that plays AI Workers (agent.model)')
    .option('--effort <level>', 'how much it thinks (agent.effort)')
    .option(
      '--agent-command <command>',
      'a program of your own that plays AI Workers, as a JSON array or as words; files here are named by their whole path',
      argument(parseCommand),
    )
    .addOption(
      new Option(
        '--durability <level>',
        'full survives a power cut; normal may then lose the last commits: for tests and benchmarks only',
      )
        .choices(['full', 'normal'])
        .default('full'),
    )
    .option('--log-json', 'log as JSON lines')
    .addOption(
      new Option('--log-level <level>', 'how much is logged; debug has every request')
        .choices(['error', 'warn', 'info', 'debug'])
        .default('info'),
    )
    .addHelpText('after', SETTINGS);
  runs<ServeOptions>(serve, cli, (options) => runServe(options, cli));
}

const SETTINGS = `
Settings can be given by environment for one run: HELIX_ORG_AGENT_COMMAND='["node","/path/agent.mjs"]',
HELIX_ORG_DISPATCH_MAX_HOPS=4 and so on. A flag wins over the environment, the environment over what is stored.
`;

async function runServe(options: ServeOptions, cli: Cli): Promise<number> {
  const [{ startDaemon }, { settingsOfEnvironment }, { createLogger }, { createMask, maskTokens }] = await Promise.all([
    import('./daemon.ts'),
    import('./setting-overrides.ts'),
    import('./logger.ts'),
    import('../store/mask.ts'),
  ]);
  const { addr: address, publicUrl, publicUi, allowHost, trustProxy, durability, logJson, logLevel: level } = options;
  let mask = maskTokens;
  const log = createLogger({ json: logJson === true, level, write: (line) => cli.err(mask(line)) });
  const paths = dataPathsFor(cli, { ...options, json: logJson === true });
  const { settings, warnings } = settingsOfEnvironment(cli.environment);
  for (const warning of warnings) log.warn(warning);
  Object.assign(settings, agentSettings(options));
  if (settings['agent.command']) settings['agent.command'] = wholePaths(settings['agent.command'] as string[]);
  if (isWide(address)) log.warn({ addr: address.host }, 'listening beyond this machine: whoever can reach it may try');
  const interrupted = interruption();
  const daemon = await startDaemon(
    {
      paths,
      address,
      durability,
      settings,
      ...(publicUrl ? { publicUrl } : {}),
      ...(publicUi ? { publicUi } : {}),
      ...(allowHost ? { allowedHosts: allowHost } : {}),
      ...(trustProxy ? { trustProxy: trustProxy === true ? 'loopback' : trustProxy } : {}),
    },
    { log },
  );
  mask = createMask(daemon.settings);
  const check = await daemon.agent.check();
  if (!check.ok) log.warn({ agent: daemon.agent.kind, problem: check.problem, fix: check.fix }, 'the agent cannot run');
  await checkOthers(daemon, log);
  if (!options.quiet) cli.out(await greeting(daemon, check));
  // Node itself does so at the end of the process, which a kill would skip.
  flushCompileCache();
  log.info({ signal: await interrupted }, 'stopping');
  await daemon.stop();
  log.info('stopped');
  return OK;
}

/** What the flags say of agents; whoever names a command wants it to play. */
function agentSettings({ agent, agentCommand, ...options }: ServeOptions): Record<string, unknown> {
  const { claudeBin, codexBin, model, effort } = options;
  return {
    ...(agentCommand ? { 'agent.command': agentCommand, 'agent.kind': 'command' } : {}),
    ...(agent === undefined ? {} : { 'agent.kind': agent }),
    ...(claudeBin === undefined ? {} : { 'claude.bin': placeOf(claudeBin) }),
    ...(codexBin === undefined ? {} : { 'codex.bin': placeOf(codexBin) }),
    ...(model === undefined ? {} : { 'agent.model': model }),
    ...(effort === undefined ? {} : { 'agent.effort': effort }),
  };
}

/** A path holds also when the daemon has another directory. */
const placeOf = (program: string) => (program.includes('/') ? resolve(program) : program);

/** Agents that were chosen for single Workers. */
async function checkOthers({ agents, journal }: Daemon, log: Logger): Promise<void> {
  for (const [kind, workerId] of chosenKinds(journal.org, agents)) {
    const check = await agents.all.get(kind)?.check();
    if (check && !check.ok)
      log.warn({ agent: kind, worker: workerId, problem: check.problem, fix: check.fix }, 'an agent cannot run');
  }
}

async function greeting({ url, publicUrl, agent, control }: Daemon, check: AgentCheck): Promise<string> {
  const link = (await control['token.login']({})) as { url: string };
  const fitness = check.ok ? 'ready' : `NOT READY: ${check.problem} ${check.fix}`;
  return [
    `helix-org ${version} listens on ${url}`,
    ...(publicUrl.endsWith(new URL(url).port) ? [] : [`  outside    ${publicUrl}`]),
    `  agent      ${agent.kind}, ${fitness}`,
    `  sign in    ${link.url}  (once, within 15 minutes)`,
    '  Ctrl-C stops it.\n',
  ].join('\n');
}

/** A second signal ends the process at once; a shell that sends the same one twice in a row means one. */
const SAME_SIGNAL_MS = 500;

/** Resolves with the first signal to stop. */
function interruption(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      if (first !== undefined && performance.now() - first > SAME_SIGNAL_MS) process.exit(130);
      first ??= performance.now();
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  });
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error('A URL begins with http:// or https://.');
  return text.replace(/\/$/, '');
}

const collect = (name: string, before: string[] = []): string[] => [...before, name];
