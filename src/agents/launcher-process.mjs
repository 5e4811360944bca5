// @ts-check
// The launcher: a small process that starts programs for the daemon, whose own `spawn` would cost what its memory costs.
// It holds nothing: a program's stdin, stdout and stderr are connections between the program and the daemon. It ends with
// the daemon; the programs do not, and are found by the next daemon as if the last one had started them.
//
// Run as `node launcher-process.mjs SOCKET`, by launcher.ts. JavaScript, and next to no imports: each start copies the page tables
// of this process, and what Node needs to read TypeScript would double them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';

const [, , path = ''] = process.argv;
const daemon = process.ppid;

process.title = 'helix-org launcher';
// Whoever stops a whole group of processes does not mean us: runs are first ended as the daemon wants it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.on('disconnect', end);
process.on('message', launch);
tell({ kind: 'ready' });

/** @param {import('./launcher-messages.ts').LaunchOrder} order */
async function launch({ id, tags, command, cwd, environment, user }) {
  const [name = '', ...args] = command;
  /** @type {import('node:net').Socket[]} */
  const streams = [];
  try {
    for (const tag of tags) streams.push(open(tag));
    await Promise.all(streams.map((stream) => once(stream, 'ready')));
    // A daemon that died while we were held up is not there to stop what we start.
    if (process.ppid !== daemon) end();
    const child = spawn(name, args, { cwd, env: environment, detached: true, stdio: streams, ...user });
    const { pid } = child;
    if (pid === undefined) throw (await once(child, 'error'))[0];
    child.once('exit', (code, signal) => tell({ kind: 'exited', id, code, signal }));
    tell({ kind: 'started', id, pid, stat: statOf(pid) });
  } catch (error) {
    tell({ kind: 'failed', id, error: fieldsOf(/** @type {NodeJS.ErrnoException} */ (error)) });
  } finally {
    // Only our hold on them: a program that has them keeps them. Nothing is shut down.
    for (const stream of streams) stream.on('error', () => {}).destroy();
  }
}

/**
 * A connection that we only pass on: never read, and told whose it is before the program can write.
 * @param {string} tag
 */
function open(tag) {
  const socket = connect({ path });
  socket.pause();
  socket.write(tag);
  return socket;
}

/**
 * What Linux says of it, in the turn of the loop in which even a program that has ended still has its entry.
 * @param {number} pid
 */
function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
}

/**
 * @param {NodeJS.ErrnoException} error
 * @returns {import('./launcher-messages.ts').LaunchError}
 */
function fieldsOf({ message, code, errno, syscall }) {
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
  };
}

/** @param {import('./launcher-messages.ts').LaunchNews} news */
function tell(news) {
  // That nobody listens any more is told by `disconnect`.
  process.send?.(news, undefined, undefined, () => {});
}

/** The daemon has ended, and could not remove the socket if it was killed. */
function end() {
  rmSync(dirname(path), { recursive: true, force: true });
  process.exit();
}
