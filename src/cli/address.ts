// The address a daemon binds, as a person writes it, and the URLs that follow from it.
import { isIP } from 'node:net';
import { invalid } from '../domain/errors.ts';

export type Address = { host: string; port: number };

const EVERY_INTERFACE = '0.0.0.0';
const LOOPBACK = '127.0.0.1';

/**
 * `127.0.0.1:8080`, `[::1]:8080`, `8080` (loopback), `:8080` (every interface).
 * @throws OrgError invalid
 */
export function parseAddress(text: string): Address {
  const match = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]]*):)?(?<port>\d{1,5})$/.exec(text.trim());
  const port = Number(match?.groups?.port);
  if (!match || port > 65_535) {
    throw invalid(
      `${JSON.stringify(text)} is no address to listen on; write it like 127.0.0.1:8080, [::1]:8080 or :8080.`,
    );
  }
  const host = match.groups?.host;
  if (host === undefined || host === 'localhost') return { host: LOOPBACK, port };
  return { host: host === '' ? EVERY_INTERFACE : host.replace(/^\[|\]$/g, ''), port };
}

/**
 * Addresses and networks of proxies, such as `172.16.0.0/12,::1`, or the names `loopback`, `linklocal` and `uniquelocal`.
 * @returns them as they were given, which Fastify understands
 * @throws OrgError invalid
 */
export function parseProxies(text: string): string {
  const wrong = text.split(',').find((part) => !isNetwork(part.trim()));
  if (wrong === undefined) return text;
  throw invalid(`${JSON.stringify(wrong)} is no address of a proxy; write it like 10.0.0.7 or 172.16.0.0/12.`);
}

function isNetwork(text: string): boolean {
  if (/^(loopback|linklocal|uniquelocal)$/.test(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && most > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}

/** Whether others than this machine can reach it. */
export const isWide = ({ host }: Address): boolean => !/^(127\.\d+\.\d+\.\d+|::1)$/.test(host);

/** How processes on this machine reach a daemon that listens there. */
export function localUrl({ host, port }: Address): string {
  const reachable = host === EVERY_INTERFACE ? LOOPBACK : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** How people reach it, unless --public-url says otherwise. */
export const defaultPublicUrl = ({ port }: Address): string => `http://localhost:${port}`;
