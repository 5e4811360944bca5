// The launcher: a small process that starts programs for the daemon, whose own `spawn` would cost what its memory costs.
// It holds nothing: a program's stdin, stdout and stderr are connections between the program and the daemon. It ends with
// the daemon; the programs do not, and are found by the next daemon as if the last one had started them.
//
// Run as `node launcher-process.ts SOCKET`, by launcher.ts. It imports little, since each start copies its page tables.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type LaunchError, type LaunchNews, type LaunchOrder, STREAMS } from './launcher-messages.ts';
import { identityOf } from './start-program.ts';

const [, , path = ''] = process.argv;
const daemon = process.ppid;

process.title = 'helix-org launcher';
// Whoever stops a whole group of processes does not mean us: runs are first ended as the daemon wants it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', end);
process.on('message', (order: LaunchOrder) => void launch(order));
tell({ kind: 'ready' });

async function launch({ id, token, command, cwd, environment, user }: LaunchOrder): Promise<void> {
  const [name = '', ...args] = command;
  const streams: Socket[] = [];
  try {
    for (const stream of STREAMS) streams.push(open(token + stream));
    await Promise.all(streams.map((stream) => once(stream, 'ready')));
    // A daemon that died while we were held up is not there to stop what we start.
    if (process.ppid !== daemon) return end();
    const child = spawn(name, args, { cwd, env: environment, detached: true, stdio: streams, ...user });
    // Told as soon as it is known, before `identityOf` waits.
    const exited = endOf(child);
    if (child.pid === undefined) throw await exited;
    close(streams);
    tell({ kind: 'started', id, root: await identityOf(child.pid) });
    tell({ kind: 'exited', id, ...((await exited) as Exit) });
  } catch (error) {
    tell({ kind: 'failed', id, error: fieldsOf(error as NodeJS.ErrnoException) });
  } finally {
    close(streams);
  }
}

/** A connection that we only pass on: never read, and told whose it is before the program can write. */
function open(tag: string): Socket {
  const socket = connect({ path });
  socket.pause();
  socket.write(tag);
  return socket;
}

/** Only our hold on them: a program that has them keeps them. Nothing is shut down. */
function close(streams: Socket[]): void {
  for (const stream of streams) stream.on('error', () => {}).destroy();
}

type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** How it ended, or the error because of which it never ran. */
function endOf(child: ChildProcess): Promise<Exit | Error> {
  return new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function fieldsOf({ message, code, errno, syscall, path: named }: NodeJS.ErrnoException): LaunchError {
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(named === undefined ? {} : { path: named }),
  };
}

function tell(news: LaunchNews): void {
  // That nobody listens any more is told by `disconnect`.
  process.send?.(news, undefined, undefined, () => {});
}

/** The daemon has ended, and could not remove the socket if it was killed. */
function end(): never {
  rmSync(dirname(path), { recursive: true, force: true });
  process.exit();
}
