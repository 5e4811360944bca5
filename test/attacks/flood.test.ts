// Too much, too slow, too often.
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../support/daemon.ts';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
const sockets: Socket[] = [];
const open = (options: Parameters<typeof openTestDaemon>[0] = {}) => openTestDaemon(options);
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await daemon.close();
});

const dial = () => {
  const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  const got = { text: '', closed: false };
  socket.on('data', (bytes) => {
    got.text += bytes.toString('latin1');
  });
  socket.on('close', () => {
    got.closed = true;
  });
  return { socket, got };
};

describe('a request that is too large', () => {
  beforeEach(async () => {
    daemon = await open();
    await daemon.call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
  });

  test.each([
    ['/webhooks/s-in', {}, 1_048_577, 413],
    ['/control/status', { token: true }, 1_048_577, 413],
    ['/workers/w-owner/mcp', { token: true }, 40_000_000, 413],
    // Who it is comes before what they send.
    ['/workers/w-owner/mcp', {}, 40_000_000, 401],
    ['/control/status', {}, 40_000_000, 401],
    ['/ui/do/create_role', {}, 40_000_000, 403],
  ])('%s %j of %i bytes is refused', async (path, { token }: { token?: boolean }, bytes, status) => {
    const { socket, got } = dial();
    const auth = token ? `Authorization: Bearer ${daemon.token()}\r\n` : '';
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${bytes}\r\n\r\n`,
    );
    const answer = await waitFor('it is refused', () => /^HTTP\/1\.1 (\d+)/.exec(got.text)?.[1]);
    expect(Number(answer)).toBe(status);
  });

  test('headers, URLs and the number of headers have an end', async () => {
    for (const [request, answers] of [
      [`GET /ui HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      [`GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1\.1 4(14|31) /],
      [`GET /ui HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(5_000)}\r\n`, /^HTTP\/1\.1 4(01|31) /],
      ['GARBAGE\r\n\r\n', /^HTTP\/1\.1 400 /],
    ] as const) {
      const { socket, got } = dial();
      socket.write(request);
      expect(await waitFor('it is answered', () => got.text)).toMatch(answers);
    }
  });

  test('what is deep or has very many parts is answered, and the daemon goes on', async () => {
    const headers = { authorization: `Bearer ${daemon.token()}`, 'content-type': 'application/json' };
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const path of ['/control/status', '/workers/w-owner/mcp']) {
      const { status } = await fetch(`${daemon.url}${path}`, { method: 'POST', headers, body: deep });
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
    }
    const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 's' }).token;
    const many = Array.from({ length: 100_000 }, (_, index) => `f${index}=1`).join('&');
    const form = await fetch(`${daemon.url}/ui/do/create_role`, {
      method: 'POST',
      headers: {
        cookie: `helix_session=${session}`,
        origin: daemon.url,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: many,
    });
    expect(form.status).toBe(403);
    expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  });
});

describe('a request that is too slow', () => {
  beforeEach(async () => {
    daemon = await open({ patience: { requestMs: 600, headersMs: 300, everyMs: 50, takeMs: 600 } });
    await daemon.call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
  });

  test('is cut off while others are served: headers that never end, bodies that never end, hundreds at once', async () => {
    const slow = Array.from({ length: 200 }, (_, index) => {
      const { socket, got } = dial();
      const isBody = index % 2 === 0;
      socket.write(
        isBody
          ? 'POST /webhooks/s-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n'
          : 'GET /ui HTTP/1.1\r\nHost: localhost\r\n',
      );
      const drip = setInterval(() => void (socket.destroyed || socket.write(isBody ? 'x' : 'X: y\r\n')), 20);
      socket.on('close', () => clearInterval(drip));
      return got;
    });
    const quick = await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'quick' });
    expect(quick.status).toBe(200);
    await waitFor('all of them are cut off', () => slow.every(({ closed }) => closed));
    for (const { text } of slow) expect(text === '' || /^HTTP\/1\.1 408 /.test(text)).toBe(true);
    expect(daemon.bodies('s-in')).toEqual(['quick']);
  });
});

test('who takes nothing of an answer is cut off; who waits for something to be said is not', async () => {
  daemon = await open({ patience: { requestMs: 60_000, headersMs: 60_000, everyMs: 50, takeMs: 300 } });
  await daemon.call('create_stream', { id: 's-in', name: 'in' });
  const leave = new AbortController();
  const feed = await fetch(`${daemon.url}/events?streams=s-in`, {
    headers: { authorization: `Bearer ${daemon.token()}` },
    signal: leave.signal,
  });
  const isCut = new Promise<void>((resolve) => {
    daemon.app.server.once('connection', (socket) => socket.once('close', resolve));
  });
  const { socket } = dial();
  socket.pause();
  // More than the kernel takes on both sides.
  socket.write('GET /static/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3_000));
  await isCut;
  await daemon.call('publish', { streamId: 's-in', body: 'still here' });
  let heard = '';
  const decoder = new TextDecoder();
  for await (const chunk of feed.body ?? []) {
    heard += decoder.decode(chunk, { stream: true });
    if (heard.includes('still here')) break;
  }
  leave.abort();
  expect(heard).toContain('still here');
});

describe('too many requests', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const times = async (count: number, ask: () => Promise<number>) => {
    const statuses: number[] = [];
    for (let index = 0; index < count; index++) statuses.push(await ask());
    return statuses;
  };
  const deliver = (headers: Record<string, string> = {}) =>
    fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'x', headers });
  const wrong = (headers: Record<string, string> = {}, token = 'hxo_wrong') =>
    fetch(`${daemon.url}/workers/w-owner/mcp`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${token}` },
    });

  beforeEach(async () => {
    daemon = await open({ trustProxy: 'loopback' });
    await daemon.call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
  });

  test('of deliveries get 429 with Retry-After, for that address alone, before anything is read', async () => {
    daemon.core.settings.set('http.inbound_per_minute', 5);
    expect(await times(6, async () => (await deliver(from('203.0.113.1'))).status)).toEqual([
      200, 200, 200, 200, 200, 429,
    ]);
    const refused = await deliver(from('203.0.113.1'));
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await refused.text()).toMatch(/^Too many requests come from your address; try again in \d+ s\.\n$/);
    expect((await deliver(from('203.0.113.2'))).status).toBe(200);
    expect(daemon.bodies('s-in')).toHaveLength(6);
  });

  test('of a network of IPv6 count as one address', async () => {
    daemon.core.settings.set('http.inbound_per_minute', 1);
    expect((await deliver(from('2001:db8:1:1::1'))).status).toBe(200);
    expect((await deliver(from('2001:db8:1:1:ffff::2'))).status).toBe(429);
    expect((await deliver(from('2001:db8:1:2::1'))).status).toBe(200);
  });

  test('an address that a proxy did not add is not believed', async () => {
    daemon.core.settings.set('http.inbound_per_minute', 2);
    // The last address is what the proxy saw; those before it anybody may write.
    const forged = (index: number) => deliver(from(`198.51.100.${index}, 203.0.113.9`));
    expect([(await forged(1)).status, (await forged(2)).status, (await forged(3)).status]).toEqual([200, 200, 429]);
  });

  test('of wrong credentials are refused, the right one too, until the minute is over; others are not', async () => {
    daemon.core.settings.set('http.failures_per_minute', 3);
    const address = from('203.0.113.1');
    expect(await times(5, async () => (await wrong(address)).status)).toEqual([401, 401, 401, 429, 429]);
    expect((await wrong(address, daemon.token())).status).toBe(429);
    expect((await wrong(from('203.0.113.2'), daemon.token())).status).not.toBe(429);
    // The count of one address neither stops deliveries nor programs on this machine.
    expect((await deliver(address)).status).toBe(200);
  });

  test('of sign-ins are refused', async () => {
    daemon.core.settings.set('http.failures_per_minute', 2);
    const signIn = async (fields: Record<string, string>) => {
      const headers = { ...from('203.0.113.1'), origin: daemon.url };
      return (await fetch(`${daemon.url}/login`, { method: 'POST', headers, body: new URLSearchParams(fields) }))
        .status;
    };
    expect([await signIn({ token: 'x' }), await signIn({ code: 'y' }), await signIn({ token: 'z' })]).toEqual([
      401, 401, 429,
    ]);
  });

  test('of pages without a credential are refused; whoever is signed in goes on', async () => {
    daemon.core.settings.set('http.open_per_minute', 2);
    const page = async (cookie?: string) =>
      (await fetch(`${daemon.url}/login`, { headers: { ...from('203.0.113.1'), ...(cookie ? { cookie } : {}) } }))
        .status;
    expect([await page(), await page(), await page()]).toEqual([200, 200, 429]);
    const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 's' }).token;
    expect(await page(`helix_session=${session}`)).toBe(200);
    expect((await fetch(`${daemon.url}/healthz`, { headers: from('203.0.113.1') })).status).toBe(200);
  });

  test('programs on this machine are not limited unless it is set', async () => {
    expect(new Set(await times(40, async () => (await wrong()).status))).toEqual(new Set([401]));
    expect(await times(31, async () => (await wrong(from('203.0.113.5'))).status)).toEqual([
      ...Array(30).fill(401),
      429,
    ]);
  });

  test('of ever new addresses keep no more than 5,000 in memory', async () => {
    daemon.core.settings.set('http.inbound_per_minute', 1);
    const ask = (index: number) =>
      daemon.app.inject({
        method: 'POST',
        url: '/webhooks/s-none',
        headers: { host: 'localhost', ...from(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`) },
        payload: 'x',
      });
    expect((await ask(0)).statusCode).toBe(404);
    expect((await ask(0)).statusCode).toBe(429);
    for (let index = 1; index <= 5_000; index++) await ask(index);
    // The first was forgotten, which is what a bound costs.
    expect((await ask(0)).statusCode).toBe(404);
  });
});

test('without --trust-proxy nobody chooses their address', async () => {
  daemon = await open();
  await daemon.call('create_stream', { id: 's-in', name: 'in', transport: 'webhook' });
  daemon.core.settings.set('http.inbound_per_minute', 1);
  const send = async (address: string) =>
    (await fetch(`${daemon.url}/webhooks/s-in`, { method: 'POST', body: 'x', headers: { 'x-forwarded-for': address } }))
      .status;
  expect([await send('203.0.113.1'), await send('203.0.113.2')]).toEqual([200, 429]);
});
