// Which addresses a Stream may reach. A Worker chooses the URL, so what lies inside the machine and its network must not
// answer to it (https://www.iana.org/assignments/iana-ipv4-special-registry and its counterpart for IPv6).
import { BlockList, isIPv4, isIPv6 } from 'node:net';

type Ranges = { ipv4: [string, number][]; ipv6: [string, number][] };

/** Loopback and networks of one's own: reachable where the owner says so. */
const PRIVATE = listOf({
  ipv4: [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ],
  ipv6: [
    ['::1', 128],
    ['fc00::', 7],
  ],
});

/** No target of anybody: metadata of clouds, link-local, unspecified, multicast, reserved, tunnels that hide an address. */
const NEVER = listOf({
  ipv4: [
    ['0.0.0.0', 8],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
    ['169.254.0.0', 16],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ],
  ipv6: [
    ['::', 128],
    ['::ffff:0:0:0', 96],
    ['64:ff9b:1::', 48],
    ['100::', 64],
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
    ['5f00::', 16],
    ['fd00:ec2::254', 128],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ],
});

/** Prefixes after which an IPv4 address follows: mapped, compatible, and NAT64 (RFC 4291, RFC 6052). */
const EMBEDDING = listOf({
  ipv4: [],
  ipv6: [
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
    ['::', 96],
  ],
});

export type Reach = 'public' | 'private' | 'never';

/** @param address an IP address as the resolver or a URL gives it, without brackets */
export function reachOf(address: string): Reach {
  const [bare = ''] = address.split('%');
  if (isIPv4(bare)) return listed(bare, 'ipv4');
  if (!isIPv6(bare)) return 'never';
  const own = listed(bare, 'ipv6');
  if (own !== 'public' || !EMBEDDING.check(bare, 'ipv6')) return own;
  return listed(embedded(bare), 'ipv4');
}

function listed(address: string, family: 'ipv4' | 'ipv6'): Reach {
  if (NEVER.check(address, family)) return 'never';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** The last 32 bits as an IPv4 address. */
function embedded(address: string): string {
  // The URL parser writes any spelling in groups of hexadecimal digits.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = '', right = ''] = groups.split('::');
  const count = (text: string) => (text === '' ? [] : text.split(':'));
  const all = groups.includes('::')
    ? [...count(left), ...Array<string>(8 - count(left).length - count(right).length).fill('0'), ...count(right)]
    : count(left);
  const bytes = all.slice(6).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return bytes.join('.');
}

function listOf({ ipv4, ipv6 }: Ranges): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ipv4) list.addSubnet(network, prefix, 'ipv4');
  for (const [network, prefix] of ipv6) list.addSubnet(network, prefix, 'ipv6');
  return list;
}
