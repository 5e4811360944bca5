// What an Event looks like as a mail, whoever carries it.

import { DeliveryFailure, type DeliveryTools, type Outbound } from '../domain/delivery.ts';
import { isEmailAddress, type Mailbox, parseMailboxes, withPlus } from '../domain/email-address.ts';
import { NOTICES } from '../domain/ids.ts';
import type { Message } from '../domain/message.ts';
import type { EmailAccount, EmailConfig } from './email-config.ts';
import { htmlOf } from './email-html.ts';
import { recipientsOf } from './email-lane.ts';
import { REPLY_KEY, replyToken } from './email-reply-address.ts';
import { messageIdOf, threadHeaders } from './email-threading.ts';

export type Letter = {
  from: Mailbox;
  to: string[];
  cc: string[];
  replyTo?: string;
  subject: string;
  text?: string;
  html?: string;
  messageId: string;
  inReplyTo?: string;
  references?: string;
  headers: Record<string, string>;
  files: { filename: string; type: string; bytes: Uint8Array; contentId?: string }[];
};

export const EVENT_HEADER = 'X-Helix-Event';
const RECIPIENTS_MAX = 50;
const SUBJECT_MAX = 900;

/** @throws DeliveryFailure refused when it can never be sent as it is */
export function letterOf(
  outbound: Outbound<EmailConfig>,
  account: EmailAccount,
  { key }: Pick<DeliveryTools, 'key'>,
): Letter {
  const { message, eventId, recipient } = outbound;
  const [sender = { name: '', address: account.from }] = parseMailboxes(account.from);
  const names = { eventId, ...(recipient === undefined ? {} : { recipient }) };
  return {
    ...(recipient === undefined ? ofStream(outbound, account) : copyFor(outbound, { account, recipient, key })),
    ...bodyOf(outbound),
    messageId: messageIdOf(names, sender.address),
    ...threadHeaders(message),
    headers: { [EVENT_HEADER]: eventId },
    files: filesOf(outbound),
  };
}

type Addressed = Pick<Letter, 'from' | 'to' | 'cc' | 'replyTo' | 'subject'>;

function ofStream({ message, config, streamName }: Outbound<EmailConfig>, account: EmailAccount): Addressed {
  const [sender = { name: '', address: account.from }] = parseMailboxes(account.from);
  const { to, cc } = recipientsOf(message);
  if (to.length + cc.length > RECIPIENTS_MAX)
    throw new DeliveryFailure('refused', `more than ${RECIPIENTS_MAX} recipients; send several messages`);
  return {
    from: { name: config.from_name ?? sender.name, address: sender.address },
    to,
    cc,
    ...(account.disable_reply_to ? {} : { replyTo: withPlus(account.inbound, config.alias) }),
    subject: subjectOf(message, streamName),
  };
}

type Copy = { account: EmailAccount; recipient: string; key: DeliveryTools['key'] };

/** To a person who works here, from whoever wrote to them; the answer comes back as theirs. */
function copyFor(outbound: Outbound<EmailConfig>, { account, recipient, key }: Copy): Addressed {
  const { message, eventId, streamId, from, address } = outbound;
  if (address === undefined || !isEmailAddress(address))
    throw new DeliveryFailure('refused', `${recipient} has no mail address (any more)`);
  const [sender = { name: '', address: account.from }] = parseMailboxes(account.from);
  const isNotice = streamId === NOTICES;
  const token = replyToken(key(REPLY_KEY), eventId, recipient);
  const opening = (message.body ?? '').trim().split('\n')[0]?.slice(0, 80) ?? '';
  return {
    from: { name: isNotice ? sender.name || 'helix-org' : from, address: sender.address },
    to: [address],
    cc: [],
    ...(isNotice ? {} : { replyTo: withPlus(account.inbound, token) }),
    subject: subjectOf(message, opening || `A message from ${from}`),
  };
}

const subjectOf = ({ subject = '' }: Message, otherwise: string): string =>
  (subject || otherwise)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, SUBJECT_MAX);

/** A text of no type may be markdown, so it goes as it is, with its HTML beside it. */
function bodyOf(outbound: Outbound<EmailConfig>): Pick<Letter, 'text' | 'html'> {
  const { message } = outbound;
  const body = `${message.body ?? ''}${links(message)}${footer(outbound)}`;
  const type = (message.body_content_type ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'text/html') return { html: message.body ?? '' };
  const html = type === '' || type === 'text/markdown' ? htmlOf(body) : undefined;
  return { text: body, ...(html === undefined ? {} : { html }) };
}

/** After the line that mail clients take for the beginning of a signature. */
function footer({ recipient, streamId, from }: Outbound<EmailConfig>): string {
  return recipient === undefined || streamId === NOTICES
    ? ''
    : `\n\n-- \nAnswer this mail, and ${from} gets your answer.\n`;
}

/** What is attached as an address of the web is not fetched; whoever reads the mail may. */
function links({ attachments = [] }: Message): string {
  const named = attachments.filter(({ url = '' }) => /^https?:\/\//i.test(url));
  return named.map(({ filename, url }) => `\n\n${filename}: ${url}`).join('');
}

function filesOf({ message, parts }: Outbound<EmailConfig>): Letter['files'] {
  return (message.attachments ?? []).flatMap(({ filename, content_type: type, url = '', content_id: contentId }) => {
    const bytes = parts.get(url);
    if (!bytes) return [];
    return [{ filename, type: type ?? 'application/octet-stream', bytes, ...(contentId ? { contentId } : {}) }];
  });
}

/** A mailbox as a header names it. */
export function written({ name, address }: Mailbox): string {
  const plain = name.replace(/[\p{Cc}\s"\\]+/gu, ' ').trim();
  return plain === '' ? address : `"${plain}" <${address}>`;
}
