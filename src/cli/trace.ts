import type { Command } from 'commander';
import { invalid } from '../domain/errors.ts';
import { money } from '../http/ui/shown.ts';
import { type Cli, dataPathsFor, json, OK, runs } from './command.ts';
import { type Paint, painter, plain, type Style, wantsColours } from './terminal.ts';
import type { TraceNode } from './trace-tree.ts';
import type { Trace } from './tracing.ts';

export function registerTrace(program: Command, cli: Cli): void {
  const trace = program
    .command('trace')
    .argument('<id>', 'what you hold: an id, a Message-ID, a mail address, owner/repo#12 … (see below)')
    .description('show why something happened and what it led to, as a tree with times, costs and outcomes')
    .option('--json', 'print it as JSON')
    .addHelpText('after', NAMES);
  runs(trace, cli, async (options, [reference = '']) => {
    if (reference.trim() === '')
      throw invalid('Nothing was given to trace; `helix-org help trace` lists what it understands.');
    const { askControl } = await import('./store-access.ts');
    const found = (await askControl(dataPathsFor(cli, options), 'trace', { reference })) as Trace;
    cli.out(options.json ? json(found) : shown(found, painter(wantsColours(cli))));
    return OK;
  });
}

const NAMES = `
What it understands:
  e-… a-… d-…            an Event, an activation (its first digits do), a delivery; also within the address of a page
  1234                   a number of the journal
  <abc@mail.example>     the Message-ID of a mail, with or without the brackets
  ann@example.com        a mail address: everything from and to it
  72d3162e-cc78-…        the id a provider gave its delivery, such as X-GitHub-Delivery or webhook-id
  owner/repo#12, #12     an issue or pull request
Where several things are meant, they are listed, newest first. A daemon may run or not.
`;

function shown(trace: Trace, paint: Paint): string {
  if ('tree' in trace) return `${lines(trace.tree, paint).join('\n')}\n`;
  const { matches, isMore } = trace;
  const rows = matches.map((node) => `  ${label(node, paint)}`);
  const head = `${isMore ? `The newest ${matches.length}` : matches.length} things are meant; trace one of them by its id:`;
  return `${[head, ...rows].join('\n')}\n`;
}

/** The node and what is below it, each on one line. */
function lines(node: TraceNode, paint: Paint): string[] {
  const below = node.children.map((child) => lines(child, paint));
  const more = node.omitted === undefined ? [] : [[paint('dim', `… and ${node.omitted} more, not shown here`)]];
  const all = [...below, ...more];
  return [
    label(node, paint),
    ...all.flatMap((child, index) => {
      const isLast = index === all.length - 1;
      return child.map((line, n) => `${n > 0 ? (isLast ? '   ' : '│  ') : isLast ? '└─ ' : '├─ '}${line}`);
    }),
  ];
}

const STYLES: Record<TraceNode['kind'], Style> = {
  event: 'green',
  activation: 'cyan',
  delivery: 'magenta',
  listener: 'dim',
  fact: 'dim',
};

function label(node: TraceNode, paint: Paint): string {
  const { kind, id, at, who, stream = '', text = '', outcome, alsoBy = [], attempt = 1 } = node;
  const said = {
    event: `${plain(who)} on ${stream}: ${JSON.stringify(plain(text))}`,
    activation: `${who} ran${attempt > 1 ? `, attempt ${attempt}` : ''}`,
    delivery: `${text} from ${stream}${who === '' ? '' : ` to ${who}`}${attempt > 1 ? `, ${attempt} attempts` : ''}`,
    listener: who,
    fact: plain(text),
  }[kind];
  const parts = [
    paint(STYLES[kind], said),
    ...(outcome === undefined ? [] : [plain(outcome)]),
    ...figures(node),
    ...(alsoBy.length > 0 ? [`also woken by ${alsoBy.join(', ')}`] : []),
    ...(kind === 'listener' ? [] : [paint('dim', kind === 'fact' ? `#${id}` : id)]),
  ];
  const mark = node.isTarget ? paint('bold', '▶ ') : '';
  return `${mark}${kind === 'listener' ? '' : `${paint('dim', clock(at))} `}${parts.join(' · ')}`;
}

function figures({ kind, at, endedAt, costUsd }: TraceNode): string[] {
  if (kind !== 'activation') return [];
  const took = endedAt === undefined ? [] : [`${((Date.parse(endedAt) - Date.parse(at)) / 1_000).toFixed(1)} s`];
  return costUsd === undefined ? took : [...took, money(costUsd)];
}

/** With the date, since chains may be old: `2026-01-02 03:04:05`. */
function clock(at: string): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
