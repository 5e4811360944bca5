import type { Command } from 'commander';
import { invalid } from '../domain/errors.ts';
import { canonicalKey } from '../store/daemon-settings.ts';
import { redact, requireDefinition } from '../store/setting-definition.ts';
import type { SettingView } from '../store/settings.ts';
import { type Cli, type CommonOptions, dataPathsFor, json, OK, runs } from './command.ts';
import { parseSetting } from './setting-overrides.ts';
import { settingRegistry } from './setting-registry.ts';

/** Settings: read at use, so a change holds at once, also in a daemon that runs. */
export function registerConfig(program: Command, cli: Cli): void {
  const config = program.command('config').description('read and change settings; a change holds at once');
  registerSet(config, cli);
  registerGet(config, cli);
  registerList(config, cli);
  registerDelete(config, cli);
}

function registerSet(config: Command, cli: Cli): void {
  const set = config
    .command('set')
    .argument('<key>')
    .argument('<value>', 'JSON, or text')
    .description('store a setting');
  runs(set, cli, async (options, [name = '', text = '']) => {
    const key = canonicalKey(name);
    const definition = requireDefinition(settingRegistry, key);
    const value = parseSetting(key, text);
    await ask(cli, options, 'config.set', { key, value });
    cli.out(`set ${key} = ${JSON.stringify(redact(definition, value))}\n`);
    return OK;
  });
}

function registerGet(config: Command, cli: Cli): void {
  const get = config
    .command('get')
    .argument('<key>')
    .description('print what holds')
    .option('--reveal-secrets', 'print secrets too', false)
    .option('--json', 'print it as JSON');
  runs<Reveal>(get, cli, async (options, [key = '']) => {
    const known = canonicalKey(key);
    requireDefinition(settingRegistry, known);
    const view = (await settings(cli, options)).find((each) => each.key === known);
    if (!view) throw invalid(`the daemon that runs does not know ${key}; restart it with this version`);
    cli.out(options.json ? json(view) : `${key} = ${JSON.stringify(view.value)}${origin(view)}\n`);
    return OK;
  });
}

function registerList(config: Command, cli: Cli): void {
  const list = config
    .command('list')
    .description('print every setting, what holds, and what it is for')
    .option('--prefix <text>', 'only keys that begin with it', '')
    .option('--reveal-secrets', 'print secrets too', false)
    .option('--json', 'print them as JSON');
  runs<{ prefix: string } & Reveal>(list, cli, async (options) => {
    const views = (await settings(cli, options)).filter(({ key }) => key.startsWith(options.prefix));
    cli.out(options.json ? json(views) : table(views));
    return OK;
  });
}

function registerDelete(config: Command, cli: Cli): void {
  const remove = config.command('delete').argument('<key>').description('go back to the default');
  runs(remove, cli, async (options, [name = '']) => {
    const key = canonicalKey(name);
    requireDefinition(settingRegistry, key);
    await ask(cli, options, 'config.delete', { key });
    cli.out(`deleted ${key}\n`);
    return OK;
  });
}

type Reveal = { revealSecrets: boolean };

async function settings(cli: Cli, options: CommonOptions & Reveal): Promise<SettingView[]> {
  const { revealSecrets } = options;
  return ((await ask(cli, options, 'config.list', { revealSecrets })) as { settings: SettingView[] }).settings;
}

async function ask(cli: Cli, options: CommonOptions, name: 'config.set' | 'config.delete' | 'config.list', args = {}) {
  const { askControl } = await import('./store-access.ts');
  return askControl(dataPathsFor(cli, options), name, args);
}

const origins = { given: ' (given when the daemon was started)', stored: '', default: ' (default)' };
const origin = ({ from }: SettingView) => origins[from];

function table(views: SettingView[]): string {
  const rows = [
    ['KEY', 'VALUE', 'REQUIRED', 'DESCRIPTION'],
    ...views.map((view) => [view.key, `${JSON.stringify(view.value)}${origin(view)}`, 'no', view.description]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('');
}
