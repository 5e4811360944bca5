import { type Command, Option } from 'commander';
import { createSecretBox } from '../store/secrets.ts';
import { type Address, isWide, parseAddress } from './address.ts';
import { argument, type Cli, type CommonOptions, dataPathsFor, json, OK, REFUSED, runs } from './command.ts';
import type { DataPaths } from './data-dir.ts';
import type { Opened } from './doctor-data.ts';
import type { Finding } from './finding.ts';
import { placeFlags } from './place-flags.ts';
import { painter, plain, type Style, wantsColours } from './terminal.ts';

type DoctorOptions = CommonOptions & { addr: Address; publicUrl?: string };

/** Looks at everything that has kept somebody's daemon from working; changes nothing. */
export function registerDoctor(program: Command, cli: Cli): void {
  const doctor = program
    .command('doctor')
    .description('say what is wrong here and how to mend it; while a daemon runs and while none does')
    .addOption(
      new Option('--addr <address>', 'where a daemon would listen, looked at while none runs')
        .default(parseAddress('127.0.0.1:8080'), '127.0.0.1:8080')
        .argParser(argument(parseAddress)),
    )
    .option('--public-url <url>', 'how the outside would reach it, looked at while none runs')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', '\nExit code 1 when something is broken; warnings alone leave it 0.\n');
  runs<DoctorOptions>(doctor, cli, async (options) => {
    const paths = dataPathsFor(cli, options);
    const flags = placeFlags(options, paths);
    // A command among what is to be typed begins with a small letter, unlike a version.
    const here = (fix: string) => fix.replaceAll(/\bhelix-org (?=[a-z])/g, () => `helix-org${flags} `);
    const found = await diagnose(paths, options, cli.environment);
    const findings = found.map((each) => (each.fix === undefined ? each : { ...each, fix: here(each.fix) }));
    const isBroken = findings.some(({ state }) => state === 'broken');
    cli.out(options.json ? json({ ok: !isBroken, findings }) : shown(findings, cli));
    return isBroken ? REFUSED : OK;
  });
}

async function diagnose(
  paths: DataPaths,
  { addr, publicUrl }: DoctorOptions,
  environment: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  const [machine, data, { findAll, skipped }] = await Promise.all([
    import('./doctor-machine.ts'),
    import('./doctor-data.ts'),
    import('./finding.ts'),
  ]);
  const now = new Date();
  const opened = data.openForReading(paths);
  try {
    const isThere = data.checkDirectory(paths);
    const first = [...machine.checkNode(), ...isThere];
    if (isThere.some(({ state }) => state === 'broken')) return first;
    const holder = await machine.findHolder(paths);
    const found = await findAll({
      daemon: () => machine.checkDaemon(holder, paths.dataDir),
      port: () => machine.checkPort(holder, addr),
      disk: () => machine.checkDisk(paths),
      database: () => data.checkDatabase(paths, opened),
      journal: () => data.checkTail(opened),
      'write-ahead log': () => data.checkWal(paths),
      clock: () => data.checkClock(opened, now),
      secrets: () => data.checkKey(paths, opened),
      'owner token': () => data.checkOwnerToken(paths, opened),
      backup: () => data.checkBackup(opened, now),
    });
    const ofOrg = await findAll({
      organisation: () =>
        holder.kind === 'daemon'
          ? askDaemon(paths)
          : 'problem' in opened
            ? skipped('organisation', 'The database cannot be read.')
            : examineHere(opened, paths, { environment, isWide: isWide(addr), ...(publicUrl ? { publicUrl } : {}) }),
    });
    return [...first, ...found, ...ofOrg];
  } finally {
    if ('db' in opened) opened.close();
  }
}

async function askDaemon(paths: DataPaths): Promise<Finding[]> {
  const { daemonOrLock } = await import('./running-daemon.ts');
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) return (await holder.daemon.control('examine')) as Finding[];
  holder.lock.release();
  throw new Error('the daemon has just ended');
}

async function examineHere(
  { db }: Exclude<Opened, { problem: string }>,
  paths: DataPaths,
  site: { environment: NodeJS.ProcessEnv; isWide: boolean; publicUrl?: string },
): Promise<Finding[]> {
  const [{ examineOrg }, { createSettings }, { settingsOfEnvironment }, { accountSettings }, { readFileSync }] =
    await Promise.all([
      import('./doctor-org.ts'),
      import('../store/settings.ts'),
      import('./setting-overrides.ts'),
      import('./setting-registry.ts'),
      import('node:fs'),
    ]);
  const box = {
    // Read when something is to be opened: without secrets there may be no key yet.
    open: (sealed: string) =>
      createSecretBox(Buffer.from(readFileSync(paths.keyFile, 'utf8').trim(), 'base64'), paths.keyFile).open(sealed),
    seal: () => {
      throw new Error('doctor changes nothing');
    },
  };
  const { settings: overrides } = settingsOfEnvironment(site.environment);
  return examineOrg({
    db,
    paths,
    settings: createSettings(db, box, { overrides, accounts: accountSettings }),
    ...site,
  });
}

const MARKS: Record<Finding['state'], { mark: string; style: Style }> = {
  ok: { mark: '✓', style: 'green' },
  warning: { mark: '!', style: 'yellow' },
  broken: { mark: '✗', style: 'red' },
  skipped: { mark: '-', style: 'dim' },
};

function shown(findings: Finding[], cli: Cli): string {
  const paint = painter(wantsColours(cli));
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, says, fix }) => {
    const { mark, style } = MARKS[state];
    const told = `${paint(style, mark)} ${check.padEnd(width)}  ${plain(says)}`;
    return fix === undefined ? [told] : [told, `  ${' '.repeat(width)}  → ${plain(fix)}`];
  });
  const many = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length;
  const [bad, doubtful] = [many('broken'), many('warning')];
  const sum =
    bad + doubtful === 0
      ? 'All is well.'
      : `${bad} broken, ${doubtful} ${doubtful === 1 ? 'warning' : 'warnings'}; ${many('ok')} checks are well.`;
  return `${[...lines, '', sum].join('\n')}\n`;
}
