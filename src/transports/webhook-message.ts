// What a posted body becomes: its text verbatim where it is text, base64 where it is not.
import type { ContentPart } from '../domain/entry.ts';
import { encodeMessage, type Message } from '../domain/message.ts';
import { type FormPart, fieldsOf, parseMultipart, parseUrlencoded } from './form-data.ts';
import type { RawRequest } from './transport.ts';

/** Headers that say something about the delivery and nothing secret about the sender. */
const KEPT_HEADERS = new Set([
  'user-agent',
  'x-request-id',
  'webhook-id',
  'webhook-timestamp',
  'idempotency-key',
  'content-encoding',
]);
const KEPT_HEADER_PATTERN = /^x-[a-z0-9-]+-(event|delivery|topic)$/;
/** Types whose bytes are no text, whatever they look like. `application/octet-stream` says nothing, so the bytes decide. */
const BINARY =
  /^(image\/(?!svg)|audio\/|video\/|font\/)|^application\/(pdf|zip|gzip|x-(tar|gzip|7z-compressed)|vnd\.ms-|vnd\.openxml)/;
/** What senders put on plain text when they do not think about it. curl calls everything a form. */
const FORM = 'application/x-www-form-urlencoded';
const PLAIN = new Set(['', 'text/plain', 'application/octet-stream', FORM]);

/**
 * The parts to store. `message` holds the text, or base64 with `extra.encoding`; `raw` holds the bytes as they came where the
 * text does not say them all. A form with files has its fields as lines and in `extra.form`, its files as `attachment-1` …
 */
export function toContent(request: RawRequest): ContentPart[] {
  const contentType = one(request.headers['content-type']);
  const essence = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  const parts = essence === 'multipart/form-data' ? parseMultipart(request.body, contentType) : undefined;
  if (parts) return formContent(request, contentType, parts);
  const text = BINARY.test(essence) ? undefined : decode(request.body, charsetOf(contentType));
  const form = essence === FORM && text ? parseUrlencoded(text.body) : undefined;
  const extra = { ...extraOf(request, contentType, text === undefined), ...(form ? { form } : {}) };
  const message: Message = {
    body: text?.body ?? Buffer.from(request.body).toString('base64'),
    ...(text && PLAIN.has(essence) ? {} : { body_content_type: essence || 'application/octet-stream' }),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
  const content = [{ name: 'message', bytes: encodeMessage(message) }];
  return text?.verbatim ? content : [...content, { name: 'raw', bytes: request.body }];
}

function formContent(request: RawRequest, contentType: string, parts: FormPart[]): ContentPart[] {
  const files = parts.filter(({ filename }) => filename !== undefined);
  const fields = parts
    .filter(({ filename }) => filename === undefined)
    .map(({ name, bytes }): [string, string] => [name, Buffer.from(bytes).toString()]);
  const message: Message = {
    body: fields.map(([name, value]) => `${name}: ${value}`).join('\n'),
    attachments: files.map(({ filename = '', contentType: type, bytes }) => ({
      filename,
      ...(type === '' ? {} : { content_type: type }),
      size_bytes: bytes.length,
    })),
    extra: { ...extraOf(request, contentType, false), form: fieldsOf(fields) },
  };
  return [
    { name: 'message', bytes: encodeMessage(message) },
    ...files.map(({ bytes }, index) => ({ name: `attachment-${index + 1}`, bytes })),
    { name: 'raw', bytes: request.body },
  ];
}

function extraOf({ headers, query }: RawRequest, contentType: string, isBase64: boolean): Record<string, unknown> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    if (KEPT_HEADERS.has(name) || (name.startsWith('x-') && KEPT_HEADER_PATTERN.test(name)))
      kept[name] = one(headers[name]);
  }
  return {
    ...(Object.keys(kept).length > 0 ? { headers: kept } : {}),
    ...(query === '' ? {} : { query }),
    ...(contentType === '' ? {} : { content_type: contentType }),
    ...(isBase64 ? { encoding: 'base64' } : {}),
  };
}

/** The text these bytes are, if they are any; `verbatim` when the text alone gives them back. */
function decode(bytes: Uint8Array, charset: string | undefined): { body: string; verbatim: boolean } | undefined {
  const body = bytes.includes(0) ? undefined : tryDecode(bytes, 'utf-8');
  if (body !== undefined) return { body, verbatim: true };
  const other = charset === undefined ? undefined : tryDecode(bytes, charset);
  return other === undefined || other.includes('\0') ? undefined : { body: other, verbatim: false };
}

function tryDecode(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const charsetOf = (contentType: string): string | undefined => /;\s*charset="?([\w-]+)"?/i.exec(contentType)?.[1];

const one = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(', ') : (value ?? ''));
