import type { ContentPart } from './entry.ts';

/** A file that came or goes with a Message: what it is, not its bytes. */
export type Attachment = {
  filename: string;
  content_type?: string;
  size_bytes?: number;
  /** Where its bytes are: the name of a part of the same Event, such as `attachment-1`, or an address of the web. */
  url?: string;
  /** By which an HTML body refers to it (`cid:`). */
  content_id?: string;
};

/**
 * The one envelope of everything that lands on a Stream. Every field may be absent; an empty one is never stored.
 * Addresses and ids are the transport's own, verbatim. `body` is what a reader sees; no `body_content_type` means plain text.
 */
export type Message = {
  from?: string;
  to?: string[];
  cc?: string[];
  subject?: string;
  body?: string;
  body_content_type?: string;
  thread_id?: string;
  in_reply_to?: string;
  message_id?: string;
  attachments?: Attachment[];
  /** What the transport knows beyond the envelope, as JSON. */
  extra?: unknown;
};

const fields = [
  'from',
  'to',
  'cc',
  'subject',
  'body',
  'body_content_type',
  'thread_id',
  'in_reply_to',
  'message_id',
  'attachments',
] as const satisfies (keyof Message)[];

/**
 * The bytes to store: fixed field order, empty fields left out.
 * @param rawExtra JSON text to store as `extra` byte for byte, where re-serialising would lose digits or key order
 */
export function encodeMessage(message: Message, rawExtra?: string): Uint8Array {
  const kept: Record<string, unknown> = {};
  for (const field of fields) {
    const value = message[field];
    if (value !== undefined && value.length > 0) kept[field] = value;
  }
  if (rawExtra === undefined) {
    if (message.extra !== undefined) kept.extra = message.extra;
    return Buffer.from(JSON.stringify(kept));
  }
  const head = JSON.stringify(kept).slice(0, -1);
  return Buffer.from(`${head}${head.length > 1 ? ',' : ''}"extra":${rawExtra}}`);
}

/** The stored Message, or undefined when these bytes are none (then a reader shows them as they are). */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  return parseMessage(textOf(bytes));
}

/** The same of the stored text. */
export function parseMessage(text: string): Message | undefined {
  try {
    const value = parseJson(text);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Stored bytes as a reader sees them: what is no UTF-8 becomes U+FFFD. */
export const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString();

/** The Message among the parts of an Event; empty when it is none or was erased. */
export function messageOf(content: readonly ContentPart[]): Message {
  const bytes = content.find(({ name }) => name === 'message')?.bytes;
  return (bytes && decodeMessage(bytes)) ?? {};
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { to = [], cc = [], attachments = [] } = value as { to?: unknown; cc?: unknown; attachments?: unknown };
  if (![to, cc].every(isAddressList) || !Array.isArray(attachments)) return false;
  return fields.every((field) => {
    const held = (value as Record<string, unknown>)[field];
    return held === undefined || typeof held === 'string' || LISTS.has(field);
  });
}

const LISTS: ReadonlySet<string> = new Set(['to', 'cc', 'attachments'] satisfies (keyof Message)[]);

const isAddressList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((address) => typeof address === 'string');

type RawJson = { rawJSON(text: string): unknown };

/**
 * JSON.parse that keeps numbers a double cannot hold: they become raw JSON values, which JSON.stringify writes as they came.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const keepDigits = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? (JSON as unknown as RawJson).rawJSON(context.source)
      : value;
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
}
