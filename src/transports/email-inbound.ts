// Mail and reports of its delivery, as Postmark posts them, on the Streams they are meant for.
import { createHash, timingSafeEqual } from 'node:crypto';
import { parseMailboxes } from '../domain/email-address.ts';
import { forbidden } from '../domain/errors.ts';
import { automaticReason, isOwnAddress } from './email-automatic.ts';
import type { EmailAccount, EmailConfig } from './email-config.ts';
import { messageIdOf, referencesOf, toContent, toMessage } from './email-message.ts';
import { headersOf, headerValues, type MailHeader, type Payload, readPayload, textOf } from './email-payload.ts';
import { addressing } from './email-recipients.ts';
import { seqOfReplyToken } from './email-reply-address.ts';
import { readReport } from './email-report.ts';
import { eventIdOfMessageId, messageIdsIn } from './email-threading.ts';
import { type Inbound, type RawRequest, type Ties, type TransportStream, Unready } from './transport.ts';

const KEY_LENGTH_MAX = 255;
/** Of a bounce, so much is looked through for the id of the mail it is about. */
const BOUNCE_CHARS_MAX = 65_536;

/** @throws OrgError forbidden without the credentials, invalid and not_found as the request is; Unready without the setting */
export function receiveMail(request: RawRequest, streams: TransportStream<EmailConfig>[], setting: unknown): Inbound[] {
  const account = setting as EmailAccount | undefined;
  if (!account) throw new Unready('transport not configured: set transport.postmark');
  checkCredentials(request, account);
  const payload = readPayload(request.body);
  const report = readReport(payload);
  if (report === 'ignored') return [];
  if (report) return [report];
  return mailOn(payload, streams, account);
}

function mailOn(payload: Payload, streams: TransportStream<EmailConfig>[], account: EmailAccount): Inbound[] {
  const headers = headersOf(payload);
  const { meant, tokens, refusal, recipient } = addressing(payload, streams, account);
  const [sender = { address: textOf(payload, 'From'), name: '' }] = parseMailboxes(textOf(payload, 'From'));
  const automatic = automaticReason({ from: sender.address, headers });
  const mine = parseMailboxes(account.from).map(({ address }) => address);
  const fromUs = isOwnAddress(sender.address, account, mine);
  const ties: Ties = { ...tiesOf(payload, headers, automatic !== undefined), fromUs, sender: sender.address, tokens };
  const id = textOf(payload, 'MessageID').slice(0, KEY_LENGTH_MAX);
  const common = {
    ...(automatic === undefined ? {} : { quiet: automatic }),
    ...(id === '' ? {} : { delivery: { provider: 'postmark', key: id, ownKey: false } }),
  };
  if (meant.length === 0) {
    const { code, message } = refusal;
    const content = toContent(toMessage(payload, recipient, automatic));
    return [{ streamId: '', content, ...common, ties: { ...ties, refusal: { code, message } } }];
  }
  const first = toMessage(payload, meant[0]?.recipient ?? '', automatic);
  const onStreams = meant.map(
    ({ streamId, recipient: to }): Inbound => ({
      streamId,
      content: toContent({ message: { ...first.message, to: [to] }, parts: first.parts }),
      ...common,
      ties,
    }),
  );
  // Written to a Stream and to a Worker at once.
  const isReply = tokens.some((token) => seqOfReplyToken(token) !== undefined);
  return isReply ? [...onStreams, { streamId: '', content: toContent(first), ...common, ties }] : onStreams;
}

function tiesOf(payload: Payload, headers: readonly MailHeader[], isAutomatic: boolean) {
  const ours = eventIdOfMessageId(messageIdOf(payload, headers));
  const named = [...referencesOf(headers), ...headerValues(headers, 'in-reply-to').flatMap(messageIdsIn)];
  // A bounce names the mail it is about in the copy it returns.
  if (isAutomatic) named.unshift(...messageIdsIn(returnedIds(textOf(payload, 'TextBody'))));
  const answers = [...new Set(named)].flatMap((messageId) => {
    const eventId = eventIdOfMessageId(messageId);
    return eventId === undefined ? [] : [{ eventId, messageId }];
  });
  const reply = (textOf(payload, 'StrippedTextReply') || textOf(payload, 'TextBody')).trim();
  return { ...(ours === undefined ? {} : { ours }), answers, reply };
}

const returnedIds = (text: string): string =>
  [...text.slice(0, BOUNCE_CHARS_MAX).matchAll(/^message-id:[ \t]*(<[^<>\s]{1,900}>)/gim)]
    .map(([, id]) => id)
    .join(' ');

/** Basic authentication (RFC 7617), as it comes from `https://user:password@…` in the webhook's URL. */
function checkCredentials(
  { headers }: RawRequest,
  { inbound_user: user, inbound_password: password }: EmailAccount,
): void {
  if (user === undefined || password === undefined) return;
  const given = headers.authorization;
  const [, encoded = ''] = /^Basic\s+(\S+)$/i.exec(typeof given === 'string' ? given : '') ?? [];
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(Buffer.from(encoded, 'base64').toString()), digest(`${user}:${password}`)))
    throw forbidden(
      'Wrong credentials: send inbound_user and inbound_password of transport.postmark by basic authentication.',
    );
}
