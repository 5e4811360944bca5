// What Postmark posts, as far as it is what Postmark says it is: anything else reads as absent.
// https://postmarkapp.com/developer/webhooks/inbound-webhook
import { type Mailbox, parseMailboxes } from '../domain/email-address.ts';
import { invalid } from '../domain/errors.ts';

export type Payload = Record<string, unknown>;
export type MailHeader = { name: string; value: string };

/** A file that came with a mail, not decoded. */
export type MailFile = { name: string; type: string; base64: string; contentId: string };

const HEADERS_MAX = 1_000;
const FILES_MAX = 100;

/** @throws OrgError invalid when the body is no JSON object */
export function readPayload(body: Uint8Array): Payload {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.slice(0, 200) : 'the body is not UTF-8';
    throw invalid(`parse postmark json: ${reason}`);
  }
  if (!isObject(value)) throw invalid('parse postmark json: the body is not an object');
  return value;
}

/** A field that is text; empty when it is not there or is something else. */
export function textOf(payload: Payload, field: string): string {
  const value = Object.hasOwn(payload, field) ? payload[field] : undefined;
  return typeof value === 'string' ? wellFormed(value) : '';
}

export function objectOf(payload: Payload, field: string): Payload {
  const value = Object.hasOwn(payload, field) ? payload[field] : undefined;
  return isObject(value) ? value : {};
}

export function headersOf(payload: Payload): MailHeader[] {
  return listOf(payload, 'Headers', HEADERS_MAX).flatMap((header) => {
    const name = textOf(header, 'Name').trim();
    return name === '' ? [] : [{ name, value: unfolded(textOf(header, 'Value')) }];
  });
}

/** The values of a header, in the order of the mail; the name's case does not matter. */
export function headerValues(headers: readonly MailHeader[], name: string): string[] {
  return headers.flatMap((header) => (header.name.toLowerCase() === name ? [header.value] : []));
}

/** `To`, `Cc` or `Bcc`: the parsed list Postmark gives, else the header's text. */
export function mailboxesOf(payload: Payload, field: 'To' | 'Cc' | 'Bcc' | 'From'): Mailbox[] {
  const full = payload[`${field}Full`];
  const given = (Array.isArray(full) ? full : [full]).filter(isObject);
  const parsed = given.slice(0, HEADERS_MAX).flatMap((each) => {
    const [mailbox] = parseMailboxes(textOf(each, 'Email'));
    return mailbox ? [{ name: textOf(each, 'Name') || mailbox.name, address: mailbox.address }] : [];
  });
  return parsed.length > 0 ? parsed : parseMailboxes(textOf(payload, field));
}

export function filesOf(payload: Payload): MailFile[] {
  return listOf(payload, 'Attachments', FILES_MAX).map((file) => ({
    name: textOf(file, 'Name'),
    type: textOf(file, 'ContentType'),
    base64: textOf(file, 'Content'),
    contentId: textOf(file, 'ContentID').replace(/^<|>$/g, '').replace(/^cid:/i, ''),
  }));
}

/** Attachments beyond the most that are kept. */
export const leftOut = ({ Attachments: files }: Payload): number =>
  Array.isArray(files) ? Math.max(0, files.length - FILES_MAX) : 0;

function listOf(payload: Payload, field: string, most: number): Payload[] {
  const value = Object.hasOwn(payload, field) ? payload[field] : undefined;
  return Array.isArray(value) ? value.slice(0, most).filter(isObject) : [];
}

const unfolded = (value: string): string => value.replace(/\r?\n[ \t]*/g, ' ').trim();

/** JSON may hold halves of characters, which no other encoding can. */
const wellFormed = (value: string): string => (value.isWellFormed() ? value : value.toWellFormed());

const isObject = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
