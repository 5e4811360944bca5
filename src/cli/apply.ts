import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { conflict, invalid, OrgError } from '../domain/errors.ts';
import { asOwner } from './call.ts';
import { type Cli, dataPathsFor, json, OK, REFUSED, runs } from './command.ts';
import type { DataPaths } from './data-dir.ts';
import type { Plan, Step } from './org-plan.ts';

type Options = { dryRun?: boolean; yes?: boolean };
type Done = { tool: string; says: string; result: Record<string, unknown> };

export function registerApply(program: Command, cli: Cli): void {
  const apply = program
    .command('apply')
    .argument('<folder>', 'a folder as `export` writes it')
    .description(
      'make the org as a folder says: create and change; what the folder does not name is reported, and stays',
    )
    .option('--dry-run', 'print the plan and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print plan and results as JSON; needs --dry-run or --yes');
  runs<Options>(apply, cli, async (options, [name = '']) => {
    const folder = resolve(name);
    const paths = dataPathsFor(cli, options);
    const plan = await planFor(paths, folder);
    if (!options.json) cli.out(report(plan));
    const isAsked = !options.dryRun && plan.steps.length > 0;
    if (isAsked && !options.yes && !(await agreed(plan, options.json === true))) {
      cli.err('Nothing was changed.\n');
      return REFUSED;
    }
    const done = isAsked ? await take(paths, plan.steps) : [];
    if (options.json) cli.out(json({ ...plan, done }));
    else if (isAsked) cli.out(`${done.flatMap(news).join('')}Done: ${count(done.length, 'change')}.\n`);
    return OK;
  });
}

/** @throws OrgError that says where in the folder the problem stands */
async function planFor(paths: DataPaths, folder: string): Promise<Plan> {
  const [{ readFolder }, { askControl }] = await Promise.all([
    import('./org-folder-read.ts'),
    import('./store-access.ts'),
  ]);
  const { document, locate } = readFolder(folder);
  const plan = (await askControl(paths, 'org.plan', document)) as Plan;
  if (!plan.problem) return plan;
  const { where, message } = plan.problem;
  const key = where.slice(2).join('.');
  throw invalid(
    `Nothing was changed. ${folder} cannot be applied:\n${locate(where)}: ${key === '' ? '' : `${key}: `}${message}`,
  );
}

function report({ steps, leaves }: Plan): string {
  const lines = steps.map(({ tool, says }) => `  ${says}  (${tool})`);
  const stays = leaves.map((what) => `  ${what}`);
  return [
    steps.length === 0 ? 'Nothing to do: the org is as the folder says.' : `${count(steps.length, 'change')} to make:`,
    ...lines,
    ...(stays.length === 0 ? [] : ['Not in the folder, and left as it is; to remove it, use the tools:', ...stays]),
    '',
  ].join('\n');
}

async function agreed(plan: Plan, isJson: boolean): Promise<boolean> {
  if (isJson || process.stdin.isTTY !== true || process.stdout.isTTY !== true)
    throw conflict(
      `Nothing was changed: nobody can be asked about ${count(plan.steps.length, 'change')} here. Look at them with --dry-run, then give --yes.`,
    );
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question('Make these changes? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

async function take(paths: DataPaths, steps: Step[]): Promise<Done[]> {
  const done: Done[] = [];
  try {
    await asOwner(paths, async (call) => {
      for (const { tool, args, says } of steps)
        done.push({ tool, says, result: (await call(tool, args)) as Record<string, unknown> });
    });
  } catch (error) {
    if (!(error instanceof OrgError)) throw error;
    const at = steps[done.length];
    throw new OrgError(
      error.code,
      `Stopped after ${done.length} of ${count(steps.length, 'change')}, at "${at?.says}": ${error.message} What was done stays; apply again to go on.`,
    );
  }
  return done;
}

/** What a person has to know of a step: secrets are shown this once. */
function news({ result }: Done): string[] {
  const warnings = Array.isArray(result.warnings) ? result.warnings.map(String) : [];
  return [
    ...(typeof result.secret === 'string' ? [`${result.id}: signing secret, shown this once: ${result.secret}\n`] : []),
    ...(typeof result.url === 'string' ? [`${result.id}: ${result.url}\n`] : []),
    ...warnings.map((warning) => `${warning}\n`),
  ];
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
