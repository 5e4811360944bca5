// Keeps one launcher process, and starts programs through it: what a start costs then does not grow with the daemon. Where
// there can be none, the daemon starts programs itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessIdentity } from '../domain/agent.ts';
import type { LaunchError, LaunchNews, LaunchOrder } from './launcher-messages.ts';
import { type ExpectedEnds, openLauncherSockets, type StreamEnds } from './launcher-sockets.ts';
import { readProcess } from './process-table.ts';
import { parseLinuxStat } from './process-table-linux.ts';
import {
  type ProgramExit,
  ProgramLost,
  type ProgramStart,
  type StartedProgram,
  type StartProgram,
  startDirectly,
} from './start-program.ts';

export type LauncherDeps = {
  /** Told when there is no launcher any more, or none can be had. */
  warn(fields: object, text: string): void;
};

export type Launcher = {
  start: StartProgram;
  /** Its process; undefined while there is none. */
  readonly pid: number | undefined;
  /** Ends it, for good. What it has started is not ended. */
  close(): Promise<void>;
};

const FILE = fileURLToPath(new URL('./launcher-process.mjs', import.meta.url));
/** Where a dynamically linked Node finds its libraries. Nothing else of our environment is given to it. */
const PASSED_ON = /^(LD_LIBRARY_PATH|DYLD_LIBRARY_PATH)$/;
const PATIENCE_MS = 30_000;
/** A launcher that dies more often than this within a minute is not started again before a minute has passed. */
const DEATHS_MAX = 3;
const MINUTE_MS = 60_000;

/** Begins at once with a launcher; starts wait for it. */
export function createLauncher({ warn }: LauncherDeps): Launcher {
  let live: LauncherChild | undefined;
  let isClosed = false;
  let triedAt = 0;
  let deaths: number[] = [];
  /** Undefined when there can be none. */
  let current = begin();

  async function begin(): Promise<LauncherChild | undefined> {
    triedAt = performance.now();
    try {
      const child = await startLauncher();
      live = child;
      void child.gone.then(died);
      return child;
    } catch (error) {
      if (!isClosed)
        warn({ err: error }, 'the launcher cannot be started; the daemon starts programs itself, which is slower');
      return undefined;
    }
  }

  function died(how: string): void {
    live = undefined;
    if (isClosed) return;
    const now = performance.now();
    deaths = [...deaths.filter((at) => now - at < MINUTE_MS), now];
    const isOften = deaths.length > DEATHS_MAX;
    const next = isOften ? 'for a minute the daemon starts programs itself' : 'another one is started';
    warn({ exit: how }, `the launcher has ended; the runs it had started come again, and ${next}`);
    current = isOften ? Promise.resolve(undefined) : begin();
  }

  return {
    async start(program) {
      let child = await current;
      for (; child && !child.isConnected(); child = await current) await child.gone;
      if (child) return child.start(program).catch((error) => otherwise(error, program));
      if (!isClosed && performance.now() - triedAt > MINUTE_MS) current = begin();
      return startDirectly(program);
    },
    get pid() {
      return live?.pid;
    },
    async close() {
      isClosed = true;
      await (await current)?.stop();
    },
  };
}

type LauncherChild = {
  pid: number;
  start: StartProgram;
  /** Whether it can still be told anything. */
  isConnected(): boolean;
  /** Settles when it has ended, with how. */
  gone: Promise<string>;
  stop(): Promise<void>;
};

type Ordered = { answered: PromiseWithResolvers<ProcessIdentity>; exited: PromiseWithResolvers<ProgramExit> };

/** @throws Error when it does not come to life */
async function startLauncher(): Promise<LauncherChild> {
  const sockets = await openLauncherSockets();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));
  const child = spawn(process.execPath, [FILE, sockets.path], {
    ...{ cwd: '/', env, detached: true },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  /** What was ordered and has not ended. */
  const ordered = new Map<number, Ordered>();
  const forget = (id: number) => {
    ordered.delete(id);
    // Only what runs keeps this process from ending by itself.
    if (ordered.size === 0) child.channel?.unref();
  };
  const gone = watch(child, ordered, forget).finally(sockets.close);
  await isReady(child, gone);
  child.unref();
  child.channel?.unref();
  let count = 0;

  async function start(program: ProgramStart): Promise<StartedProgram> {
    const id = ++count;
    const expected = sockets.expect();
    const order = {
      answered: Promise.withResolvers<ProcessIdentity>(),
      exited: Promise.withResolvers<ProgramExit>(),
    };
    ordered.set(id, order);
    child.channel?.ref();
    const { tags } = expected;
    child.send({ ...program, id, tags } satisfies LaunchOrder, () => {}); // A failure is told by `disconnect`.
    // One that does not answer is of no use to anybody.
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const root = order.answered.promise.finally(() => clearTimeout(patience));
    try {
      const [stdin, stdout, stderr] = await inTime(await root, expected);
      return { root: await root, stdin, stdout, stderr, exited: order.exited.promise };
    } catch (error) {
      expected.forget();
      forget(id);
      throw error;
    }
  }

  return {
    pid: child.pid ?? 0,
    start,
    isConnected: () => child.connected,
    gone,
    async stop() {
      child.ref();
      child.kill('SIGKILL'); // It holds nothing that would want a farewell.
      await gone;
    },
  };
}

/** @throws ProgramLost when the program runs and some of its streams did not come, as when we have too many open files */
async function inTime(root: ProcessIdentity, { ends }: ExpectedEnds): Promise<StreamEnds> {
  let late: NodeJS.Timeout | undefined;
  const missing = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new ProgramLost('its output could not be connected', root)), PATIENCE_MS);
  });
  try {
    return await Promise.race([ends, missing]);
  } finally {
    clearTimeout(late);
  }
}

/** Passes on what it tells. @returns settles when it has ended; what it had started is lost then */
async function watch(
  child: ChildProcess,
  ordered: ReadonlyMap<number, Ordered>,
  forget: (id: number) => void,
): Promise<string> {
  child.on('error', () => {}); // Told by `ended` or `disconnect`.
  child.on('message', (news: LaunchNews) => {
    if (news.kind === 'ready') return;
    const order = ordered.get(news.id);
    if (news.kind === 'started') return order?.answered.resolve(identityOf(news));
    forget(news.id);
    if (news.kind === 'failed') order?.answered.reject(errorOf(news.error));
    else order?.exited.resolve({ code: news.code, signal: news.signal });
  });
  const ended = once(child, 'exit').then(
    ([code, signal]) => (signal === null ? `exit code ${code}` : `signal ${signal}`),
    (error: Error) => error.message,
  );
  // Its last words may come after its end.
  if (child.connected) await once(child, 'disconnect').catch(() => {});
  child.kill('SIGKILL');
  const how = await ended;
  for (const [id, { answered, exited }] of ordered) {
    answered.reject(new ProgramLost('the launcher has ended'));
    exited.resolve('lost');
    forget(id);
  }
  return how;
}

async function isReady(child: ChildProcess, gone: Promise<string>): Promise<void> {
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const died = gone.then((how) => {
    throw new Error(`${process.execPath} ${FILE} ended with ${how}`);
  });
  try {
    await Promise.race([once(child, 'message'), died]);
  } finally {
    clearTimeout(patience);
  }
}

/** What keeps the launcher from connecting, such as a limit on open files, may not keep us from starting it. */
function otherwise(error: NodeJS.ErrnoException, program: ProgramStart): Promise<StartedProgram> {
  if (error.syscall !== 'connect') throw error;
  return startDirectly(program);
}

/** Where the launcher cannot see it, as on macOS, it is asked for. */
async function identityOf({ pid, stat }: { pid: number; stat: string | null }): Promise<ProcessIdentity> {
  const found = stat === null ? await readProcess(pid).catch(() => undefined) : parseLinuxStat(pid, stat);
  return { pid, startedAt: found?.startedAt ?? '' };
}

function errorOf({ message, ...fields }: LaunchError): Error {
  return Object.assign(new Error(message), fields);
}
