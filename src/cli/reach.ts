import type { AddressInfo } from 'node:net';
import { type Address, defaultPublicUrl, localUrl } from './address.ts';

/** Where the daemon is reached; with port 0 that is known once it listens. */
export function createReach({ address, publicUrl }: { address: Address; publicUrl?: string }) {
  let { port } = address;
  return {
    bind(bound: AddressInfo) {
      port = bound.port;
    },
    port: () => port,
    url: () => localUrl({ ...address, port }),
    publicUrl: () => publicUrl ?? defaultPublicUrl({ ...address, port }),
  };
}

/** Under which names, and through which proxies, requests are taken. */
export function hostsOf({ publicUrl, publicUi = false, allowedHosts = [], trustProxy }: HostOptions) {
  return {
    allowedHosts: () => allowedHosts,
    publicHost: () => (publicUrl === undefined ? undefined : new URL(publicUrl).host),
    publicUi,
    ...(trustProxy === undefined ? {} : { trustProxy }),
  };
}

type HostOptions = { publicUrl?: string; publicUi?: boolean; allowedHosts?: string[]; trustProxy?: string };
