// Setting and removing one member of a JSON file somebody else keeps: every other byte stays as it is.

type Member = { key: string; start: number; valueStart: number; end: number };
/** Offsets of the braces, and what lies between them. */
type ObjectSpan = { open: number; close: number; members: Member[] };

/** Where JSON.parse would have seen the same, one pass over text that is known to be JSON. */
function objectAt(text: string, open: number): ObjectSpan {
  const members: Member[] = [];
  let at = skipSpace(text, open + 1);
  while (text[at] === '"') {
    const start = at;
    const keyEnd = skipValue(text, at);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(start, keyEnd)) as string, start, valueStart, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { open, close: at, members };
}

function skipSpace(text: string, at: number): number {
  while (/[\s\ufeff]/.test(text[at] ?? '')) at++;
  return at;
}

function skipValue(text: string, at: number): number {
  let depth = 0;
  for (;;) {
    const char = text[at];
    if (char === '"') {
      do at += text[at] === '\\' ? 2 : 1;
      while (text[at] !== '"');
      at++;
    } else if (char === '{' || char === '[') {
      depth++;
      at++;
    } else if (char === '}' || char === ']') {
      depth--;
      at++;
    } else if (depth > 0) at++;
    else while (at < text.length && !/[\s,}\]]/.test(text[at] ?? '')) at++;
    if (depth === 0) return at;
  }
}

/**
 * The text with this member set; objects on the way there are made.
 * @param text a JSON object, or blank
 * @throws SyntaxError when it is no JSON; TypeError when something on the way is no object
 */
export function setMember(text: string, path: readonly string[], value: unknown): string {
  if (text.trim() === '') return `${JSON.stringify(nested(path, value), null, 2)}\n`;
  const { object, depth, member } = find(text, path);
  const style = styleOf(text);
  const last = depth === path.length - 1;
  const rendered = render(last ? value : nested(path.slice(depth + 1), value), style, depth + 1);
  if (last && member) return text.slice(0, member.valueStart) + rendered + text.slice(member.end);
  const added = `${JSON.stringify(path[depth])}:${style.newline === '' ? '' : ' '}${rendered}`;
  const previous = object.members.at(-1);
  if (previous) {
    const separator = `,${style.newline}${style.indent.repeat(depth + 1)}`;
    return text.slice(0, previous.end) + separator + added + text.slice(previous.end);
  }
  const inner = style.newline + style.indent.repeat(depth + 1) + added + style.newline + style.indent.repeat(depth);
  return text.slice(0, object.open + 1) + inner + text.slice(object.close);
}

/** The text without this member; the same text when it has none. */
export function removeMember(text: string, path: readonly string[]): string {
  if (text.trim() === '') return text;
  const { object, depth, member } = find(text, path);
  if (!member || depth < path.length - 1) return text;
  const index = object.members.indexOf(member);
  const [previous, next] = [object.members[index - 1], object.members[index + 1]];
  if (previous) return text.slice(0, previous.end) + text.slice(member.end);
  if (next) return text.slice(0, member.start) + text.slice(next.start);
  return text.slice(0, object.open + 1) + text.slice(object.close);
}

/** The value of a member, or undefined. */
export function memberOf(text: string, path: readonly string[]): unknown {
  if (text.trim() === '') return undefined;
  const { depth, member } = find(text, path);
  return member && depth === path.length - 1 ? JSON.parse(text.slice(member.valueStart, member.end)) : undefined;
}

/** The deepest object on the way, and the member of it that the path names next, if it is there. */
function find(text: string, path: readonly string[]): { object: ObjectSpan; depth: number; member?: Member } {
  JSON.parse(text.replace(/^\ufeff/, ''));
  let open = skipSpace(text, 0);
  for (let depth = 0; ; depth++) {
    if (text[open] !== '{') throw new TypeError(`${path.slice(0, depth).join('.') || 'the file'} is no object`);
    const object = objectAt(text, open);
    // Of members with one name, the last counts.
    const member = object.members.findLast(({ key }) => key === path[depth]);
    if (!member) return { object, depth };
    if (depth === path.length - 1) return { object, depth, member };
    open = member.valueStart;
  }
}

const nested = (path: readonly string[], value: unknown): unknown =>
  path.reduceRight((inner, key) => ({ [key]: inner }), value);

type Style = { indent: string; newline: string };

function styleOf(text: string): Style {
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return text.trimEnd().includes('\n') || text.trim() === '{}' ? { indent, newline } : { indent: '', newline: '' };
}

function render(value: unknown, { indent, newline }: Style, depth: number): string {
  if (newline === '') return JSON.stringify(value);
  return JSON.stringify(value, null, indent)
    .split('\n')
    .join(newline + indent.repeat(depth));
}
