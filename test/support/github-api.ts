// A GitHub on loopback: the webhooks part of its REST API, which really delivers, and whose failings a test chooses.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { delivery } from './github.ts';

export const TOKEN = 'ghp_test';

type Hook = {
  id: number;
  active: boolean;
  events: string[];
  config: { url: string; content_type: string; secret?: string; insecure_ssl: string };
};
type Attempt = {
  id: number;
  guid: string;
  delivered_at: string;
  redelivery: boolean;
  status: string;
  status_code: number;
  event: string;
  action: string | null;
};

export type FakeGithub = Awaited<ReturnType<typeof startFakeGithub>>;

/** Knows one repository. */
export async function startFakeGithub(repo = 'acme/site') {
  const hooks = new Map<number, Hook>();
  const attempts: Attempt[] = [];
  const bodies = new Map<string, { event: string; body: object }>();
  const requests: string[] = [];
  const commits = new Map<string, string>();
  let ids = 0;

  async function send(hook: Hook, guid: string, redelivery = false): Promise<Attempt> {
    const { event, body } = bodies.get(guid)!;
    const attempt: Attempt = {
      id: ++ids,
      guid,
      delivered_at: new Date(stage.now()).toISOString(),
      redelivery,
      status: 'OK',
      status_code: 0,
      event,
      action: null,
    };
    const sent = delivery({ event, id: guid, body, secret: hook.config.secret ?? '' });
    try {
      if (stage.isCutOff) throw new Error('failed to connect to host');
      const response = await fetch(hook.config.url, { method: 'POST', headers: sent.headers, body: sent.bytes });
      await response.text();
      attempt.status_code = response.status;
      attempt.status = response.statusText;
    } catch (error) {
      attempt.status = (error as Error).message;
    }
    attempts.unshift(attempt);
    return attempt;
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => reply(response, 500, { message: String(error) }));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://fake');
    const given = await text(request);
    requests.push(`${request.method} ${pathname}`);
    const refusal = stage.refuse?.(`${request.method} ${pathname}`);
    if (refusal) return reply(response, refusal.status, refusal.body ?? { message: 'refused' }, refusal.headers);
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return reply(response, 401, { message: 'Bad credentials' });
    const sha = /^\/repos\/[^/]+\/[^/]+\/commits\/(\w+)$/.exec(pathname)?.[1];
    if (sha !== undefined) {
      const message = commits.get(sha);
      return message === undefined
        ? reply(response, 404, { message: 'Not Found' })
        : reply(response, 200, { sha, commit: { message } });
    }
    const [, owner, name, what, id, more, attempt] =
      /^\/repos\/([^/]+)\/([^/]+)\/(hooks)(?:\/(\d+))?(?:\/(\w+))?(?:\/(\d+)\/attempts)?$/.exec(pathname) ?? [];
    if (!what || `${owner}/${name}` !== repo) return reply(response, 404, { message: 'Not Found' });
    const hook = hooks.get(Number(id));
    if (id && !hook) return reply(response, 404, { message: 'Not Found' });
    switch (`${request.method} ${more ?? ''}${id && !more ? ':id' : ''}${attempt ? '/attempts' : ''}`) {
      case 'GET ':
        return page(
          response,
          [...hooks.values()].map((each) => ({ ...each, config: { ...each.config, secret: '********' } })),
          pathname,
          searchParams,
        );
      case 'POST ': {
        const made: Hook = { id: ++ids, ...JSON.parse(given) };
        hooks.set(made.id, made);
        reply(response, 201, made);
        return ping(made);
      }
      case 'PATCH :id':
        Object.assign(hook!, JSON.parse(given));
        return reply(response, 200, hook);
      case 'DELETE :id':
        hooks.delete(hook!.id);
        return reply(response, 204);
      case 'POST pings':
        reply(response, 204);
        return ping(hook!);
      case 'GET deliveries':
        return page(response, attempts, pathname, searchParams);
      case 'POST deliveries/attempts': {
        const { guid } = attempts.find((each) => each.id === Number(attempt))!;
        reply(response, 202, {});
        await send(hook!, guid, true);
        return;
      }
      default:
        return reply(response, 404, { message: 'Not Found' });
    }
  }

  /** As the real one: a moment after it was asked for. */
  async function ping(hook: Hook): Promise<void> {
    const guid = `ping-${++ids}`;
    bodies.set(guid, {
      event: 'ping',
      body: { zen: 'Keep it logically awesome.', hook_id: hook.id, repository: { full_name: repo } },
    });
    await send(hook, guid);
  }

  function page(response: ServerResponse, items: unknown[], path: string, query: URLSearchParams): void {
    const from = Number(query.get('cursor') ?? 0);
    const next = from + stage.pageSize;
    const link = next < items.length ? { link: `<${stage.url}${path}?cursor=${next}>; rel="next"` } : {};
    reply(response, 200, items.slice(from, next), link);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());

  const stage = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hooks,
    attempts,
    requests,
    /** Messages by id. */
    commits,
    pageSize: 100,
    /** Deliveries do not get through. */
    isCutOff: false,
    now: () => Date.now(),
    /** Answers a request, `GET /repos/…`, by a refusal. */
    refuse: undefined as
      | ((request: string) => { status: number; body?: object; headers?: Record<string, string> } | undefined)
      | undefined,
    /** Something happens in the repository. */
    async happen(event: string, body: object): Promise<Attempt[]> {
      const guid = `guid-${++ids}`;
      bodies.set(guid, { event, body });
      const sent: Attempt[] = [];
      for (const hook of hooks.values()) {
        if (hook.active && (hook.events.includes('*') || hook.events.includes(event)))
          sent.push(await send(hook, guid));
      }
      return sent;
    },
  };
  return stage;
}

function reply(response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
