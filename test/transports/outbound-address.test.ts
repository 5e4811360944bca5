import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reachOf } from '../../src/transports/outbound-address.ts';
import '../support/seed.ts';

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '::1',
  '0:0:0:0:0:0:0:1',
  'fd12:3456::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.1.2.3',
  '64:ff9b::7f00:1',
  '64:ff9b::192.168.0.1',
  '::7f00:1',
])('%s is private', (address) => {
  expect(reachOf(address)).toBe('private');
});

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '169.254.0.1',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  '198.18.0.1',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  '240.0.0.1',
  '::',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'fd00:ec2::254',
  '2002:7f00:1::',
  '2001:0:7f00:1::',
  '2001:db8::1',
  '64:ff9b:1::7f00:1',
  '::ffff:0:7f00:1',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '',
  'localhost',
  '127.1',
  '0x7f.1',
])('%s is nobody’s target', (address) => {
  expect(reachOf(address)).toBe('never');
});

test.each([
  '1.1.1.1',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
  '64:ff9b::808:808',
])('%s is public', (address) => {
  expect(reachOf(address)).toBe('public');
});

test('an IPv4 address is judged alike however it is wrapped', () => {
  const private4 = new BlockList();
  for (const [network, prefix] of [
    ['127.0.0.0', 8],
    ['10.0.0.0', 8],
    ['192.168.0.0', 16],
  ] as const)
    private4.addSubnet(network, prefix, 'ipv4');
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const plain = reachOf(address);
      expect(reachOf(`::ffff:${address}`)).toBe(plain);
      expect(reachOf(`64:ff9b::${address}`)).toBe(plain);
      if (private4.check(address, 'ipv4')) expect(plain).toBe('private');
    }),
  );
});
