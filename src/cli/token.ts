import type { Command } from 'commander';
import { argument, type Cli, type CommonOptions, dataPathsFor, json, OK, runs } from './command.ts';
import type { LoginLink, NewTokenView, TokenView } from './control.ts';

export function registerToken(program: Command, cli: Cli): void {
  const token = program.command('token').description("make, list and end Workers' tokens, and sign in to the pages");
  registerCreate(token, cli);
  registerList(token, cli);
  registerRevoke(token, cli);
  registerLogin(token, cli);
}

function registerCreate(token: Command, cli: Cli): void {
  const create = token
    .command('create')
    .description('make a token with which a program acts as a Worker; it is printed once and kept nowhere')
    .requiredOption('--worker <id>', 'whose')
    .option('--label <text>', 'what it is for')
    .option(
      '--expires <duration>',
      'how long it lasts, such as 12h, 30d or 8w (default: until it is revoked)',
      argument(parseDuration),
    )
    .option('--json', 'print it as JSON');
  runs<{ worker: string; label?: string; expires?: number }>(create, cli, async (options) => {
    const { worker, label, expires: lifetimeMs } = options;
    const args = { worker, ...(label ? { label } : {}), ...(lifetimeMs ? { lifetimeMs } : {}) };
    const made = await ask<NewTokenView>(cli, options, 'token.create', args);
    if (!options.quiet && !options.json)
      cli.err(`${made.id} for ${worker}, ${made.expiresAt ? `until ${made.expiresAt}` : 'until it is revoked'}:\n`);
    cli.out(options.json ? json(made) : `${made.token}\n`);
    return OK;
  });
}

function registerList(token: Command, cli: Cli): void {
  const list = token
    .command('list')
    .description('list tokens and sessions, never their secrets')
    .option('--json', 'print them as JSON');
  runs(list, cli, async (options) => {
    const { tokens } = await ask<{ tokens: TokenView[] }>(cli, options, 'token.list');
    cli.out(options.json ? json(tokens) : table(tokens));
    return OK;
  });
}

function registerRevoke(token: Command, cli: Cli): void {
  const revoke = token
    .command('revoke')
    .argument('<id>', 'as `token list` shows it')
    .description('end a token at once');
  runs(revoke, cli, async (options, [id = '']) => {
    await ask(cli, options, 'token.revoke', { id });
    cli.out(`revoked ${id}\n`);
    return OK;
  });
}

function registerLogin(token: Command, cli: Cli): void {
  const login = token
    .command('login')
    .description('print a link that signs a browser in, once, within 15 minutes')
    .option('--worker <id>', 'as whom (default: w-owner)')
    .option('--json', 'print it as JSON');
  runs<{ worker?: string }>(login, cli, async (options) => {
    const { worker } = options;
    const link = await ask<LoginLink>(cli, options, 'token.login', worker ? { worker } : {});
    cli.out(options.json ? json(link) : `${link.url}\n`);
    return OK;
  });
}

async function ask<T>(cli: Cli, options: CommonOptions, ...[name, args]: Parameters<AskControl>): Promise<T> {
  const { askControl } = await import('./store-access.ts');
  return (await askControl(dataPathsFor(cli, options), name, args)) as T;
}

type AskControl = (
  name: Parameters<typeof import('./store-access.ts').askControl>[1],
  args?: Record<string, unknown>,
) => Promise<unknown>;

const UNITS_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,4})([mhdw])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined) throw new Error('Write a number and a unit: 45m, 12h, 30d or 8w.');
  return Number(count) * unitMs;
}

function table(tokens: TokenView[]): string {
  const rows = tokens.map(({ id, worker, kind, label, expiresAt, lastUsedAt, revokedAt }) => {
    const ended = revokedAt ? `revoked ${revokedAt}` : expiresAt ? `until ${expiresAt}` : 'until revoked';
    return [id, worker, kind, label, ended, lastUsedAt ? `used ${lastUsedAt}` : 'never used'];
  });
  const all = [['ID', 'WORKER', 'KIND', 'LABEL', 'VALID', 'LAST USE'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
