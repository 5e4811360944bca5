// Forms as they are posted: urlencoded, or multipart/form-data (RFC 7578).

/** One field; with a file name it is a file. */
export type FormPart = { name: string; filename?: string; contentType: string; bytes: Uint8Array };

/** What encoders write; JSON with an equals sign in it is none. */
const FORM = /^[\w.~%+*$[\]-]+=[^&\s"<>{}]*(&[\w.~%+*$[\]-]+=[^&\s"<>{}]*)*$/;
/** Beyond this a body is no form that a person or a program filled in. */
const PARTS_MAX = 200;
const FIELDS_MAX = 1_000;
const HEADER_BYTES_MAX = 16_384;

/** The parts in their order, or undefined when these bytes are no such form. */
export function parseMultipart(body: Uint8Array, contentType: string): FormPart[] | undefined {
  const boundary = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  if (!boundary) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const delimiter = Buffer.from(`\r\n--${boundary[1] ?? boundary[2]}`);
  // The first one may stand at the very beginning, without a line break before it.
  let at = bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)) ? -2 : bytes.indexOf(delimiter);
  if (at === -1) return undefined;
  const parts: FormPart[] = [];
  for (;;) {
    const start = at + delimiter.length;
    if (bytes.subarray(start, start + 2).toString() === '--') return parts;
    const lineEnd = bytes.indexOf('\r\n', start);
    const headEnd = lineEnd === -1 ? -1 : bytes.indexOf('\r\n\r\n', lineEnd);
    const next = headEnd === -1 ? -1 : bytes.indexOf(delimiter, headEnd + 2);
    if (next === -1 || headEnd - lineEnd > HEADER_BYTES_MAX || parts.length === PARTS_MAX) return undefined;
    const part = toPart(bytes.subarray(lineEnd, headEnd).toString(), bytes.subarray(headEnd + 4, next));
    if (!part) return undefined;
    parts.push(part);
    at = next;
  }
}

function toPart(head: string, bytes: Buffer): FormPart | undefined {
  const disposition = /^content-disposition:\s*form-data\b(.*)$/im.exec(head)?.[1];
  if (disposition === undefined) return undefined;
  const filename = parameter(disposition, 'filename');
  return {
    name: parameter(disposition, 'name') ?? '',
    ...(filename === undefined ? {} : { filename }),
    contentType: /^content-type:\s*([^\r\n]+)$/im.exec(head)?.[1]?.trim() ?? '',
    bytes,
  };
}

/** Browsers write quotes and line breaks in names percent-encoded; others put a backslash before them. */
function parameter(text: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(text);
  if (!found) return undefined;
  return (found[1]?.replace(/\\(["\\])/g, '$1') ?? found[2] ?? '').replace(/%(22|0D|0A)/gi, (code) =>
    decodeURIComponent(code),
  );
}

/** The fields of an urlencoded form; undefined when this is other text that only calls itself one, as curl does. */
export function parseUrlencoded(text: string): Record<string, string | string[]> | undefined {
  if (text.split('&', FIELDS_MAX + 1).length > FIELDS_MAX) return undefined;
  if (!FORM.test(text)) return undefined;
  return fieldsOf([...new URLSearchParams(text)]);
}

/** A name that comes several times has a list of values. */
export function fieldsOf(pairs: [string, string][]): Record<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of pairs) {
    const known = fields.get(name);
    fields.set(name, known === undefined ? value : [...[known].flat(), value]);
  }
  return Object.fromEntries(fields);
}
