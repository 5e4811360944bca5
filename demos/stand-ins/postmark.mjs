// A Postmark on loopback: takes mail by the shape of its API, and posts inbound mail to the daemon, everything twice, as the
// real one does when an answer was lost. https://postmarkapp.com/developer/api/email-api
import { randomUUID } from 'node:crypto';

const INBOUND = 'a1b2c3@inbound.postmark.example';
const TOKEN = 'stand-in-server-token';

/** @param {import('../../src/cli/stand-in.ts').Scene} scene */
export async function openPostmark(scene, from) {
  /** Mails it took to send, oldest first, as the API got them. */
  const sent = [];
  /** Statuses that the daemon answered, two for each mail. */
  const answers = [];
  let daemon = '';

  const server = await scene.listen(async ({ method, path, headers, body }) => {
    if (headers['x-postmark-server-token'] !== TOKEN)
      return { status: 401, body: { ErrorCode: 10, Message: 'Bad or missing server token.' } };
    if (method !== 'POST' || path !== '/email') return { status: 404, body: { ErrorCode: 404, Message: path } };
    const mail = JSON.parse(body);
    sent.push(mail);
    scene.say(`Postmark takes a mail  to ${mail.To}: "${mail.Subject}"`);
    // What is written to one of our own aliases comes in again, after the answer.
    if (mail.To.endsWith(INBOUND.slice(INBOUND.indexOf('@')))) setImmediate(() => void receive(asInbound(mail)));
    return {
      body: {
        ErrorCode: 0,
        Message: 'OK',
        MessageID: randomUUID(),
        SubmittedAt: new Date().toISOString(),
        To: mail.To,
      },
    };
  });

  async function receive(payload) {
    for (let times = 0; times < 2; times++) {
      const response = await fetch(`${daemon}/email/postmark`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'Postmark' },
        body: JSON.stringify(payload),
      });
      answers.push(response.status);
      scene.say(
        `Postmark delivers to ${payload.OriginalRecipient}${times > 0 ? ' once more' : ''}  →  ${response.status}`,
      );
    }
  }

  return {
    sent,
    answers,
    /** The setting `transport.postmark` that names it. */
    account: { token: TOKEN, inbound: INBOUND, from, api_url: server.url },
    /** The address of a Stream. */
    address: (alias) => INBOUND.replace('@', `+${alias}@`),
    /** Where to post what comes in. */
    connect(url) {
      daemon = url;
    },
    /** Somebody outside writes a mail. @returns its Message-ID */
    async write({ from: sender, name, to, subject, text }) {
      const id = `<${randomUUID()}@${sender.split('@')[1]}>`;
      await receive(
        inbound({
          From: sender,
          FromName: name,
          To: to,
          Subject: subject,
          TextBody: text,
          headers: { 'Message-ID': id },
        }),
      );
      return id;
    },
    headerOf: (mail, header) => mail.Headers.find(({ Name }) => Name === header)?.Value,
  };
}

/** A mail that was sent, as it comes in again: its headers and its reply address are those it was sent with. */
function asInbound({ From, To, Subject, TextBody, HtmlBody, ReplyTo, Headers }) {
  const headers = Object.fromEntries(Headers.map(({ Name, Value }) => [Name, Value]));
  const [, name = '', address = From] = /^"?([^"<]*)"?\s*<([^>]+)>$/.exec(From) ?? [];
  return inbound({ From: address, FromName: name.trim(), To, Subject, TextBody, HtmlBody, ReplyTo, headers });
}

/** As Postmark posts it. https://postmarkapp.com/developer/webhooks/inbound-webhook */
function inbound({ From, FromName = '', To, Subject, TextBody, HtmlBody = '', ReplyTo = '', headers }) {
  const hash = /\+([^@]+)@/.exec(To)?.[1] ?? '';
  return {
    FromName,
    MessageStream: 'inbound',
    From,
    FromFull: { Email: From, Name: FromName, MailboxHash: '' },
    To,
    ToFull: [{ Email: To, Name: '', MailboxHash: hash }],
    Cc: '',
    CcFull: [],
    Bcc: '',
    BccFull: [],
    OriginalRecipient: To,
    Subject,
    MessageID: randomUUID(),
    ReplyTo,
    MailboxHash: hash,
    Date: new Date().toUTCString(),
    TextBody,
    HtmlBody,
    StrippedTextReply: '',
    Tag: '',
    Headers: Object.entries(headers).map(([Name, Value]) => ({ Name, Value })),
    Attachments: [],
  };
}
