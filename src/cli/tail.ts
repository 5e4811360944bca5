import type { Command } from 'commander';
import { conflict } from '../domain/errors.ts';
import { type Cli, dataPathsFor, OK, runs } from './command.ts';
import { readDaemonFile } from './daemon-file.ts';
import type { DataPaths } from './data-dir.ts';
import type { FeedEvent } from './narrator.ts';
import type { RunningDaemon } from './running-daemon.ts';
import { painter, plain, wantsColours } from './terminal.ts';

type TailOptions = { since?: string; transcripts?: boolean };

export function registerTail(program: Command, cli: Cli): void {
  const tail = program
    .command('tail')
    .argument('[streams...]', "Streams to follow, such as s-mail or 's-support-*' (default: all)")
    .description('print Events as they land: time, Stream, who, what')
    .option('--since <event>', 'begin after this Event, by id or seq')
    .option('--transcripts', 'with what agents do, line by line')
    .option('--json', 'one JSON object a line');
  runs<TailOptions>(tail, cli, async (options, globs) => {
    const paths = dataPathsFor(cli, options);
    const daemon = await findDaemon(paths);
    const end = new AbortController();
    const print = printer(end);
    const colours = wantsColours(cli);
    const show = options.json ? (data: string) => data : (data: string) => line(JSON.parse(data) as FeedEvent, colours);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
    const onLost = () => options.quiet || cli.err('The daemon is gone; waiting for it to come back.\n');
    const { readFeed } = await import('./event-source.ts');
    const since = options.since === undefined ? {} : { since: options.since };
    const feed = readFeed({
      url: () => feedUrl(readDaemonFile(paths.daemonFile) ?? daemon, options, globs),
      token: daemon.token,
      ...since,
      signal: end.signal,
      onLost: once(onLost),
    });
    for await (const { data } of feed) print(`${show(data)}\n`);
    return OK;
  });
}

async function findDaemon(paths: DataPaths): Promise<RunningDaemon> {
  const { daemonOrLock } = await import('./running-daemon.ts');
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) return holder.daemon;
  holder.lock.release();
  throw conflict(`No daemon runs on ${paths.dataDir}; start one with \`helix-org serve\`.`);
}

function feedUrl({ url }: Pick<RunningDaemon, 'url'>, { transcripts }: TailOptions, globs: string[]): string {
  const feed = new URL('/events', url);
  if (globs.length > 0) feed.searchParams.set('streams', globs.join(','));
  if (transcripts) feed.searchParams.set('transcripts', '1');
  return feed.href;
}

/** Prints until nobody reads any more (`tail | head`), which is an end like any other. */
function printer(end: AbortController): (text: string) => void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    end.abort();
  });
  return (text) => void process.stdout.write(text);
}

/** `HH:MM:SS stream source body`, on one line whatever is in it. */
export function line({ createdAt, streamId, source, subject, body }: FeedEvent, colours: boolean): string {
  const paint = painter(colours);
  const at = new Date(createdAt);
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  const text = subject ? `${subject}: ${body}` : body;
  return `${paint('dim', time)} ${paint('green', streamId)} ${paint('cyan', source || '-')} ${plain(text)}`;
}

/** Says a thing once a minute at most. */
function once(say: () => void): () => void {
  let said = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - said < 60_000) return;
    said = performance.now();
    say();
  };
}
