// The world outside of this demo: the phones on the shop floor, the supervisor's chat, customers' SMS and the supplier's inbox, as
// one small page. For the daemon it is what Slack, Twilio and a mail gateway would be: URLs that it posts to, and posts from.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

const html = readFileSync(new URL('page.html', import.meta.url), 'utf8');
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
};
/** How long a browser that asks for news is kept waiting. */
const WAIT_MS = 20_000;
/** The whole of what she writes, not a word in it. */
const DECISIONS = { 'implicate supplier': 'release', 'clear supplier': 'discard' };

/** @param {import('../../src/cli/stand-in.ts').Scene} scene */
export async function openPage(scene) {
  const secrets = {};
  const inboxes = { chat: [], sms: [], mail: [] };
  const waiting = new Set();
  let version = 0;
  let org;

  function receive(inbox, message) {
    inboxes[inbox].push({ at: new Date().toISOString(), ...message });
    version += 1;
    for (const wake of [...waiting]) wake();
  }

  /** What the daemon posts: signed as in Standard Webhooks; an attempt that comes again has the id of the first. */
  function take(inbox, { headers, body }) {
    const id = headers['webhook-id'];
    if (!isGenuine(secrets[inbox], headers, body)) return { status: 401 };
    if (!inboxes[inbox].some((message) => message.id === id))
      receive(inbox, { id, event: headers['x-helix-event'], ...JSON.parse(body) });
    return { status: 204 };
  }

  async function post(stream, body) {
    const response = await fetch(`${org.url()}/webhooks/${stream}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${stream} answered ${response.status}: ${await response.text()}`);
  }

  /** Reads the line as a chat bot would: two of her words are decisions of hers, and everything goes on to the Stream. */
  async function answer({ text, ncr }) {
    const decision = DECISIONS[text.trim().toLowerCase()];
    if (decision) {
      const { events } = await org.supervisor.call('read_events', { streamId: 's-supplier', thread: ncr });
      if (events[0]) await org.supervisor.call(decision, { id: events[0].id });
    }
    receive('chat', { id: `answer-${inboxes.chat.length}`, from: 'Anna', mine: true, thread_id: ncr, body: text });
    await post('s-supervisor', { text, ncr });
  }

  const doings = { '/raise': (report) => post('s-ncr-raised', report), '/answer': answer };

  async function handle(request) {
    const { method, path, headers, body } = request;
    const inbox = /^\/in\/(chat|sms|mail)$/.exec(path)?.[1];
    if (method === 'POST' && inbox) return take(inbox, request);
    // Another website in the same browser must neither look nor decide for her.
    if (!isOurs(headers.host)) return { status: 403 };
    if (method === 'POST' && doings[path]) {
      if (headers.origin !== `http://${headers.host}`) return { status: 403 };
      await doings[path](JSON.parse(body));
      return { status: 204 };
    }
    if (method !== 'GET') return { status: 405 };
    if (path === '/') return { headers: HEADERS, body: html };
    return path === '/news' ? news(Number(request.query.get('since'))) : { status: 404 };
  }

  /** Answers when there is something that the browser has not seen. */
  async function news(since) {
    if (since === version)
      await new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, WAIT_MS);
        timer.unref();
        waiting.add(wake);
      });
    return { headers: { 'cache-control': 'no-store' }, body: { version, inboxes } };
  }

  const { url, port } = await scene.listen((request) =>
    handle(request).catch((error) => ({ status: 500, body: error.message })),
  );
  const isOurs = (host) => host === `127.0.0.1:${port}` || host === `localhost:${port}`;

  return {
    url,
    inboxes,
    /** @param {{ url(): string, supervisor: { call(tool: string, args: object): Promise<any> } }} connected where reports and
     *   answers go, and who is signed in to the chat */
    connect(connected) {
      org = connected;
    },
    /** The secret by which the daemon signs what it sends to this inbox. */
    trust(inbox, secret) {
      secrets[inbox] = secret;
    },
    /** As when the supervisor types it into her chat. */
    answer,
  };
}

/** https://www.standardwebhooks.com: the signature is over `id.timestamp.body`, the key is the secret after `whsec_`. */
function isGenuine(secret, headers, body) {
  if (!secret) return false;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`);
  const expected = signed.update(body).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .map((signature) => Buffer.from(signature.replace('v1,', ''), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}
