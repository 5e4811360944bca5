import { createHmac } from 'node:crypto';
import { tmpdir } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { openPage } from '../../demos/manufacturing/page.mjs';
import { openScene } from '../../src/cli/stand-in.ts';
import { firstMissing, runDemo } from '../support/demo-run.ts';

it('A203: manufacturing tells the supervisor once, two customers and no supplier, until the supervisor says so', {
  timeout: 180_000,
}, async () => {
  const { code, output } = await runDemo('manufacturing');
  expect(code, output).toBe(0);
  expect(
    firstMissing(output, [
      'outside: 1 in the chat, 2 SMS to customers, 0 to the supplier',
      'the draft waits for Anna on /ui/attention: "NCR-1042: bearing housing BH-7, lot L-2231"',
      'Anna answers in the chat: approve\n',
      's-supervisor   w-quality-bot: confirmed: NCR-1042',
      'outside: 3 in the chat, 2 SMS to customers, 0 to the supplier',
      'Anna answers in the chat: clear supplier\n',
      'noted: the mail about NCR-1042 is discarded',
      '0 to the supplier',
      'Anna answers in the chat: approve. supplier ok\n',
      '0 to the supplier',
      'Anna answers in the chat: implicate supplier\n',
      '1 to the supplier',
      'The supplier reads: "NCR-1043: shaft seal S-12, lot K-0907"',
    ]),
  ).toBeUndefined();
});

async function open() {
  const scene = openScene({ directory: tmpdir(), isLive: false, say() {} });
  onTestFinished(() => scene.close());
  const page = await openPage(scene);
  const call = () => Promise.reject(new Error('nobody is signed in'));
  page.connect({ url: () => 'http://127.0.0.1:9', supervisor: { call } });
  return page;
}

it('takes into the inboxes of the manufacturing page only what the daemon signed, and a repeat once', async () => {
  const page = await open();
  const key = Buffer.from('a secret of the Stream');
  page.trust('mail', `whsec_${key.toString('base64')}`);
  const body = JSON.stringify({ subject: 'NCR-1', body: 'Please look.' });
  const signature = createHmac('sha256', key).update(`d-1.1700000000.${body}`).digest('base64');
  const send = (signed: string) =>
    fetch(`${page.url}/in/mail`, {
      method: 'POST',
      headers: { 'webhook-id': 'd-1', 'webhook-timestamp': '1700000000', 'webhook-signature': `v1,${signed}` },
      body,
    });
  expect((await send(Buffer.alloc(32).toString('base64'))).status).toBe(401);
  expect(page.inboxes.mail).toEqual([]);
  expect((await send(signature)).status).toBe(204);
  expect((await send(signature)).status).toBe(204);
  expect(page.inboxes.mail).toHaveLength(1);
});

it('lets no other website answer as the supervisor', async () => {
  const page = await open();
  const answer = (origin: string) =>
    fetch(`${page.url}/answer`, {
      method: 'POST',
      headers: { origin },
      body: JSON.stringify({ text: 'implicate supplier', ncr: 'NCR-1' }),
    });
  expect((await answer('https://elsewhere.example')).status).toBe(403);
  // Her own page gets as far as the supervisor, whom this test does not have.
  const own = await answer(page.url);
  expect([own.status, await own.text()]).toEqual([500, 'nobody is signed in']);
});
