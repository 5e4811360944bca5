// A folder of files as an organisation's document: what cannot be read is told with file and line, all of it at once.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { invalid } from '../domain/errors.ts';
import { checkId, type IdPrefix } from '../domain/ids.ts';
import { type OrgDocument, positionShape, streamShape, workerShape } from './org-document.ts';
import { FOLDERS, MARK, MARK_FILE, POSITIONS_FILE } from './org-folder-write.ts';

/** Where something stands in a document: the noun, the id, and the way to the value. */
export type Where = readonly string[];

export type ReadFolder = {
  document: OrgDocument;
  /** `file:line` of something in the document. */
  locate(where: Where): string;
};

type Source = { file: string; lines: LineCounter; parsed?: Document; firstLine: number };
type Noun = keyof OrgDocument;

const PREFIXES: Record<Noun, IdPrefix> = { roles: 'r', positions: 'p', streams: 's', workers: 'w' };
const HEAD = /^---\n([\s\S]*?)^---(?:\n|$)\n?/m;

/** @throws OrgError invalid that lists every problem, one a line */
export function readFolder(folder: string): ReadFolder {
  const problems: string[] = [];
  const sources = new Map<string, Source>();
  const document: OrgDocument = { roles: {}, positions: {}, streams: {}, workers: {} };
  readMark(folder);
  const positions = textOf(folder, POSITIONS_FILE, problems);
  if (positions !== undefined) {
    const source = parse(POSITIONS_FILE, positions, 1, problems);
    sources.set('positions', source);
    document.positions = shaped(source, z.record(z.string(), positionShape), problems) ?? {};
    for (const id of Object.keys(document.positions)) checked('positions', id, lineOf(source, [id]), problems);
  }
  for (const noun of ['roles', 'streams', 'workers'] as const) {
    for (const name of namesIn(folder, noun, problems)) {
      const file = `${noun}/${name}`;
      const id = name.slice(0, -FOLDERS[noun].length);
      if (!name.endsWith(FOLDERS[noun])) {
        problems.push(`${file}: only files that end in ${FOLDERS[noun]} belong here.`);
        continue;
      }
      if (!checked(noun, id, file, problems)) continue;
      const text = textOf(folder, file, problems);
      if (text === undefined) continue;
      if (noun === 'roles') {
        sources.set(file.slice(0, -3), { file, lines: new LineCounter(), firstLine: 1 });
        document.roles[id] = withoutLastNewline(text);
        continue;
      }
      const source = noun === 'streams' ? parse(file, text, 1, problems) : headOf(file, text, problems);
      if (!source) continue;
      sources.set(`${noun}/${id}`, source);
      if (noun === 'streams') {
        const stream = shaped(source, streamShape, problems);
        if (stream) document.streams[id] = stream;
      } else {
        const worker = shaped(source, workerShape, problems);
        if (worker) document.workers[id] = { ...worker, identity: withoutLastNewline(text.replace(HEAD, '')) };
      }
    }
  }
  if (problems.length > 0) throw invalid(`Nothing was changed. ${folder} cannot be applied:\n${problems.join('\n')}`);
  return {
    document,
    locate([noun = '', id = '', ...rest]) {
      const source = sources.get(noun === 'positions' ? noun : `${noun}/${id}`);
      if (!source) return `${noun}/${id}`;
      return lineOf(source, noun === 'positions' ? [id, ...rest] : rest);
    },
  };
}

function readMark(folder: string): void {
  const problems: string[] = [];
  const text = textOf(folder, MARK_FILE, problems);
  if (text === undefined)
    throw invalid(`${folder} is no export of an organisation: it has no ${MARK_FILE} that says "${MARK.trim()}".`);
  if (text.replaceAll('\r', '').trim() !== MARK.trim())
    throw invalid(`${MARK_FILE}: this version reads "${MARK.trim()}" only; upgrade helix-org to apply another form.`);
}

function namesIn(folder: string, noun: Exclude<Noun, 'positions'>, problems: string[]): string[] {
  try {
    return readdirSync(join(folder, noun))
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') problems.push(`${noun}: cannot be read (${code}).`);
    return [];
  }
}

function textOf(folder: string, path: string, problems: string[]): string | undefined {
  const file = join(folder, path);
  try {
    if (!lstatSync(file).isFile()) problems.push(`${path}: this is no plain file.`);
    else return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      problems.push(
        `${path}: ${code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'this is no UTF-8.' : `cannot be read (${code}).`}`,
      );
  }
  return undefined;
}

function checked(noun: Noun, id: string, at: string, problems: string[]): boolean {
  try {
    checkId(PREFIXES[noun], id);
    return true;
  } catch (error) {
    problems.push(`${at}: ${(error as Error).message}`);
    return false;
  }
}

/** The last line's end belongs to the file, not to the text. */
const withoutLastNewline = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text);

function headOf(file: string, text: string, problems: string[]): Source | undefined {
  const head = text.startsWith('---\n') ? HEAD.exec(text) : undefined;
  if (head) return parse(file, head[1] ?? '', 2, problems);
  problems.push(`${file}:1: a Worker's file begins with a head of YAML between two lines of ---.`);
  return undefined;
}

function parse(file: string, text: string, firstLine: number, problems: string[]): Source {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { message, pos } of [...parsed.errors, ...parsed.warnings])
    problems.push(`${file}:${lines.linePos(pos[0]).line + firstLine - 1}: ${message.split('\n')[0]}`);
  return { file, lines, firstLine, ...(parsed.errors.length === 0 ? { parsed } : {}) };
}

function shaped<S extends z.ZodType>(source: Source, shape: S, problems: string[]): z.output<S> | undefined {
  if (!source.parsed) return undefined;
  let value: unknown;
  try {
    value = source.parsed.toJS();
  } catch (error) {
    problems.push(`${source.file}: ${(error as Error).message}`);
    return undefined;
  }
  const result = shape.safeParse(value ?? {});
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      problems.push(
        ...issue.keys.map((key) => `${lineOf(source, [...path, key])}: unknown key ${[...path, key].join('.')}`),
      );
    else problems.push(`${lineOf(source, path)}: ${path.join('.') || 'the file'}: ${issue.message}`);
  }
  return undefined;
}

/** The line of a value, or of the nearest one around it that is there. */
function lineOf({ file, parsed, lines, firstLine }: Source, path: readonly string[]): string {
  for (let length = path.length; parsed && length > 0; length--) {
    const keys = path.slice(0, length).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    const node = parsed.getIn(keys, true);
    if (isNode(node) && node.range) return `${file}:${lines.linePos(node.range[0]).line + firstLine - 1}`;
  }
  return parsed ? `${file}:${firstLine}` : file;
}
