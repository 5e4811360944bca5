// `helix-org chat`: the terminal is the agent's, which holds a credential of its own for as long as the chat goes on.
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { conflict, invalid } from '../domain/errors.ts';
import { OWNER } from '../domain/ids.ts';
import type { SessionWish, TerminalGrant } from './chat-seat.ts';
import { argument, type Cli, type CommonOptions, dataPathsFor, runs } from './command.ts';
import { parseUrl } from './connect.ts';
import type { DataPaths } from './data-dir.ts';

export type ChatOptions = CommonOptions & {
  worker: string;
  serverUrl?: string;
  claudeBin?: string;
  model?: string;
  new?: boolean;
  resume?: string | true;
  print?: boolean;
};

type Wish = { session: SessionWish; once: boolean; prompt?: string };

export function registerChat(program: Command, cli: Cli): void {
  const chat = common(program.command('chat'), 'as whom; another than yourself is recorded as on your behalf')
    .argument('[words...]', 'with -p: what to ask')
    .description('talk with the agent that runs the organisation for you, in Claude Code on this terminal')
    .option('--new', 'begin a new conversation (default: go on in the last one)')
    .option('--resume [id]', 'go on in the session of this id, or choose one from a list')
    .option('-p, --print', 'ask once, print the answer and end; without words, what comes on stdin is asked');
  runs<ChatOptions>(chat, cli, async (options, words) => talk(cli, options, wishOf(options, words)));

  const prompt = common(program.command('prompt'), 'as whom')
    .argument('[words...]', 'what to ask')
    .description('the same as `chat -p`');
  runs<ChatOptions>(prompt, cli, async (options, words) =>
    talk(cli, options, wishOf({ ...options, print: true }, words)),
  );
}

const common = (command: Command, worker: string): Command =>
  command
    .option('--worker <id>', worker, OWNER)
    .option('--model <model>', 'the model (default: the setting agent.model)')
    .option('--claude-bin <file>', 'where Claude Code is (default: the setting claude.bin)')
    .option('--server-url <url>', 'where the daemon is reached (default: where it runs)', argument(parseUrl));

/** @throws OrgError invalid */
function wishOf({ worker, new: isNew, resume, print }: ChatOptions, words: string[]): Wish {
  if (isNew && resume) throw invalid('--new and --resume are mutually exclusive');
  if (print && (isNew || resume)) throw invalid('-p is mutually exclusive with --new and --resume');
  if (worker.trim() === '') throw invalid('--worker must not be empty');
  const prompt = words.join(' ').trim();
  // Without a person at both ends it can only be asked once.
  if (!print && isatty(0) && isatty(1)) {
    if (prompt !== '') throw invalid(`To ask once, write: helix-org chat -p ${JSON.stringify(prompt)}`);
    return { once: false, session: isNew ? 'new' : resume === true ? 'choose' : resume ? { id: resume } : 'last' };
  }
  if (prompt === '' && isatty(0)) throw invalid('Say what to ask: helix-org chat -p "…"');
  if (isNew || resume === true)
    throw invalid('--new and --resume need a terminal; without one, each question begins anew.');
  return { once: true, session: resume ? { id: resume } : 'new', ...(prompt === '' ? {} : { prompt }) };
}

async function talk(cli: Cli, options: ChatOptions, wish: Wish): Promise<number> {
  const { worker, serverUrl } = options;
  const paths = dataPathsFor(cli, options);
  if (serverUrl === undefined) await requireDaemon(paths);
  const [{ askControl }, { answering }] = await Promise.all([
    import('./store-access.ts'),
    import('./running-daemon.ts'),
  ]);
  const grant = (await askControl(paths, 'chat.open', { worker, session: wish.session })) as TerminalGrant;
  // Without a terminal any more there is nobody to tell, but still a credential to end.
  process.stderr.on('error', () => {});
  const { session, tokenId } = grant;
  const inSession = session === 'choose' ? undefined : 'resume' in session ? session.resume : session.begin;
  const held = { worker, tokenId, session: inSession };
  const keep = async () => (await answering(paths))?.control('chat.keep', held);
  const keeping = setInterval(() => void keep().catch(() => {}), KEEP_MS);
  try {
    const { runClaude } = await import('./chat-claude.ts');
    return await runClaude(cli, grant, { ...options, ...wish });
  } finally {
    clearInterval(keeping);
    // Where nobody answers, the credential ends by itself, and the next chat takes over what was said.
    await askControl(paths, 'chat.close', held).catch(() => {});
  }
}

const KEEP_MS = 60_000;

/** @throws OrgError that says how to start one */
async function requireDaemon(paths: DataPaths): Promise<void> {
  const { daemonOrLock } = await import('./running-daemon.ts');
  const holder = await daemonOrLock(paths);
  if ('daemon' in holder) return;
  holder.lock.release();
  throw conflict(
    `No daemon runs on ${paths.dataDir}, and a chat acts through it. Start it in another terminal: helix-org serve --data-dir ${JSON.stringify(paths.dataDir)}`,
  );
}
