import type { Command } from 'commander';
import { type Cli, runs } from './command.ts';

export function registerDemo(program: Command, cli: Cli): void {
  const demo = program
    .command('demo')
    .argument('[name]', 'which one (default: getting-started)')
    .description('run a demo: a whole organisation at work, offline, in a directory of its own')
    .option('--stay', 'keep its daemon running afterwards, and print a link to its pages');
  runs<{ stay?: boolean }>(demo, cli, async ({ stay, dataDir }, [name]) => {
    const { runDemo } = await import('./demo.ts');
    return runDemo({ ...(name ? { name } : {}), ...(stay ? { stay } : {}), ...(dataDir ? { dataDir } : {}) });
  });
}
