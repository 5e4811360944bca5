// What a demo puts in the place of the world outside: HTTP servers on loopback, and programs on the agents' search path.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type OutsideRequest = {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
};

/** `body` is sent as it stands when it is a text, else as JSON. Without a status, 200. */
export type OutsideAnswer = { status?: number; headers?: Record<string, string>; body?: unknown } | undefined;

export type Listening = {
  url: string;
  port: number;
  /** Everything that was asked so far, oldest first. */
  requests: OutsideRequest[];
};

/** Given to a demo's `outside(scene)`. */
export type Scene = {
  /** Whether the demo runs with the real world outside, so that nothing is to be put in its place. */
  isLive: boolean;
  environment: NodeJS.ProcessEnv;
  /** Starts a server on a free port of loopback; it ends with the demo. */
  listen(answer: (request: OutsideRequest) => OutsideAnswer | Promise<OutsideAnswer>): Promise<Listening>;
  /** A temporary folder of the demo, beside the data directory. */
  directory: string;
  /** Puts a program of this name, which is the given script of Node's, first on the search path of the agents. */
  program(name: string, script: string | URL): void;
  /** Tells the person who watches what happens outside. */
  say(text: string): void;
};

export type OpenScene = Scene & {
  /** The search path with the programs first; undefined when there are none. */
  path(): string | undefined;
  close(): void;
};

export type SceneOptions = { directory: string; isLive: boolean; say(text: string): void };

export function openScene({ directory, isLive, say }: SceneOptions): OpenScene {
  const servers: { close(): void }[] = [];
  const programs = join(directory, 'programs');
  let hasPrograms = false;
  return {
    isLive,
    environment: process.env,
    directory,
    say,
    async listen(answer) {
      const requests: OutsideRequest[] = [];
      const server = createServer((request, response) => {
        void (async () => {
          const asked = await read(request);
          requests.push(asked);
          const { status = 200, headers = {}, body = '' } = (await answer(asked)) ?? {};
          const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
          response.writeHead(status, { 'content-type': type, ...headers });
          response.end(typeof body === 'string' ? body : JSON.stringify(body));
        })().catch((error: unknown) => response.writeHead(500).end(String(error)));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push({ close: () => server.close().closeAllConnections() });
      const { port } = server.address() as AddressInfo;
      return { url: `http://127.0.0.1:${port}`, port, requests };
    },
    program(name, script) {
      hasPrograms = true;
      mkdirSync(programs, { recursive: true });
      const file = join(programs, name);
      const path = script instanceof URL ? script.pathname : script;
      writeFileSync(file, `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(decodeURIComponent(path))} "$@"\n`);
      chmodSync(file, 0o755);
    },
    path: () => (hasPrograms ? `${programs}:${process.env.PATH ?? ''}` : undefined),
    close() {
      for (const server of servers) server.close();
    },
  };
}

async function read(request: IncomingMessage): Promise<OutsideRequest> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://outside');
  const { method = '', headers } = request;
  return { method, path: pathname, query: searchParams, headers, body: await text(request) };
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
