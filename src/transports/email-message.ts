// What a mail becomes: the Message with its conversation, and its files and other text beside it.
import type { ContentPart } from '../domain/entry.ts';
import { type Attachment, encodeMessage, type Message } from '../domain/message.ts';
import {
  filesOf,
  headersOf,
  headerValues,
  leftOut,
  type MailHeader,
  mailboxesOf,
  type Payload,
  textOf,
} from './email-payload.ts';
import { messageIdsIn } from './email-threading.ts';

/** Longer texts are cut in the Message and kept whole beside it. */
const BODY_MAX = 262_144;
const STRIPPED_MAX = 65_536;
const FIELD_MAX = 4_096;
const SUBJECT_MAX = 2_000;
const HEADER_CHARS_MAX = 32_768;
const HEADERS_SHOWN = 200;
const MAILBOXES_SHOWN = 100;
const FILENAME_MAX = 200;
/** The whole of a text that was cut, and the HTML beside a text. */
const BODY_PART = 'attachment-body';
const HTML_PART = 'attachment-html';
const AUTHENTICATION = ['received-spf', 'authentication-results', 'arc-authentication-results'];

export type MailMessage = { message: Message; parts: ContentPart[] };

/** @param recipient the address by which the mail is meant for this Stream */
export function toMessage(payload: Payload, recipient: string, quiet: string | undefined): MailMessage {
  const headers = headersOf(payload);
  const references = referencesOf(headers);
  const body = bodyOf(payload);
  const { attachments, parts } = attachmentsOf(payload, body.whole);
  const inReplyTo = messageIdsIn(headerValues(headers, 'in-reply-to')[0] ?? '').at(-1) ?? '';
  const message: Message = {
    from: textOf(payload, 'From').slice(0, FIELD_MAX) || (mailboxesOf(payload, 'From')[0]?.address ?? ''),
    to: [recipient],
    cc: mailboxesOf(payload, 'Cc')
      .slice(0, MAILBOXES_SHOWN)
      .map(({ address }) => address),
    subject: oneLine(textOf(payload, 'Subject')).slice(0, SUBJECT_MAX),
    body: body.shown,
    body_content_type: body.type,
    thread_id: references[0] ?? inReplyTo,
    in_reply_to: inReplyTo,
    message_id: messageIdOf(payload, headers),
    attachments,
    extra: extraOf(payload, headers, quiet),
  };
  return { message, parts };
}

/** The bytes to store for a Message with its parts. */
export const toContent = ({ message, parts }: MailMessage): ContentPart[] => [
  { name: 'message', bytes: encodeMessage(message) },
  ...parts,
];

/** What the mail answers and what came before that, oldest first. */
export function referencesOf(headers: readonly MailHeader[]): string[] {
  return messageIdsIn(headerValues(headers, 'references').join(' '));
}

/** The id real mail clients refer to; Postmark's own, which none of them sees, only when there is no other. */
export function messageIdOf(payload: Payload, headers: readonly MailHeader[]): string {
  const [id] = headerValues(headers, 'message-id').flatMap(messageIdsIn);
  return id ?? textOf(payload, 'MessageID').slice(0, FIELD_MAX);
}

type Body = { shown: string; type: string; whole: { name: string; bytes: Uint8Array; file: Attachment }[] };

function bodyOf(payload: Payload): Body {
  const [text, html] = [textOf(payload, 'TextBody'), textOf(payload, 'HtmlBody')];
  const isHtml = text === '' && html !== '';
  const chosen = isHtml ? html : text;
  const whole: Body['whole'] = [];
  const keep = (filename: 'body.html' | 'body.txt', name: string, content: string) => {
    const type = filename.endsWith('.html') ? 'text/html' : 'text/plain';
    const bytes = Buffer.from(content);
    whole.push({ name, bytes, file: { filename, content_type: type, size_bytes: bytes.length, url: name } });
  };
  if (chosen.length > BODY_MAX) keep(isHtml ? 'body.html' : 'body.txt', BODY_PART, chosen);
  if (!isHtml && html !== '') keep('body.html', HTML_PART, html);
  return { shown: cut(chosen), type: isHtml ? 'text/html' : '', whole };
}

function cut(text: string): string {
  if (text.length <= BODY_MAX) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(BODY_MAX - 1)) ? BODY_MAX - 1 : BODY_MAX;
  return `${text.slice(0, end)}\n[cut: the whole text is ${BODY_PART}]`;
}

function attachmentsOf(payload: Payload, whole: Body['whole']): { attachments: Attachment[]; parts: ContentPart[] } {
  const files = filesOf(payload).map(({ name, type, base64, contentId }, index) => {
    const bytes = Buffer.from(base64, 'base64');
    const part = `attachment-${index + 1}`;
    const file: Attachment = {
      filename: safeName(name) || part,
      ...(type ? { content_type: oneLine(type).slice(0, FILENAME_MAX) } : {}),
      size_bytes: bytes.length,
      url: part,
      ...(contentId ? { content_id: oneLine(contentId).slice(0, FILENAME_MAX) } : {}),
    };
    return { name: part, bytes, file };
  });
  // The HTML beside a text says the same once more; only a text that had to be cut is one of the files.
  const shown = [...files, ...whole.filter(({ name }) => name === BODY_PART)];
  return {
    attachments: shown.map(({ file }) => file),
    parts: [...files, ...whole].map(({ name, bytes }) => ({ name, bytes })),
  };
}

function extraOf(payload: Payload, headers: readonly MailHeader[], quiet: string | undefined): Record<string, unknown> {
  const text = (field: string) => textOf(payload, field).slice(0, FIELD_MAX);
  const addresses = (field: 'To' | 'Bcc') =>
    mailboxesOf(payload, field)
      .slice(0, MAILBOXES_SHOWN)
      .map(({ name, address }) => (name ? `${name.slice(0, FILENAME_MAX)} <${address}>` : address));
  const fields: Record<string, unknown> = {
    automatic: quiet,
    from_name: text('FromName') || mailboxesOf(payload, 'From')[0]?.name.slice(0, FIELD_MAX),
    reply_to: text('ReplyTo'),
    date: text('Date'),
    to: addresses('To'),
    bcc: addresses('Bcc'),
    original_recipient: text('OriginalRecipient'),
    mailbox_hash: text('MailboxHash'),
    spam: spamOf(headers),
    authentication: authenticationOf(headers),
    stripped_reply: textOf(payload, 'StrippedTextReply').slice(0, STRIPPED_MAX),
    references: referencesOf(headers),
    attachments_left_out: leftOut(payload) || undefined,
    tag: text('Tag'),
    message_stream: text('MessageStream'),
    postmark_id: text('MessageID'),
    headers: otherHeaders(headers),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isSomething(value)));
}

/** `X-Spam-Status`, `-Score`, `-Tests` and so on, by what follows `X-Spam-`. */
function spamOf(headers: readonly MailHeader[]): Record<string, string> {
  return Object.fromEntries(
    headers.slice(0, HEADERS_SHOWN).flatMap(({ name, value }) => {
      const [, what] = /^x-spam-([a-z-]{1,40})$/i.exec(name) ?? [];
      return what ? [[what.toLowerCase(), value.slice(0, FIELD_MAX)]] : [];
    }),
  );
}

/** What the receiving servers found out about the sender: verdicts of SPF, DKIM and DMARC, and the headers that say so. */
function authenticationOf(headers: readonly MailHeader[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of AUTHENTICATION) {
    const value = headerValues(headers, name).join('; ').slice(0, FIELD_MAX);
    if (value !== '') found[name.replaceAll('-', '_')] = value;
  }
  const results = `${found.authentication_results ?? ''}; ${found.arc_authentication_results ?? ''}`;
  for (const method of ['spf', 'dkim', 'dmarc']) {
    const verdict = new RegExp(`\\b${method}=([a-z]+)`, 'i').exec(results)?.[1];
    if (verdict) found[method] = verdict.toLowerCase();
  }
  const spf = /^\s*([a-z]+)/i.exec(found.received_spf ?? '')?.[1];
  if (spf) found.spf ??= spf.toLowerCase();
  return found;
}

/** The headers as they came, those shown elsewhere left out, up to a size. */
function otherHeaders(headers: readonly MailHeader[]): [string, string][] {
  const shown = /^(x-spam-|received-spf$|authentication-results$|references$|in-reply-to$|message-id$)/i;
  const kept: [string, string][] = [];
  let left = HEADER_CHARS_MAX;
  for (const { name, value } of headers) {
    if (shown.test(name)) continue;
    left -= name.length + value.length;
    if (left < 0) break;
    kept.push([name, value]);
  }
  return kept;
}

/** A name without folders, controls or characters that turn the reading direction, which hide what kind of file it is. */
export function safeName(name: string): string {
  const last = name.slice(-FIELD_MAX).split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, '')
    .replace(/^[.\s]+/, '')
    .trim();
  return [...plain].slice(-FILENAME_MAX).join('');
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

function isSomething(value: unknown): boolean {
  if (value === undefined || value === '') return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}
