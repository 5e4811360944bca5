// Mail for tests: what Postmark posts, a Postmark that takes mail, an SMTP server, and a parser that is not ours.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';

export const HASH = '451d9b70cf9364d23ff6f9d51d870251';
export const INBOUND = `${HASH}@inbound.postmarkapp.com`;
export const alias = (name: string) => `${HASH}+${name}@inbound.postmarkapp.com`;
export const SENDER = 'support@acme.example';

/** `transport.postmark` as most tests have it. */
export const ACCOUNT = { token: 'server-token', inbound: INBOUND, from: SENDER };

export type Payload = Record<string, unknown>;

const folder = fileURLToPath(new URL('../fixtures/postmark', import.meta.url));
export const mailFixtures = (): string[] => readdirSync(folder).map((file) => file.replace('.json', ''));

export const mailFixture = (name: string, changes: Payload = {}): Payload => ({
  ...(JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as Payload),
  ...changes,
});

let mails = 0;

/** A mail of a person to an alias; each has an id of its own. */
export function mailTo(name: string, changes: Payload & { headers?: Record<string, string> } = {}): Payload {
  const { headers = {}, ...fields } = changes;
  const n = ++mails;
  return {
    From: 'ada@kunde.example',
    FromName: 'Ada Kunde',
    To: alias(name),
    ToFull: [{ Email: alias(name), Name: '', MailboxHash: name }],
    OriginalRecipient: alias(name),
    Subject: 'Question',
    MessageID: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    TextBody: `Mail ${n}.`,
    Headers: Object.entries({ 'Message-ID': `<mail-${n}@kunde.example>`, ...headers }).map(([Name, Value]) => ({
      Name,
      Value,
    })),
    ...fields,
  };
}

/** Posts as Postmark does. */
export function postMail(
  url: string,
  payload: Payload | string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const body = typeof payload === 'string' || payload instanceof Uint8Array ? payload : JSON.stringify(payload);
  return fetch(`${url}/email/postmark`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  }).then(async (response) => ({ status: response.status, text: (await response.text()).trim() }));
}

export const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

export type SentMail = {
  token: string | undefined;
  path: string;
  body: Record<string, unknown> & { Headers: { Name: string; Value: string }[] };
};
type Answer = { status: number; body: object; headers?: Record<string, string> };

/** A Postmark on loopback that takes everything unless it is told what to answer. */
export async function fakePostmark() {
  const sent: SentMail[] = [];
  const answers: Answer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as SentMail['body'];
      const token = request.headers['x-postmark-server-token'];
      const {
        status,
        body: said,
        headers = {},
      } = answers.shift() ?? {
        status: 200,
        body: { ErrorCode: 0, Message: 'OK', MessageID: `pm-${sent.length + 1}`, To: body.To },
      };
      sent.push({ token: Array.isArray(token) ? token[0] : token, path: request.url ?? '', body });
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    sent,
    /** What it answers next, once each. */
    answers,
    account: { ...ACCOUNT, api_url: `http://127.0.0.1:${port}` },
  };
}

export const headerOf = ({ body }: SentMail, name: string): string | undefined =>
  body.Headers.find(({ Name }) => Name === name)?.Value;

/** An SMTP server on loopback; what it took is parsed by postal-mime. */
export async function smtpServer(options: SMTPServerOptions = {}) {
  const mails: { raw: string; parsed: Email; to: string[] }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    hideSTARTTLS: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks);
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ raw: raw.toString(), parsed: await PostalMime.parse(raw), to });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  const { token: _, ...addresses } = ACCOUNT;
  return { mails, account: { ...addresses, smtp: { host: '127.0.0.1', port } } };
}
