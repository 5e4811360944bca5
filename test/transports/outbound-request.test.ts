import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DeliveryFailure } from '../../src/domain/delivery.ts';
import { createOutboundRequest, type OutboundRequestDeps } from '../../src/transports/outbound-request.ts';
import { openCatcher } from '../support/catcher.ts';

type Resolve = NonNullable<OutboundRequestDeps['resolve']>;

const PATIENCE_MS = 10_000;

async function send(url: string, deps: Partial<OutboundRequestDeps> = {}, headers: Record<string, string> = {}) {
  const request = createOutboundRequest({ allowPrivate: () => false, ...deps });
  return request(url, { method: 'POST', headers, body: '{}', signal: AbortSignal.timeout(PATIENCE_MS) });
}

/** How a request is refused for good; a failing look-up of a name that is none also reaches nothing. */
async function refusal(...args: Parameters<typeof send>): Promise<string> {
  const error = await send(...args).then(
    ({ status }) => new Error(`reached something: ${status}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DeliveryFailure);
  expect((error as DeliveryFailure).what).toBe('refused');
  return (error as Error).message;
}

const resolving =
  (...addresses: string[]): Resolve =>
  (_hostname, done) =>
    done(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

describe('nothing inside the machine or its network is reached', () => {
  test.each([
    ['plainly', '127.0.0.1'],
    ['short', '127.1'],
    ['shorter', '127.0.1'],
    ['in hexadecimal', '0x7f.1'],
    ['in hexadecimal as one number', '0x7f000001'],
    ['in octal', '0177.0.0.1'],
    ['as one number', '2130706433'],
    ['with leading zeros', '0127.0.0.1'.replace('0127', '00000177')],
    ['with a dot at the end', '127.0.0.1.'],
    ['elsewhere in its network', '127.8.8.8'],
    ['unspecified', '0.0.0.0'],
    ['as nothing', '0'],
    ['in full-width digits', '１２７.０.０.１'],
    ['with an ideographic full stop', '127。0。0。1'],
    ['percent-encoded', '%31%32%37.0.0.1'],
    ['IPv6', '[::1]'],
    ['IPv6 in full', '[0:0:0:0:0:0:0:1]'],
    ['unspecified IPv6', '[::]'],
    ['mapped', '[::ffff:127.0.0.1]'],
    ['mapped in hexadecimal', '[::ffff:7f00:1]'],
    ['compatible', '[::127.0.0.1]'],
    ['through NAT64', '[64:ff9b::7f00:1]'],
    ['through 6to4', '[2002:7f00:1::]'],
    ['by name', 'localhost'],
    ['by name with a dot', 'localhost.'],
    ['by name in capitals', 'LOCALHOST'],
    ['by name below its name', 'www.localhost'],
  ])('loopback %s', async (_how, host) => {
    const catcher = await openCatcher();
    expect(await refusal(`http://${host}:${catcher.port}/`)).toMatch(/is not a public address/);
    expect(catcher.connections).toBe(0);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://0xa9fea9fe/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
    'http://[fe80::1]/',
    'http://[fd12::1]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ])('%s', async (url) => {
    expect(await refusal(url)).toMatch(/is not a public address/);
  });

  test.each([
    ['a loopback address', ['127.0.0.1']],
    ['an address of the cloud', ['169.254.169.254']],
    ['a mapped one', ['::ffff:127.0.0.1']],
    ['a public one and a private one', ['93.184.216.34', '127.0.0.1']],
    ['a private one and a public one', ['10.0.0.1', '93.184.216.34']],
  ])('a name that means %s', async (_what, addresses) => {
    const catcher = await openCatcher();
    const resolve = resolving(...addresses);
    expect(await refusal(`http://public.example:${catcher.port}/`, { resolve })).toMatch(/is not a public address/);
    expect(catcher.connections).toBe(0);
  });

  test('a name is looked up once, so that it cannot mean something else when the connection is made', async () => {
    const catcher = await openCatcher();
    let looks = 0;
    const resolve: Resolve = (hostname, done) => {
      looks += 1;
      resolving(looks === 1 ? '127.0.0.1' : '203.0.113.1')(hostname, done);
    };
    const answer = await send(`http://rebinding.example:${catcher.port}/`, { resolve, allowPrivate: () => true });
    expect([answer.status, looks, catcher.caught.length]).toEqual([200, 1, 1]);
    expect(await refusal(`http://rebinding.example:${catcher.port}/`, { resolve, allowPrivate: () => true })).toContain(
      '203.0.113.1',
    );
  });

  test('a redirect there is answered, not followed', async () => {
    const inner = await openCatcher();
    const outer = await openCatcher(() => ({ status: 307, headers: { location: `${inner.url}/secret` } }));
    const answer = await send(outer.url, { allowPrivate: () => true });
    expect([answer.status, inner.connections]).toEqual([307, 0]);
  });

  test('metadata of clouds stays out of reach where private addresses are allowed', async () => {
    expect(await refusal('http://169.254.169.254/', { allowPrivate: () => true })).toMatch(/not a public address/);
    expect(await refusal('http://[::]/', { allowPrivate: () => true })).toMatch(/not a public address/);
  });
});

describe('what is no plain URL is refused', () => {
  test.each([
    ['a user', 'http://user@example.com/'],
    ['a password', 'http://user:secret@example.com/'],
    ['a user that looks like a host', 'http://example.com@127.0.0.1/'],
    ['a line break', 'http://example.com/\r\nX-Evil: 1'],
    ['a line break in the host', 'http://exam\nple.com/'],
    ['a tab', 'http://exam\tple.com/'],
    ['a space', 'http://example.com/a b'],
    ['a NUL', 'http://example.com/\0'],
    ['another scheme', 'ftp://example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['no scheme', 'example.com'],
    ['no host', 'http://'],
    ['nothing', ''],
  ])('%s', async (_what, url) => {
    const looked: string[] = [];
    const resolve: Resolve = (hostname, done) => {
      looked.push(hostname);
      done(new Error('no name here'));
    };
    expect(await refusal(url, { resolve })).toMatch(/no absolute http\(s\) URL|user name or password/);
    expect(looked).toEqual([]);
  });

  test.each([
    ['a line break in a header', { 'x-helix-event': 'e-1\r\nx-evil: 1' }],
    ['a header name that is none', { 'x evil': '1' }],
  ])('%s', async (_what, headers) => {
    const catcher = await openCatcher();
    expect(await refusal(catcher.url, { allowPrivate: () => true }, headers)).toMatch(/cannot be made/);
    expect(catcher.caught).toEqual([]);
  });
});

test('a name that cannot be looked up fails, to be tried again', async () => {
  const resolve: Resolve = (_hostname, done) => done(new Error('getaddrinfo EAI_AGAIN x.example'));
  const error = await send('http://x.example/', { resolve }).catch((thrown: unknown) => thrown);
  expect(error).not.toBeInstanceOf(DeliveryFailure);
  expect((error as Error).message).toContain('EAI_AGAIN');
  await expect(send('http://x.example/', { resolve: (_hostname, done) => done(null, []) })).rejects.toThrow(
    'no address',
  );
});

describe('an answer', () => {
  const open = { allowPrivate: () => true };

  test('is given back with its status, its headers and its text', async () => {
    const catcher = await openCatcher(() => ({ status: 422, headers: { 'x-why': 'so' }, body: 'no' }));
    const answer = await send(`${catcher.url}/a?b=c`, open, { 'x-one': '1' });
    expect(answer).toMatchObject({ status: 422, body: 'no', headers: { 'x-why': 'so' } });
    expect(catcher.caught[0]).toMatchObject({ method: 'POST', path: '/a?b=c', body: '{}' });
    expect(catcher.caught[0]?.headers).toMatchObject({ 'x-one': '1', 'content-length': '2' });
  });

  test('is read only to a limit, however long it goes on', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = () => void socket.write('x'.repeat(65_536), (error) => (error ? undefined : more()));
        more();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const answer = await send(`http://127.0.0.1:${port}/`, open);
    expect([answer.status, answer.body.length]).toEqual([200, 65_536]);
  });

  test('that does not come is not waited for longer than the signal says', async () => {
    const catcher = await openCatcher(() => 'nothing');
    const request = createOutboundRequest(open);
    const stop = new AbortController();
    const sent = request(catcher.url, { method: 'POST', headers: {}, body: '', signal: stop.signal });
    sent.catch(() => {});
    await expect.poll(() => catcher.caught.length).toBe(1);
    stop.abort(new Error('late'));
    await expect(sent).rejects.toThrow();
  });

  test('that is no HTTP fails, to be tried again', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}).end('SSH-2.0-nothing\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const error = await send(`http://127.0.0.1:${port}/`, open).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(DeliveryFailure);
  });
});
