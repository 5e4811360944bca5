// Sessions that Claude Code keeps on disk: which there are, and what was said in them. Its files are its own affair, so whatever
// does not read as expected is passed over.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClaudeBlock } from './claude-message.ts';

export type StoredSession = { id: string; title: string; at: string };

/** What was said, in order. */
export type StoredTalk =
  | { kind: 'you'; text: string; at: string }
  | { kind: 'said'; text: string; at: string }
  | { kind: 'call'; id: string; name: string; input: unknown; at: string }
  | { kind: 'result'; id: string; isError: boolean; content: unknown; at: string };

const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FILES_MAX = 200;
const TALK_MAX = 2_000;
/** What the program itself puts into the mouth of its user. */
const SCAFFOLDING = /^\s*(<command-name>|<local-command-|<system-reminder>|\[Request interrupted)/;

/** The folder that a working directory's sessions are in, below `projects`. */
const projectOf = (cwd: string): string => cwd.replace(/[^A-Za-z0-9]/g, '-');

const fileOf = (configDirectory: string, cwd: string, session: string): string =>
  join(configDirectory, 'projects', projectOf(cwd), `${session}.jsonl`);

/** Those there are, and when each was written last; newest first. */
export async function storedSessions(configDirectory: string, cwd: string): Promise<{ id: string; at: string }[]> {
  const names = await readdir(join(configDirectory, 'projects', projectOf(cwd))).catch(() => [] as string[]);
  const found: { id: string; at: string }[] = [];
  for (const name of names) {
    const id = name.replace(/\.jsonl$/, '');
    if (!name.endsWith('.jsonl') || !SESSION_ID.test(id)) continue;
    const modified = await stat(fileOf(configDirectory, cwd, id)).catch(() => undefined);
    if (modified) found.push({ id, at: modified.mtime.toISOString() });
  }
  return found.sort((a, b) => (a.at < b.at ? 1 : -1));
}

/** Newest first; those in which nothing was said are left out. @param known ids that need not be looked at */
export async function listClaudeSessions(
  configDirectory: string,
  cwd: string,
  known: ReadonlySet<string>,
): Promise<StoredSession[]> {
  const stored = await storedSessions(configDirectory, cwd);
  const found: StoredSession[] = [];
  for (const { id, at } of stored.filter((each) => !known.has(each.id)).slice(0, FILES_MAX)) {
    const title = await titleOf(fileOf(configDirectory, cwd, id));
    if (title !== '') found.push({ id, title, at });
  }
  return found;
}

/** @returns undefined when there is no such session */
export async function readClaudeSession(
  configDirectory: string,
  cwd: string,
  session: string,
): Promise<StoredTalk[] | undefined> {
  if (!SESSION_ID.test(session)) return undefined;
  const file = fileOf(configDirectory, cwd, session);
  if (!(await stat(file).catch(() => undefined))?.isFile()) return undefined;
  const talk: StoredTalk[] = [];
  for await (const record of recordsOf(file)) {
    talk.push(...talkOf(record));
    if (talk.length >= TALK_MAX) break;
  }
  return talk;
}

type StoredRecord = {
  type?: string;
  timestamp?: string;
  isMeta?: boolean;
  isSidechain?: boolean;
  customTitle?: string;
  aiTitle?: string;
  message?: { content?: string | ClaudeBlock[] };
};

async function titleOf(file: string): Promise<string> {
  let first = '';
  let title = '';
  for await (const record of recordsOf(file)) {
    title = record.customTitle ?? record.aiTitle ?? title;
    if (first === '') first = talkOf(record).find(({ kind }) => kind === 'you')?.['text' as never] ?? '';
  }
  return first === '' ? '' : (title || first).replace(/\s+/g, ' ').trim();
}

async function* recordsOf(file: string): AsyncGenerator<StoredRecord> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      const record = parsed(line);
      if (record && !record.isMeta && !record.isSidechain) yield record;
    }
  } catch {
    // Gone meanwhile, or not for us to read.
  }
}

function parsed(line: string): StoredRecord | undefined {
  try {
    const record = JSON.parse(line) as unknown;
    return typeof record === 'object' && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}

function talkOf({ type, message, timestamp: at = '' }: StoredRecord): StoredTalk[] {
  const content = message?.content ?? [];
  const blocks: ClaudeBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return blocks.flatMap((block): StoredTalk[] => {
    const { text = '', id = '', name = '', input, tool_use_id: callId = '', is_error: isError = false } = block;
    const isSpoken = block.type === 'text' && text.trim() !== '' && !SCAFFOLDING.test(text);
    if (type === 'user' && isSpoken) return [{ kind: 'you', text, at }];
    if (type === 'assistant' && isSpoken) return [{ kind: 'said', text, at }];
    if (type === 'assistant' && block.type === 'tool_use') return [{ kind: 'call', id, name, input, at }];
    if (type === 'user' && block.type === 'tool_result')
      return [{ kind: 'result', id: callId, isError, content: block.content, at }];
    return [];
  });
}
