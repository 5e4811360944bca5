import type { Command } from 'commander';
import { argument, type Cli, type CommonOptions, dataPathsFor, json, OK, runs } from './command.ts';
import type { Connected, Redelivered } from './github-hook.ts';

/** A repository's webhook, through GitHub's REST API with the token of `transport.github`. */
export function registerGithub(program: Command, cli: Cli): void {
  const github = program
    .command('github')
    .description('set up, repair and remove the webhook of a repository on GitHub');
  registerConnect(github, cli);
  registerRedeliver(github, cli);
  registerDisconnect(github, cli);
}

function registerConnect(github: Command, cli: Cli): void {
  const connect = github
    .command('connect')
    .argument('<repository>', 'owner/name')
    .description('make the webhook of a repository, or bring it up to date, and see that it reaches this daemon')
    .requiredOption('--stream <id>', 'the github Stream that listens to it')
    .option('--json', 'print the result as JSON');
  runs<{ stream: string }>(connect, cli, async (options, [repo = '']) => {
    const connected = (await ask(cli, options, 'github.connect', { repo, stream: options.stream })) as Connected;
    const { made, url, events, hook } = connected;
    const done = `${made ? 'made' : 'updated'} webhook ${hook} of ${repo}: ${events.join(', ')} → ${url}; its ping arrived\n`;
    cli.out(options.json ? json(connected) : done);
    return OK;
  });
}

function registerRedeliver(github: Command, cli: Cli): void {
  const again = github
    .command('redeliver')
    .argument('<repository>', 'owner/name')
    .description('ask GitHub to send again what did not arrive, as after the daemon was down; nothing lands twice')
    .option(
      '--since <time>',
      'how far back: 6h, 2d or 2026-11-21T08:00Z (default: 3d, which is all that GitHub sends again)',
      argument(parseSince),
    )
    .option('--json', 'print the result as JSON');
  runs<{ since?: string }>(again, cli, async (options, [repo = '']) => {
    const { since } = options;
    const result = (await ask(cli, options, 'github.redeliver', { repo, ...(since ? { since } : {}) })) as Redelivered;
    const { asked, arrived } = result;
    const rest = `${arrived} since ${result.since} had arrived`;
    cli.out(
      options.json ? json(result) : `${asked === 0 ? 'nothing is missing' : `${asked} will be sent again`}; ${rest}\n`,
    );
    return OK;
  });
}

function registerDisconnect(github: Command, cli: Cli): void {
  const disconnect = github
    .command('disconnect')
    .argument('<repository>', 'owner/name')
    .description('remove the webhook from GitHub; the Stream stays')
    .option('--json', 'print the result as JSON');
  runs(disconnect, cli, async (options, [repo = '']) => {
    const result = (await ask(cli, options, 'github.disconnect', { repo })) as { hook: number };
    cli.out(options.json ? json(result) : `removed webhook ${result.hook} of ${repo}\n`);
    return OK;
  });
}

type GithubControl = 'github.connect' | 'github.redeliver' | 'github.disconnect';

async function ask(cli: Cli, options: CommonOptions, name: GithubControl, args: Record<string, unknown>) {
  const { askControl } = await import('./store-access.ts');
  return askControl(dataPathsFor(cli, options), name, args);
}

const UNITS_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @returns RFC 3339 */
export function parseSince(text: string, now = Date.now()): string {
  const [, count = '', unit = ''] = /^([1-9]\d{0,3})([mhd])$/.exec(text) ?? [];
  const isMoment = /^\d{4}-\d\d-\d\d/.test(text);
  const at = unit === '' ? (isMoment ? Date.parse(text) : Number.NaN) : now - Number(count) * (UNITS_MS[unit] ?? 0);
  if (Number.isNaN(at)) throw new Error('Write how long ago, such as 6h or 2d, or a time such as 2026-11-21T08:00Z.');
  return new Date(at).toISOString();
}
