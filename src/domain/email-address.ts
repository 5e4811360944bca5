const LENGTH_MAX = 254;
const LOCAL_MAX = 64;
const ADDRESS = /^[^\s@<>(),;:"[\]\\\p{Cc}]+@[^\s@<>(),;:"[\]\\\p{Cc}]+$/u;

/** Whether this is one mail address and nothing that could be read as more than one, or as a header. Quoted local parts are not. */
export const isEmailAddress = (text: string): boolean =>
  text.length <= LENGTH_MAX && ADDRESS.test(text) && text.indexOf('@') <= LOCAL_MAX;

/** An address with the name that goes with it; empty when there is none. */
export type Mailbox = { name: string; address: string };

/** Mailboxes looked at in one header; more are nobody's correspondents. */
const MAILBOXES_MAX = 500;
const TEXT_MAX = 100_000;

/**
 * The mailboxes of a header such as `To` (RFC 5322 §3.4): names, quoted names, comments and groups. What is no address is left
 * out; nothing is thrown. Goes through the text once.
 */
export function parseMailboxes(text: string): Mailbox[] {
  const found: Mailbox[] = [];
  for (const part of split(text.slice(0, TEXT_MAX))) {
    const mailbox = toMailbox(part);
    if (mailbox) found.push(mailbox);
    if (found.length === MAILBOXES_MAX) break;
  }
  return found;
}

/** Pieces between the commas, semicolons and group names that stand outside of quotes, comments and angle brackets. */
function* split(text: string): Iterable<Piece> {
  let piece: Piece = { text: '', bracketed: undefined };
  let mode: 'plain' | 'quoted' | 'bracketed' = 'plain';
  let comments = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\' && (mode === 'quoted' || comments > 0)) {
      at += 1;
      if (comments === 0) piece.text += text.charAt(at);
    } else if (comments > 0) {
      if (char === '(') comments += 1;
      if (char === ')') comments -= 1;
    } else if (mode === 'quoted') {
      if (char === '"') mode = 'plain';
      else piece.text += char;
    } else if (mode === 'bracketed') {
      if (char === '>') mode = 'plain';
      else piece.bracketed += char;
    } else if (char === '"') mode = 'quoted';
    else if (char === '(') comments = 1;
    else if (char === '<') {
      mode = 'bracketed';
      piece.bracketed = '';
    } else if (char === ',' || char === ';') {
      yield piece;
      piece = { text: '', bracketed: undefined };
    } else if (char === ':') piece.text = '';
    else piece.text += char;
  }
  yield piece;
}

type Piece = { text: string; bracketed: string | undefined };

function toMailbox({ text, bracketed }: Piece): Mailbox | undefined {
  const address = (bracketed ?? text).trim();
  if (!isEmailAddress(address)) return undefined;
  return { name: bracketed === undefined ? '' : text.replace(/\s+/g, ' ').trim(), address };
}

/** Splits at the `@`; the plus-part is what follows the first `+` of the local part, undefined when there is none. */
export function partsOf(address: string): { local: string; plus: string | undefined; domain: string } {
  const at = address.lastIndexOf('@');
  const whole = address.slice(0, at);
  const plusAt = whole.indexOf('+');
  return {
    local: plusAt < 0 ? whole : whole.slice(0, plusAt),
    plus: plusAt < 0 ? undefined : whole.slice(plusAt + 1),
    domain: address.slice(at + 1).toLowerCase(),
  };
}

/** The address with another plus-part. */
export function withPlus(address: string, plus: string): string {
  const { local, domain } = partsOf(address);
  return `${local}+${plus}@${domain}`;
}
