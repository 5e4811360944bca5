import type { Command } from 'commander';
import { type Cli, dataPathsFor, json, OK, REFUSED, runs } from './command.ts';
import { type DataPaths, requireDataDir } from './data-dir.ts';

export function registerRebuild(program: Command, cli: Cli): void {
  const rebuild = program
    .command('rebuild')
    .description('empty the read tables and fill them again from the journal; not while a daemon runs')
    .option('--json', 'print the result as JSON');
  runs(rebuild, cli, async (options) => {
    const { replayed, differed, problems } = await rebuilt(dataPathsFor(cli, options));
    if (options.json) cli.out(json({ replayed, differed, problems }));
    else {
      const verdict = differed
        ? 'the read tables differed from the journal and are mended'
        : 'the read tables were as they should be';
      cli.out(`rebuilt from ${replayed} entries: ${verdict}\n`);
    }
    if (problems === 0) return OK;
    cli.err('But the journal itself is not what was written: `helix-org verify` names where.\n');
    return REFUSED;
  });
}

async function rebuilt(paths: DataPaths): Promise<{ replayed: number; differed: boolean; problems: number }> {
  requireDataDir(paths);
  const { lockOrRefuse } = await import('./running-daemon.ts');
  const lock = await lockOrRefuse(paths);
  try {
    const [{ openDatabase }, { dumpReadTables, rebuildReadTables }, { verifyJournal }] = await Promise.all([
      import('../store/database.ts'),
      import('../store/rebuild.ts'),
      import('../store/verify.ts'),
    ]);
    const db = openDatabase(paths.db);
    try {
      const before = dumpReadTables(db);
      const replayed = rebuildReadTables(db);
      return { replayed, differed: dumpReadTables(db) !== before, problems: verifyJournal(db).problems.length };
    } finally {
      db.sqlite.close();
    }
  } finally {
    lock.release();
  }
}
