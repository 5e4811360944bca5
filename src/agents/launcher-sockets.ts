// Where the launcher connects to: the daemon's ends of its programs' stdin, stdout and stderr.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The daemon's ends, by number: stdin, stdout, stderr. */
export type StreamEnds = [Socket, Socket, Socket];

export type ExpectedEnds = {
  /** What each connection is to begin with: a secret of this start, and which stream it is. */
  tags: string[];
  /** Resolves when all three are here. Rejects never. */
  ends: Promise<StreamEnds>;
  /** Takes no more of them, and closes those that came. */
  forget(): void;
};

export type LauncherSockets = {
  path: string;
  expect(): ExpectedEnds;
  close(): void;
};

/** Hexadecimal digits of a secret. */
const TOKEN_LENGTH = 32;
const STREAMS = ['0', '1', '2'];
/** What the system allows for the name of a socket, the least of all systems. */
const PATH_BYTES_MAX = 103;
/** Only the launcher connects, and says at once whose the connection is. */
const SILENCE_MS = 10_000;

/** In a new directory of this user alone. @throws Error when it cannot be made */
export async function openLauncherSockets(): Promise<LauncherSockets> {
  const fits = Buffer.byteLength(join(tmpdir(), 'helix-XXXXXX', 's')) <= PATH_BYTES_MAX;
  const directory = mkdtempSync(join(fits ? tmpdir() : '/tmp', 'helix-'));
  const path = join(directory, 's');
  const expected = new Map<string, (stream: number, socket: Socket) => void>();
  const server = createServer((socket) => takeTag(socket, expected));
  server.unref();
  try {
    server.listen(path);
    await once(server, 'listening');
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    path,
    expect() {
      const token = randomBytes(TOKEN_LENGTH / 2).toString('hex');
      const { promise: ends, resolve } = Promise.withResolvers<StreamEnds>();
      const came: Socket[] = [];
      expected.set(token, (stream, socket) => {
        came[stream] = socket;
        if (Object.keys(came).length < STREAMS.length) return;
        expected.delete(token);
        resolve(came as StreamEnds);
      });
      return {
        tags: STREAMS.map((stream) => token + stream),
        ends,
        forget() {
          expected.delete(token);
          for (const socket of Object.values(came)) socket.destroy();
        },
      };
    },
    close() {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Reads exactly the tag: what follows it is the program's. Whoever knows no token is sent away. */
function takeTag(socket: Socket, expected: ReadonlyMap<string, (stream: number, socket: Socket) => void>): void {
  const leave = () => socket.destroy();
  // Stays, since nobody else may listen yet when a program ends at once.
  socket.on('error', leave);
  socket.setTimeout(SILENCE_MS, leave);
  socket.on('readable', function read() {
    const tag: Buffer | null = socket.read(TOKEN_LENGTH + 1);
    if (tag === null) return;
    socket.off('readable', read).off('timeout', leave).setTimeout(0);
    const text = tag.toString('latin1');
    const take = expected.get(text.slice(0, TOKEN_LENGTH));
    const stream = STREAMS.indexOf(text.slice(TOKEN_LENGTH));
    if (!take || stream < 0) leave();
    else take(stream, socket);
  });
}
