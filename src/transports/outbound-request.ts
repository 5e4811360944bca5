// The one way by which transports reach addresses that a Worker or a stranger may have chosen.
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { DeliveryFailure, type OutboundRequest } from '../domain/delivery.ts';
import { reachOf } from './outbound-address.ts';

/** All addresses of a name. */
type Resolve = (hostname: string, done: (error: Error | null, addresses?: LookupAddress[]) => void) => void;

export type OutboundRequestDeps = {
  /** Whether the owner lets Streams reach this machine and its network. */
  allowPrivate(): boolean;
  resolve?: Resolve;
};

/** Kept of an answer; what comes after is not waited for. */
const ANSWER_BYTES_MAX = 65_536;

const system: Resolve = (hostname, done) => systemLookup(hostname, { all: true, verbatim: true }, done);

/**
 * Sends one request on a connection of its own. The address is checked in the lookup that the connection uses, so a name
 * cannot mean one thing to the check and another to the connection.
 */
export function createOutboundRequest({ allowPrivate, resolve = system }: OutboundRequestDeps): OutboundRequest {
  const checked: LookupFunction = (hostname, options, done) =>
    resolve(hostname, (error, addresses = []) => {
      const problem = error ?? addresses.map(({ address }) => refusal(hostname, address, allowPrivate())).find(Boolean);
      const [first] = addresses;
      if (problem || !first) return done(problem ?? new Error(`${hostname} has no address`), []);
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  return async (url, { method, headers, body, signal }) => {
    const target = checkTarget(url);
    const literal = literalOf(target.hostname);
    // Such a host needs no lookup, so none is asked.
    const problem = isIP(literal) ? refusal(target.hostname, literal, allowPrivate()) : undefined;
    if (problem) throw problem;
    const bytes = Buffer.from(body);
    return exchange(target, bytes, {
      method,
      headers: { 'user-agent': 'helix-org', ...headers, 'content-length': bytes.length },
      signal,
      lookup: checked,
      agent: false,
    });
  };
}

/** @throws DeliveryFailure refused */
function checkTarget(url: string): URL {
  // The parser would take line breaks and tabs out, and so mean something else than what was looked at.
  const target = /[\0- \x7f]/.test(url) ? null : URL.parse(url);
  if (!target || !/^https?:$/.test(target.protocol) || target.hostname === '')
    throw new DeliveryFailure('refused', 'the target is no absolute http(s) URL');
  if (target.username !== '' || target.password !== '')
    throw new DeliveryFailure('refused', 'the target URL holds a user name or password, which is not sent');
  return target;
}

/** The address that a host is by itself; names of this machine are known without asking anybody (RFC 6761, section 6.3). */
function literalOf(hostname: string): string {
  return /(^|\.)localhost\.?$/.test(hostname) ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '');
}

function refusal(host: string, address: string, allowPrivate: boolean): DeliveryFailure | undefined {
  const reach = reachOf(address);
  if (reach === 'public' || (reach === 'private' && allowPrivate)) return undefined;
  const advice = reach === 'private' ? '; the owner may set outbound.allow_private' : '';
  const where = host === address ? address : `${host} (${address})`;
  return new DeliveryFailure('refused', `${where} is not a public address${advice}`);
}

async function exchange(target: URL, body: Buffer, options: RequestOptions): ReturnType<OutboundRequest> {
  // With the first request: to import this module loads all that it could export, such as fetch, which takes 20 ms.
  const { request: send } = await (target.protocol === 'https:' ? import('node:https') : import('node:http'));
  return new Promise((resolve, reject) => {
    const sent = sendOrRefuse(() =>
      send(target, options, (answer) => {
        const read = bounded(answer, (text) => {
          resolve({ status: answer.statusCode ?? 0, headers: flat(answer), body: text });
          sent.destroy();
        });
        answer.on('data', read.take).on('end', read.end).on('error', reject);
      }),
    );
    sent.on('error', reject);
    // Interim answers and upgrades are nothing a delivery asked for.
    sent.on('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new DeliveryFailure('refused', 'the target wants to speak another protocol'));
    });
    sent.end(body);
  });
}

/** Headers with line breaks and the like are our own mistake, so trying again would not help. */
function sendOrRefuse<T>(send: () => T): T {
  try {
    return send();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new DeliveryFailure('refused', `the request cannot be made: ${cause.message}`);
  }
}

function bounded(answer: IncomingMessage, done: (text: string) => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  const end = () => done(Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString());
  return {
    take(chunk: Buffer) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < ANSWER_BYTES_MAX) return;
      answer.removeAllListeners('end');
      answer.destroy();
      end();
    },
    end,
  };
}

function flat({ headers }: IncomingMessage): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return Object.fromEntries(entries);
}
