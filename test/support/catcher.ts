// Somebody's server, for what leaves: it keeps what it gets and answers as the test says.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Caught = {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
};

export type Answer = { status?: number; headers?: Record<string, string>; body?: string } | 'nothing';

export type Catcher = Awaited<ReturnType<typeof openCatcher>>;

/** @param answer for each request, counted from 0; `nothing` leaves the sender waiting. Without it, 200. */
export async function openCatcher(answer: (caught: Caught, n: number) => Answer | Promise<Answer> = () => ({})) {
  const caught: Caught[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
      caught.push(one);
      void Promise.resolve(answer(one, caught.length - 1)).then((said) => say(response, said));
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    caught,
    get connections() {
      return connections;
    },
    bodies: () => caught.map(({ body }) => (JSON.parse(body) as { body: string }).body),
    close,
  };
}

function say(response: ServerResponse, answer: Answer): void {
  if (answer === 'nothing') return;
  response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '');
}
