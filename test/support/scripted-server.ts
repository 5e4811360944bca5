// The part of a scripted model that does not depend on whose API it speaks: a server on loopback that keeps what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ScriptedModel<Request> = {
  url: string;
  requests: Request[];
  /** Headers of each request. */
  headers: IncomingMessage['headers'][];
  close(): Promise<void>;
};

/** What arrived, and how it is kept. */
export type Asked<Request> = {
  method: string;
  path: string;
  response: ServerResponse;
  /** Notes the request as one to the model. @returns what it asks */
  note(toRequest: (body: Record<string, unknown>) => Request): Request;
};

/** @param path below which the API lies, such as `/v1` */
export async function startScriptedServer<Request>(
  path: string,
  handle: (asked: Asked<Request>) => Promise<void>,
): Promise<ScriptedModel<Request>> {
  const requests: Request[] = [];
  const headers: IncomingMessage['headers'][] = [];
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    await handle({
      method: request.method ?? '',
      path: new URL(request.url ?? '/', 'http://localhost').pathname,
      response,
      note(toRequest) {
        headers.push(request.headers);
        const asked = toRequest(JSON.parse(text));
        requests.push(asked);
        return asked;
      },
    });
  }
  const server = createServer((request, response) => {
    void take(request, response).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    requests,
    headers,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
