import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RawRequest } from '../../src/transports/transport.ts';
import { isGenuine, makeSecret } from '../../src/transports/webhook-signature.ts';

type Headers = Record<string, string>;

const request = (headers: Headers, body: string | Uint8Array, at = '2026-11-21T10:00:00Z'): RawRequest => ({
  method: 'POST',
  path: '/webhooks/s-in',
  query: '',
  headers,
  body: Buffer.from(body as string),
  at: new Date(at),
});

// The published example of the Standard Webhooks libraries.
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"test": 2432232314}';
const AT = '2021-02-25T15:02:10Z';
const EXAMPLE: Headers = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const check = (headers: Headers, { body = BODY, secrets = [SECRET], at = AT } = {}) =>
  isGenuine(request(headers, body, at), secrets);

describe('Standard Webhooks', () => {
  test('accepts the published example', () => {
    expect(check(EXAMPLE)).toBe(true);
  });

  test('accepts one good signature among others and other versions', () => {
    const good = EXAMPLE['webhook-signature'];
    expect(check({ ...EXAMPLE, 'webhook-signature': `v1a,abc v1,AAAA ${good} v2,zzz` })).toBe(true);
  });

  test('accepts either of two secrets while one replaces the other', () => {
    expect(check(EXAMPLE, { secrets: [makeSecret(), SECRET] })).toBe(true);
    expect(check(EXAMPLE, { secrets: [SECRET, makeSecret()] })).toBe(true);
    expect(check(EXAMPLE, { secrets: [makeSecret(), makeSecret()] })).toBe(false);
    expect(check(EXAMPLE, { secrets: [] })).toBe(false);
  });

  test.each([
    ['just in time before', '2021-02-25T14:57:10Z', true],
    ['just in time after', '2021-02-25T15:07:10Z', true],
    ['too early', '2021-02-25T14:57:09Z', false],
    ['too late', '2021-02-25T15:07:11Z', false],
  ])('minds the five minutes: %s', (_name, at, genuine) => {
    expect(check(EXAMPLE, { at })).toBe(genuine);
  });

  test.each<[string, Headers]>([
    ['another id', { 'webhook-id': 'msg_other' }],
    ['another time', { 'webhook-timestamp': '1614265331' }],
    ['a time that is no number', { 'webhook-timestamp': '1614265330.0' }],
    ['a negative time', { 'webhook-timestamp': '-1614265330' }],
    ['an empty time', { 'webhook-timestamp': '' }],
    ['no id', { 'webhook-id': '' }],
    ['an empty signature', { 'webhook-signature': '' }],
    ['a version alone', { 'webhook-signature': 'v1,' }],
    ['no version', { 'webhook-signature': 'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }],
    ['another version', { 'webhook-signature': 'v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }],
    ['a longer signature', { 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OEAAA==' }],
    ['a shorter signature', { 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt' }],
    ['nonsense', { 'webhook-signature': 'v1,%%%' }],
  ])('refuses %s', (_name, headers) => {
    expect(check({ ...EXAMPLE, ...headers })).toBe(false);
  });

  test('refuses another body', () => {
    expect(check(EXAMPLE, { body: BODY.replace('4', '5') })).toBe(false);
  });

  test('refuses a request without any of it', () => {
    expect(check({})).toBe(false);
  });
});

describe('X-Hub-Signature-256', () => {
  // The published example of GitHub's documentation.
  const secret = "It's a Secret to Everybody";
  const body = 'Hello, World!';
  const good = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const hub = (value: string, bytes: string | Uint8Array = body) =>
    isGenuine(request({ 'x-hub-signature-256': value }, bytes), [secret]);

  test('accepts the published example', () => {
    expect(hub(`sha256=${good}`)).toBe(true);
    expect(hub(`sha256=${good.toUpperCase()}`)).toBe(true);
  });

  test('is over the bytes, whatever they are', () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0xc3, 0x28);
    expect(hub(`sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`, bytes)).toBe(true);
  });

  test.each([
    ['sha1', `sha1=${good}`],
    ['no algorithm', good],
    ['a shortened digest', `sha256=${good.slice(0, 62)}`],
    ['a lengthened digest', `sha256=${good}00`],
    ['another digest', `sha256=${good.replace('7', '8')}`],
    ['no digest', 'sha256='],
    ['nonsense', 'sha256=zz'],
    ['nothing', ''],
  ])('refuses %s', (_name, value) => {
    expect(hub(value)).toBe(false);
  });

  test('takes the secret as it is shown', () => {
    const made = makeSecret();
    const value = `sha256=${createHmac('sha256', made).update('x').digest('hex')}`;
    expect(isGenuine(request({ 'x-hub-signature-256': value }, 'x'), [made])).toBe(true);
  });
});

test('a new secret is 24 random bytes in the form of Standard Webhooks', () => {
  expect(Buffer.from(makeSecret().replace(/^whsec_/, ''), 'base64')).toHaveLength(24);
  expect(makeSecret()).not.toBe(makeSecret());
});
