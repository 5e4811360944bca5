// Setting and removing one table of a TOML file somebody else keeps: every other byte stays as it is.

/** A line of the file that says something, from its first character to behind its line break. */
type Statement = { start: number; end: number } & (
  | { kind: 'header'; path: string[]; isArray: boolean }
  | { kind: 'pair'; path: string[]; valueStart: number; valueEnd: number }
);

const BARE = /[A-Za-z0-9_-]/;

/** @throws SyntaxError where the text is no TOML that this reads */
function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  for (let at = skipBlank(text, 0); at < text.length; at = skipBlank(text, at)) {
    const start = at;
    if (text[at] === '[') {
      const isArray = text[at + 1] === '[';
      const key = keyAt(text, at + (isArray ? 2 : 1));
      if (text[key.end] !== ']') throw new SyntaxError(`a table is not closed at offset ${start}`);
      at = lineEnd(text, key.end);
      statements.push({ kind: 'header', start, end: at, path: key.path, isArray });
      continue;
    }
    const key = keyAt(text, at);
    if (text[key.end] !== '=') throw new SyntaxError(`no value at offset ${start}`);
    const valueStart = skipSpace(text, key.end + 1);
    const valueEnd = valueEndOf(text, valueStart);
    at = lineEnd(text, valueEnd);
    statements.push({ kind: 'pair', start, end: at, path: key.path, valueStart, valueEnd });
  }
  return statements;
}

/** A dotted key with the spaces behind it. */
function keyAt(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = [];
  for (let at = skipSpace(text, from); ; at = skipSpace(text, at + 1)) {
    const start = at;
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      at = stringEnd(text, at);
      const inner = text.slice(start + 1, at - 1);
      path.push(quote === '"' ? (JSON.parse(`"${inner}"`) as string) : inner);
    } else {
      while (BARE.test(text[at] ?? '')) at++;
      if (at === start) throw new SyntaxError(`no key at offset ${start}`);
      path.push(text.slice(start, at));
    }
    at = skipSpace(text, at);
    if (text[at] !== '.') return { path, end: at };
  }
}

function valueEndOf(text: string, from: number): number {
  let depth = 0;
  let last = from;
  for (let at = from; at < text.length; ) {
    const char = text[at] ?? '';
    if (depth === 0 && /[\r\n#]/.test(char)) break;
    if (char === '#') at = nextBreak(text, at);
    else if (char === '"' || char === "'") at = stringEnd(text, at);
    else {
      if ('[{'.includes(char)) depth++;
      if (']}'.includes(char)) depth--;
      at++;
    }
    if (!/\s/.test(char)) last = at;
  }
  if (depth !== 0) throw new SyntaxError(`a bracket is not closed at offset ${from}`);
  return last;
}

/** Behind the string that begins here, of any of TOML's four kinds. */
function stringEnd(text: string, from: number): number {
  const quote = text[from] ?? '';
  const triple = quote.repeat(3);
  const delimiter = text.startsWith(triple, from) ? triple : quote;
  for (let at = from + delimiter.length; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text.startsWith(delimiter, at)) {
      at += delimiter.length;
      // Up to two more quotes belong to the text of a long string.
      while (delimiter.length === 3 && text[at] === quote) at++;
      return at;
    } else if (delimiter.length === 1 && text[at] === '\n') break;
  }
  throw new SyntaxError(`a string is not closed at offset ${from}`);
}

function skipSpace(text: string, at: number): number {
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

function skipBlank(text: string, at: number): number {
  for (;;) {
    while (/[\s\ufeff]/.test(text[at] ?? '')) at++;
    if (text[at] !== '#') return at;
    at = nextBreak(text, at);
  }
}

function nextBreak(text: string, at: number): number {
  const found = text.indexOf('\n', at);
  return found < 0 ? text.length : found;
}

const lineEnd = (text: string, at: number): number => Math.min(nextBreak(text, at) + 1, text.length);

type Found = { header: Statement; pairs: Extract<Statement, { kind: 'pair' }>[]; end: number };

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((key, index) => path[index] === key);

/**
 * The table of this name with the pairs in it.
 * @throws TypeError when it is written in another form than a `[table]` of its own
 */
function find(text: string, name: readonly string[]): { table?: Found; below: { start: number; end: number }[] } {
  let table: Found | undefined;
  let current: string[] = [];
  const below: { start: number; end: number }[] = [];
  for (const statement of statementsOf(text)) {
    if (statement.kind === 'header') {
      current = statement.path;
      if (!startsWith(current, name)) continue;
      if (statement.isArray) throw new TypeError(`${name.join('.')} is a list of tables`);
      if (current.length === name.length) table = { header: statement, pairs: [], end: statement.end };
      else below.push({ start: statement.start, end: statement.end });
      continue;
    }
    const whole = [...current, ...statement.path];
    if (startsWith(current, name)) {
      const part = current.length === name.length ? table : below.at(-1);
      if (part) part.end = statement.end;
      if (part === table) table?.pairs.push(statement);
    } else if (startsWith(whole, name) || startsWith(name, whole)) {
      throw new TypeError(`${name.join('.')} is not written as a table of its own`);
    }
  }
  return { ...(table ? { table } : {}), below };
}

/** The pairs of a table as they are written, by key; undefined when there is no such table. */
export function tableOf(text: string, name: readonly string[]): Record<string, string> | undefined {
  const { table } = find(text, name);
  return table && Object.fromEntries(table.pairs.map((pair) => [pair.path.join('.'), written(text, pair)]));
}

const written = (text: string, { valueStart, valueEnd }: { valueStart: number; valueEnd: number }) =>
  text.slice(valueStart, valueEnd);

/**
 * The text with these pairs in the table; other pairs of it stay.
 * @param pairs values as they are written in TOML; undefined removes one
 */
export function setTable(text: string, name: readonly string[], pairs: Record<string, string | undefined>): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const wanted = Object.entries(pairs);
  const { table } = find(text, name);
  if (!table) {
    const lines = [`[${name.join('.')}]`, ...wanted.flatMap(([key, value]) => (value ? [`${key} = ${value}`] : []))];
    const before = text === '' ? '' : `${text}${text.endsWith('\n') ? '' : newline}${newline}`;
    return `${before}${lines.join(newline)}${newline}`;
  }
  let changed = text;
  // From the last to the first, so that offsets hold.
  for (const pair of table.pairs.toReversed()) {
    const key = pair.path.join('.');
    if (!(key in pairs)) continue;
    const value = pairs[key];
    changed =
      value === undefined
        ? changed.slice(0, pair.start) + changed.slice(pair.end)
        : changed.slice(0, pair.valueStart) + value + changed.slice(pair.valueEnd);
  }
  const there = new Set(table.pairs.map((pair) => pair.path.join('.')));
  const added = wanted.flatMap(([key, value]) => (value && !there.has(key) ? [`${key} = ${value}${newline}`] : []));
  const { end } = table.header;
  const lead = changed.slice(0, end).endsWith('\n') ? '' : newline;
  return added.length === 0 ? changed : changed.slice(0, end) + lead + added.join('') + changed.slice(end);
}

/** The text without this table and those below it. */
export function removeTable(text: string, name: readonly string[]): string {
  const { table, below } = find(text, name);
  const spans = [...(table ? [{ start: table.header.start, end: table.end }] : []), ...below];
  let rest = text;
  for (const { start, end } of spans.toSorted((a, b) => b.start - a.start)) {
    // The blank line that set it apart goes with it.
    const before = rest.slice(0, start).replace(/(^|\n)\r?\n$/, '$1');
    rest = before + rest.slice(end);
  }
  return rest;
}
