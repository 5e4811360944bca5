import { type Command, Option } from 'commander';
import { invalid } from '../domain/errors.ts';
import { parseCommand, wholePaths } from './agent-command.ts';
import { argument, type Cli, runs } from './command.ts';
import type { DemoOptions } from './demo.ts';
import { DEMO_AGENTS } from './demo-agent.ts';

type Options = DemoOptions & { list?: boolean; all?: boolean };

export function registerDemo(program: Command, cli: Cli): void {
  const demo = program
    .command('demo')
    .argument('[name]', 'which one (default: getting-started)')
    .description('run a demo: a whole organisation at work, offline, in a directory of its own')
    .option('--list', 'name the demos there are')
    .option('--all', 'run them all, two at a time')
    .option('--stay', 'keep its daemon running afterwards, and print a link to its pages')
    .option('--live', 'with Claude Code and the real world outside; says first what is missing')
    .addOption(new Option('--agent <kind>', 'what plays the Workers, the rest as offline').choices(DEMO_AGENTS))
    .option('--agent-command <command>', 'a program of your own that plays the Workers', argument(parseCommand))
    .option('--patience <seconds>', 'how long to wait for each thing that shall happen', argument(parseSeconds))
    .option('--public-url <url>', 'how the outside reaches the daemon, with --live')
    .option('--addr <address>', 'where the daemon listens (default: a free port of 127.0.0.1)');
  runs<Options>(demo, cli, async (options, [name]) => {
    const { runDemo, listDemos } = await import('./demo.ts');
    if (options.list) return listDemos();
    if (options.all) return (await import('./demo-all.ts')).runAllDemos();
    const { agentCommand } = options;
    return runDemo({
      ...options,
      ...(name ? { name } : {}),
      ...(agentCommand ? { agentCommand: wholePaths(agentCommand) } : {}),
    });
  });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw invalid(`${text} is no number of seconds`);
  return seconds;
}
