import { expect, test } from 'vitest';
import { defaultPublicUrl, isWide, localUrl, parseAddress } from '../../src/cli/address.ts';

test.each([
  ['127.0.0.1:8080', '127.0.0.1', 8080, 'http://127.0.0.1:8080', false],
  ['8080', '127.0.0.1', 8080, 'http://127.0.0.1:8080', false],
  ['localhost:0', '127.0.0.1', 0, 'http://127.0.0.1:0', false],
  ['[::1]:9000', '::1', 9000, 'http://[::1]:9000', false],
  [':8080', '0.0.0.0', 8080, 'http://127.0.0.1:8080', true],
  ['0.0.0.0:8080', '0.0.0.0', 8080, 'http://127.0.0.1:8080', true],
  ['[::]:8080', '::', 8080, 'http://[::1]:8080', true],
  ['192.168.1.5:80', '192.168.1.5', 80, 'http://192.168.1.5:80', true],
  ['office.lan:80', 'office.lan', 80, 'http://office.lan:80', true],
])('%s is %s port %i, reached at %s', (text, host, port, url, wide) => {
  const address = parseAddress(text);
  expect(address).toEqual({ host, port });
  expect(localUrl(address)).toBe(url);
  expect(isWide(address)).toBe(wide);
});

test.each(['', 'here', '127.0.0.1', '127.0.0.1:', '1.2.3.4:99999', '::1:80', 'http://a:1', '[::1]'])(
  '%j is no address',
  (text) => {
    expect(() => parseAddress(text)).toThrow('is no address to listen on; write it like 127.0.0.1:8080');
  },
);

test('without --public-url the outside is told http://localhost and the port of --addr (A5)', () => {
  expect(defaultPublicUrl(parseAddress('127.0.0.1:9999'))).toBe('http://localhost:9999');
  expect(defaultPublicUrl(parseAddress(':8080'))).toBe('http://localhost:8080');
});
