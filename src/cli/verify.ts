import type { Command } from 'commander';
import type { Verification } from '../store/verify.ts';
import { type Cli, dataPathsFor, json, OK, REFUSED, runs } from './command.ts';
import type { DataPaths } from './data-dir.ts';

export function registerVerify(program: Command, cli: Cli): void {
  const verify = program
    .command('verify')
    .description('check that the journal is what was written: every link of its hash chain, and every content')
    .option('--json', 'print the result as JSON');
  runs(verify, cli, async (options) => {
    const result = await verification(dataPathsFor(cli, options));
    const { entries, redacted, head, problems } = result;
    if (options.json) cli.out(json(result));
    else if (problems.length === 0) cli.out(`journal ok: ${entries} entries, ${redacted} redacted, head ${head}\n`);
    else for (const { seq, problem } of problems) cli.out(`${seq === 0 ? 'journal' : `seq ${seq}`}: ${problem}\n`);
    return problems.length === 0 ? OK : REFUSED;
  });
}

/** Without a daemon nothing but the database is opened: a journal that was tampered with may not even load. */
async function verification(paths: DataPaths): Promise<Verification> {
  const { daemonOrLock } = await import('./running-daemon.ts');
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) return (await holder.daemon.control('verify')) as Verification;
  const [{ openDatabase }, { verifyJournal }] = await Promise.all([
    import('../store/database.ts'),
    import('../store/verify.ts'),
  ]);
  try {
    const db = openDatabase(paths.db);
    try {
      return verifyJournal(db);
    } finally {
      db.sqlite.close();
    }
  } finally {
    holder.lock.release();
  }
}
