import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDaemon, type TestDaemon } from '../support/http.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await openTestDaemon();
});
afterAll(() => daemon.close());

let made = 0;
async function signedStream(): Promise<{ id: string; first: string }> {
  const id = `s-r${++made}`;
  const { secret } = await daemon.call('create_stream', {
    id,
    name: id,
    transport: { kind: 'webhook', config: { secret: true } },
  });
  return { id, first: String(secret) };
}

const send = async (id: string, secret: string) => {
  const body = 'hello';
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = { 'x-hub-signature-256': `sha256=${signature}` };
  return (await fetch(`${daemon.url}/webhooks/${id}`, { method: 'POST', body, headers })).status;
};

const rotate = async (id: string, args: object = {}) => daemon.call('rotate_secret', { streamId: id, ...args });

test('after a rotation both secrets hold, until the old one is ended', async () => {
  const { id, first } = await signedStream();
  const { secret, previousUntil } = await rotate(id);
  expect(secret).toMatch(/^whsec_/);
  expect(secret).not.toBe(first);
  const hours = (Date.parse(String(previousUntil)) - Date.now()) / 3_600_000;
  expect(hours).toBeGreaterThan(23.9);
  expect(hours).toBeLessThanOrEqual(24);
  expect([await send(id, first), await send(id, String(secret))]).toEqual([200, 200]);
  expect(await rotate(id, { endPrevious: true })).toEqual({ id, previousEnded: true });
  expect([await send(id, first), await send(id, String(secret))]).toEqual([401, 200]);
  await expect(rotate(id, { endPrevious: true })).rejects.toThrow('there is nothing to end');
});

test('the old secret ends by itself when its time is over', async () => {
  const { id, first } = await signedStream();
  const { secret } = await rotate(id, { overlapHours: 1 });
  daemon.core.settings.setSecret(`stream.${id}.previous`, `${new Date(Date.now() - 1).toISOString()} ${first}`);
  expect([await send(id, first), await send(id, String(secret))]).toEqual([401, 200]);
  expect(await rotate(id)).toHaveProperty('previousUntil');
});

test('without an overlap the old one ends at once', async () => {
  const { id, first } = await signedStream();
  const answer = await rotate(id, { overlapHours: 0 });
  expect(answer).not.toHaveProperty('previousUntil');
  expect([await send(id, first), await send(id, String(answer.secret))]).toEqual([401, 200]);
});

test('a second rotation never drops the secret that a sender still uses', async () => {
  const { id, first } = await signedStream();
  await rotate(id);
  await expect(rotate(id)).rejects.toThrow(/Two secrets of s-r\d+ hold already.*endPrevious/);
  expect(await send(id, first)).toBe(200);
});

test('what has no secret, is gone, or is nobody’s to change is refused', async () => {
  await daemon.call('create_stream', { id: 's-open', name: 'open', transport: 'webhook' });
  await expect(rotate('s-open')).rejects.toThrow('s-open has no secret');
  await expect(rotate('s-nope')).rejects.toThrow('s-nope');
  const { id } = await signedStream();
  await daemon.call('update_stream', { streamId: id, private: true });
  await daemon.hire('w-out', { grants: ['rotate_secret'] });
  await expect(daemon.call('rotate_secret', { streamId: id }, 'w-out')).rejects.toThrow('may not read');
  await daemon.hire('w-none');
  await expect(daemon.call('rotate_secret', { streamId: id }, 'w-none')).rejects.toThrow('does not hold rotate_secret');
  await daemon.call('delete_stream', { streamId: id });
  await expect(rotate(id)).rejects.toThrow();
  expect(daemon.core.settings.secret(`stream.${id}`)).toBeUndefined();
});

test('the page offers it, and ends the old one, without showing a secret again', async () => {
  const { id, first } = await signedStream();
  const session = daemon.core.tokens.create({ workerId: 'w-owner', kind: 'session', label: 's' }).token;
  const page = async () =>
    (await fetch(`${daemon.url}/ui/streams?id=${id}`, { headers: { cookie: `helix_session=${session}` } })).text();
  expect(await page()).toContain('Make a new secret');
  const { secret } = await rotate(id);
  const after = await page();
  expect(after).toContain('End the old secret now');
  expect(after).not.toContain(first);
  expect(after).not.toContain(String(secret));
});

test('each change is told on s-notices without the secret, and by whom', async () => {
  const { id } = await signedStream();
  await daemon.hire('w-keeper', { grants: ['rotate_secret'] });
  const { secret, previousUntil } = await daemon.call('rotate_secret', { streamId: id }, 'w-keeper');
  await daemon.call('rotate_secret', { streamId: id, endPrevious: true }, 'w-keeper');
  const told = daemon.core.queries.events(['s-notices'], { limit: 2 });
  expect(told).toMatchObject([
    { message: { subject: `The old secret of ${id} was ended`, body: 'By w-keeper. The new one alone holds.' } },
    {
      message: {
        subject: `The secret of ${id} was changed`,
        body: `By w-keeper. The old one holds until ${previousUntil}.`,
      },
    },
  ]);
  expect(JSON.stringify(told)).not.toContain(String(secret));
});
