// Who the request was meant for. A page in somebody's browser can be made to call this daemon under a name of its own (DNS
// rebinding), so a request is served only under names we know, and from pages that came from one.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from './refusal.ts';

/**
 * From where a route may be reached: `anywhere` for probes, `inbound` for what providers send through the public address,
 * `home` (the default) for everything that is ours alone.
 */
export type Reach = 'anywhere' | 'inbound' | 'home';

declare module 'fastify' {
  interface FastifyContextConfig {
    reach?: Reach;
  }
}

export type HostDeps = {
  /** Host names beyond loopback and the bound address under which everything is served. */
  allowedHosts(): string[];
  /** The host under which the internet reaches this daemon; only inbound routes are served there. */
  publicHost(): string | undefined;
  /** Serves everything under the public host as well. */
  publicUi?: boolean;
};

/** Checks Host and Origin before anything else is looked at, for every route there is or will be. */
export function guardHosts(app: FastifyInstance, deps: HostDeps): void {
  const reachOf = (host: string | undefined): Reach | undefined => {
    if (host === undefined) return undefined;
    if (isLoopback(host) || host === boundHost(app) || deps.allowedHosts().some((name) => hostName(name) === host))
      return 'home';
    const publicHost = deps.publicHost();
    if (publicHost === undefined || hostName(publicHost) !== host) return undefined;
    return deps.publicUi ? 'home' : 'inbound';
  };
  app.addHook('onRequest', (request, _reply, done) => {
    check(request);
    done();
  });

  function check(request: FastifyRequest): void {
    const wanted = routeReach(request);
    if (wanted === 'anywhere') return;
    const { host, origin } = request.headers;
    const served = reachOf(hostName(host ?? ''));
    if (served === undefined) throw new Refusal(403, unknownHost(host ?? ''));
    if (served === 'inbound' && wanted !== 'inbound') throw new Refusal(403, INBOUND_ONLY);
    if (origin === undefined) return;
    const from = reachOf(originName(origin));
    if (from === undefined || (from === 'inbound' && wanted !== 'inbound')) {
      throw new Refusal(403, `Pages of ${JSON.stringify(origin.slice(0, 100))} may not call this daemon.`);
    }
  }
}

/** Whether a form was sent by a page of ours: the cookie alone does not prove it, since other ports of this host share it. */
export function isOwnOrigin({ headers }: FastifyRequest): boolean {
  return (
    headers.origin !== undefined &&
    headers.host !== undefined &&
    originHost(headers.origin) === headers.host.toLowerCase()
  );
}

const INBOUND_ONLY =
  'This address takes deliveries from outside only. Use the local address for everything else, or start the daemon with --public-ui.';

/** Whether two Host headers name the same, whatever the ports. */
export function isSameHost(one: string | undefined, other: string | undefined): boolean {
  const name = hostName(one ?? '');
  return name !== undefined && name === hostName(other ?? '');
}

function unknownHost(host: string): string {
  const name = JSON.stringify(host.slice(0, 100));
  return `This daemon does not answer to the host ${name}; use localhost, or start it with --allow-host.`;
}

export function routeReach(request: FastifyRequest): Reach {
  return request.routeOptions.config?.reach ?? 'home';
}

/** A Host header's name in lower case, without port and closing dot; undefined when it is none. */
function hostName(header: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(:\d{1,5})?$/.exec(header.toLowerCase());
  return match?.[1];
}

function originName(origin: string): string | undefined {
  const host = originHost(origin);
  return host === undefined ? undefined : hostName(host);
}

const originHost = (origin: string): string | undefined => /^https?:\/\/([^/?#@]+)$/.exec(origin.toLowerCase())?.[1];

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** The address the server listens on, as a Host header names it; none for "every interface". */
function boundHost(app: FastifyInstance): string | undefined {
  const address = app.server.address();
  if (address === null || typeof address === 'string') return undefined;
  if (address.address === '0.0.0.0' || address.address === '::') return undefined;
  return address.family === 'IPv6' ? `[${address.address}]` : address.address;
}
