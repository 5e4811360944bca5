import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrgError } from '../../src/domain/errors.ts';
import { decodeMessage } from '../../src/domain/message.ts';
import { transportInfo } from '../../src/http/transport-info.ts';
import { transports } from '../../src/transports/catalog.ts';
import type { RawRequest } from '../../src/transports/transport.ts';
import { webhook } from '../../src/transports/webhook.ts';
import '../support/seed.ts';

type Given = { body: string | Uint8Array; type?: string; headers?: Record<string, string>; query?: string };

const request = ({ body, type, headers = {}, query = '' }: Given): RawRequest => ({
  method: 'POST',
  path: '/webhooks/s-in',
  query,
  headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
  body: Buffer.from(body as string),
  at: new Date(),
});

function receive(given: Given) {
  const [inbound] = webhook.receive.handle(request(given), [{ id: 's-in', config: {}, secrets: [] }]);
  const parts = new Map(inbound?.content.map(({ name, bytes }) => [name, bytes]));
  const message = decodeMessage(parts.get('message') ?? new Uint8Array());
  return { inbound, message, raw: parts.get('raw'), parts: [...parts.keys()] };
}

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof OrgError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
};

describe('a body that is text', () => {
  test.each([
    ['plain words', 'hello', 'text/plain'],
    ['every plane of Unicode', 'žluťoučký 漢字 \u{1f600} \u202e e\u0301', 'text/plain; charset=utf-8'],
    ['a byte order mark', '\ufeffhello', 'text/plain'],
    ['line ends and tabs', 'a\r\nb\n\tc\r', undefined],
    ['JSON, which stays a string', '{"n":12345678901234567890,  "a": 1.0}', 'text/plain'],
    ['a form', 'a=1&b=%20', 'application/x-www-form-urlencoded'],
    ['bytes of no declared kind', 'hello', 'application/octet-stream'],
  ])('A131: %s is kept verbatim', (_name, body, type) => {
    const { message, parts } = receive({ body, ...(type === undefined ? {} : { type }) });
    expect(message?.body).toBe(body);
    expect(message).not.toHaveProperty('body_content_type');
    expect(parts).toEqual(['message']);
  });

  test.each([
    ['application/json', 'application/json', '{"a":1}'],
    ['Application/JSON; charset=UTF-8', 'application/json', '{}'],
    ['text/html', 'text/html', '<b>x</b>'],
    ['text/markdown', 'text/markdown', '# x'],
    ['image/svg+xml', 'image/svg+xml', '<svg/>'],
    ['multipart/form-data; boundary=x', 'multipart/form-data', '--x\r\n\r\n--x--'],
    ['garbage;;', 'garbage', 'x'],
  ])('of type %s says so', (type, shown, body) => {
    const { message } = receive({ body, type });
    expect(message).toMatchObject({ body, body_content_type: shown, extra: { content_type: type } });
  });

  test('in another charset is decoded, and its bytes are kept beside it', () => {
    const bytes = Uint8Array.of(0x47, 0x72, 0xfc, 0xdf, 0x65);
    const { message, raw } = receive({ body: bytes, type: 'text/plain; charset=iso-8859-1' });
    expect(message?.body).toBe('Grüße');
    expect(raw).toEqual(Buffer.from(bytes));
  });
});

describe('a body that is not text', () => {
  test.each([
    ['broken UTF-8', Uint8Array.of(0x61, 0xc3, 0x28), 'text/plain', 'text/plain'],
    ['zero bytes', Uint8Array.of(0x61, 0, 0x62), 'application/octet-stream', 'application/octet-stream'],
    ['broken UTF-8 of no type', Uint8Array.of(0xff), undefined, 'application/octet-stream'],
    ['a charset nobody knows', Uint8Array.of(0xff), 'text/plain; charset=klingon', 'text/plain'],
    ['an image whose bytes happen to be text', Buffer.from('GIF'), 'image/gif', 'image/gif'],
    ['a compressed body', Uint8Array.of(0x1f, 0x8b, 0x08), 'application/gzip', 'application/gzip'],
  ])('%s becomes base64, and its bytes are kept beside it', (_name, body, type, shown) => {
    const { message, raw } = receive({ body, ...(type === undefined ? {} : { type }) });
    expect(message).toMatchObject({
      body: Buffer.from(body).toString('base64'),
      body_content_type: shown,
      extra: { encoding: 'base64' },
    });
    expect(raw).toEqual(Buffer.from(body));
  });
});

describe('a form', () => {
  const multipart = (lines: string[]) =>
    receive({ body: lines.join('\r\n'), type: 'multipart/form-data; boundary="x y"' });

  test('that is urlencoded keeps its text, and has its fields beside it', () => {
    const { message } = receive({ body: 'a=1&b=%C3%BC+x&a=2', type: 'application/x-www-form-urlencoded' });
    expect(message).toMatchObject({ body: 'a=1&b=%C3%BC+x&a=2', extra: { form: { a: ['1', '2'], b: 'ü x' } } });
  });

  test.each(['hello', 'a b=c', '=x', 'a&b=1', '{"a":"b=c"}', `${'a=1&'.repeat(1_000)}a=1`])(
    'that is only called one has no fields: %.20s',
    (body) => {
      const { message } = receive({ body, type: 'application/x-www-form-urlencoded' });
      expect(message?.body).toBe(body);
      expect(message?.extra).not.toHaveProperty('form');
    },
  );

  test('with files says what they are, and keeps them and the whole beside it', () => {
    const { message, parts, raw, inbound } = multipart([
      '--x y',
      'Content-Disposition: form-data; name="who"',
      '',
      'Zoë',
      '--x y',
      'Content-Disposition: form-data; name="scan"; filename="a %22b%22.png"',
      'Content-Type: image/png',
      '',
      '\x89PNG\r\n--x',
      '--x y',
      'content-disposition: form-data; filename=plain.txt; name=note',
      '',
      '',
      '--x y--',
      '',
    ]);
    expect(message).toMatchObject({
      body: 'who: Zoë',
      attachments: [
        { filename: 'a "b".png', content_type: 'image/png', size_bytes: 10 },
        { filename: 'plain.txt', size_bytes: 0 },
      ],
      extra: { form: { who: 'Zoë' }, content_type: 'multipart/form-data; boundary="x y"' },
    });
    expect(message).not.toHaveProperty('body_content_type');
    expect(parts).toEqual(['message', 'attachment-1', 'attachment-2', 'raw']);
    expect(raw?.length).toBeGreaterThan(200);
    expect(Buffer.from(inbound?.content[1]?.bytes ?? []).toString()).toBe('\x89PNG\r\n--x');
  });

  test.each([
    ['no boundary in the body', ['hello']],
    ['a part without a name for its kind', ['--x y', 'Content-Type: text/plain', '', 'x', '--x y--']],
    ['no end', ['--x y', 'Content-Disposition: form-data; name="a"', '', 'x']],
    ['too many parts', [...Array(201).fill('--x y\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'), '--x y--']],
  ])('that is broken (%s) is kept as it came', (_what, lines) => {
    const { message } = multipart(lines as string[]);
    expect(message?.body).toBe((lines as string[]).join('\r\n'));
  });

  test('whatever its bytes are, is read or kept, never refused', () => {
    const piece = fc.constantFrom(
      '--x',
      '--x--',
      '\r\n',
      '\r\n\r\n',
      'Content-Disposition: form-data; name="a"',
      '; filename="b"',
      '"',
      '\\',
      'é',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        fc.pre(pieces.join('') !== '');
        const { message } = receive({ body: pieces.join(''), type: 'multipart/form-data; boundary=x' });
        expect(message).toBeDefined();
      }),
    );
  });
});

describe('where it comes from', () => {
  const origin = (headers: Record<string, string>) => receive({ body: 'x', headers }).inbound?.origin;

  test('is said by what another Stream sends along', () => {
    expect(origin({})).toBeUndefined();
    expect(origin({ 'x-helix-event': 'e-1', 'x-helix-hops': '3' })).toEqual({ eventId: 'e-1', hops: 3 });
    expect(origin({ 'x-helix-hops': '9999' })).toEqual({ hops: 1_000 });
  });

  test.each(['', '-5', '1e9', 'many', '99999999999'])(
    'counts at least as an AI Worker’s, whatever it claims: %s',
    (hops) => {
      expect(origin({ 'x-helix-hops': hops })).toEqual({ hops: 0 });
    },
  );
});

describe('what comes with the body', () => {
  test('is kept as far as it is nobody’s secret', () => {
    const headers = {
      'user-agent': 'curl/8',
      'x-request-id': 'r1',
      'x-github-event': 'push',
      'x-shopify-topic': 'orders/create',
      'x-gitlab-delivery': 'd1',
      authorization: 'Bearer secret',
      cookie: 'a=secret',
      'x-api-key': 'secret',
      'webhook-signature': 'v1,secret',
      'x-forwarded-for': '10.0.0.1',
    };
    const { message } = receive({ body: 'x', headers, query: 'a=1&b=2' });
    expect(message?.extra).toEqual({
      headers: {
        'user-agent': 'curl/8',
        'x-request-id': 'r1',
        'x-github-event': 'push',
        'x-shopify-topic': 'orders/create',
        'x-gitlab-delivery': 'd1',
      },
      query: 'a=1&b=2',
    });
    expect(JSON.stringify(message)).not.toContain('secret');
  });

  test('leaves nothing behind when there is nothing', () => {
    expect(receive({ body: 'x' }).message).toEqual({ body: 'x' });
  });

  test('may name the delivery; the signed name wins over the sender’s own', () => {
    const delivery = (headers: Record<string, string>) => receive({ body: 'x', headers }).inbound?.delivery;
    expect(delivery({})).toBeUndefined();
    expect(delivery({ 'idempotency-key': 'k1' })).toEqual({ provider: 'idempotency-key', key: 'k1', ownKey: true });
    expect(delivery({ 'idempotency-key': 'k1', 'webhook-id': 'm1' })).toEqual({
      provider: 'webhook-id',
      key: 'm1',
      ownKey: false,
    });
    expect(refusal(() => delivery({ 'idempotency-key': 'k'.repeat(256) }))).toBe(
      'invalid: idempotency-key is longer than 255 characters',
    );
  });
});

test('A133: an empty body is refused', () => {
  expect(refusal(() => receive({ body: '' }))).toBe('invalid: body is empty');
});

describe('the config', () => {
  const info = (kind: string) =>
    transportInfo(
      transports.get(kind)!,
      () => 'https://org.example/',
      () => undefined,
    );

  test.each(['https://x.example', 'http://x.example:8080/a?b=c#d', 'https://x.example/%0d', 'HTTPS://X.example/ü'])(
    'takes %s to send to',
    (url) => {
      expect(info('webhook').checkConfig({ outbound_url: url })).toEqual({ outbound_url: url });
    },
  );

  test('has a secret where something is signed, in or out', () => {
    const signs = (config: Record<string, unknown>) => info('webhook').signs(config);
    expect([signs({}), signs({ secret: true }), signs({ outbound_url: 'https://x.example' })]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('takes secret: true or nothing', () => {
    expect(info('webhook').checkConfig({})).toEqual({});
    expect(info('webhook').checkConfig({ secret: true })).toEqual({ secret: true });
  });

  test.each([
    [{ secret: 'hunter2' }, /true or false, never the secret itself: pass secret: true; the daemon makes one$/],
    [{ colour: 'blue', size: 1 }, /^webhook config has no "colour", "size" \(valid: "outbound_url", "secret"\)$/],
    [{ outbound_url: 7 }, /^parse webhook config: outbound_url must be a string$/],
    [{ outbound_url: '/relative' }, /^outbound_url must be an absolute http\(s\) URL, got "\/relative"$/],
    [{ outbound_url: 'ftp://x.example/' }, /^outbound_url must be an absolute http\(s\) URL, got "ftp:/],
    [{ outbound_url: '' }, /^outbound_url must be an absolute http\(s\) URL, got ""$/],
    [{ outbound_url: 'http://' }, /^outbound_url has no host: "http:\/\/"$/],
    [{ outbound_url: 'https:///path' }, /^outbound_url has no host: /],
    [{ outbound_url: 'http:x.example' }, /^outbound_url has no host: /],
    [{ outbound_url: 'http://[::1' }, /^outbound_url: "http:\/\/\[::1" cannot be parsed as a URL$/],
    [{ outbound_url: 'http://x.example/\r\nX-Evil: 1' }, /^outbound_url: .* holds a space or a control character$/],
    [{ outbound_url: 'https://user:hunter2@x.example/' }, /^outbound_url must not hold a user name or password/],
  ])('refuses %j with a sentence', (config, sentence) => {
    const message = refusal(() => info('webhook').checkConfig(config));
    expect(message.replace('invalid: ', '')).toMatch(sentence);
    expect(message).not.toContain('hunter2');
  });

  test('of a local Stream means nothing', () => {
    expect(info('local').checkConfig({ whatever: 1 })).toEqual({});
    expect(info('local').describeInbound).toBeUndefined();
  });

  test('says where to post, and how to sign', () => {
    const describe = (config: Record<string, unknown>) =>
      info('webhook').describeInbound?.('s-in', { kind: 'webhook', config });
    expect(describe({})).toEqual({
      url: 'https://org.example/webhooks/s-in',
      curl: "curl -d 'hello' 'https://org.example/webhooks/s-in'",
    });
    expect(describe({ secret: true })?.curl).toContain('X-Hub-Signature-256: sha256=$(printf');
  });
});

test('transports are named in this order', () => {
  const order = ['local', 'webhook', 'email', 'github', 'cron'];
  expect([...transports.keys()]).toEqual(order.filter((kind) => transports.has(kind)));
});
