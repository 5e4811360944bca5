// A load generator that costs little beside the server it measures: raw HTTP/1.1 over kept connections, requests made beforehand.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { quantile } from './figures.ts';

export type Load = {
  port: number;
  connections: number;
  /** Whole requests, head and body; each is sent once. */
  requests: readonly Buffer[];
};

export type Loaded = {
  perSecond: number;
  p50: number;
  p99: number;
  /** When the last answer was there, by `performance.now()`. */
  endedAt: number;
};

const HEAD_END = Buffer.from('\r\n\r\n');

/** Sends every request, each connection one at a time. @throws Error on any answer that is no 2xx */
export async function load({ port, connections, requests }: Load): Promise<Loaded> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const latencies: number[] = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      const answers = answersOf(socket);
      for (let request = requests[next++]; request; request = requests[next++]) {
        const sent = performance.now();
        socket.write(request);
        const { value: status } = await answers.next();
        if (status === undefined || status < 200 || status > 299) throw new Error(`the server answered ${status}`);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const endedAt = performance.now();
  for (const socket of sockets) socket.destroy();
  const perSecond = (requests.length / (endedAt - began)) * 1_000;
  return { perSecond, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), endedAt };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** The status of each answer, when all of it is here. */
async function* answersOf(socket: Socket): AsyncGenerator<number> {
  let received: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf(HEAD_END);
    if (end < 0) continue;
    const head = received.toString('latin1', 0, end);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (received.length < end + HEAD_END.length + length) continue;
    received = received.subarray(end + HEAD_END.length + length);
    yield Number(head.slice(9, 12));
  }
}

/** One request as it goes over the wire. */
export function rawRequest(path: string, headers: Record<string, string>, body: string): Buffer {
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(Buffer.byteLength(body)) });
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${body}`,
  );
}
