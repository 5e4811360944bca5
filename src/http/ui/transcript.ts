// Lines of a transcript as what they are: words, thoughts, calls with their results, remarks, and the end.
import type { RunLine } from '../../store/run-pages.ts';
import { markdown } from './markdown.ts';
import { clip, type Moment, moment } from './shown.ts';

export type CallResult = { isError: boolean; text: string; summary: string; at: Moment };

export type Block = { seq: number; at: Moment; by: string } & (
  | { kind: 'said'; html: string }
  | { kind: 'thought'; text: string; summary: string }
  | { kind: 'call'; name: string; input: string; summary: string; result: CallResult | undefined }
  /** A result whose call is not among the lines. */
  | { kind: 'result'; name: string; result: CallResult }
  | { kind: 'start'; facts: { name: string; value: string }[] }
  | { kind: 'end'; text: string; isGood: boolean }
  | { kind: 'line'; text: string; tone: 'plain' | 'stderr' | 'remark' }
);

/** What came in answer to a call that was shown before; `callSeq` is that of the call's line. */
export type LateResult = { callSeq: number; result: CallResult };

/** What a structured line carries, as far as an agent writes it. Agents write it, so nothing of it is taken for granted. */
type Extra = {
  text?: unknown;
  tool_use?: { id?: unknown; name?: unknown; input?: unknown };
  tool_result?: { id?: unknown; name?: unknown; isError?: unknown; content?: unknown };
  version?: unknown;
  model?: unknown;
  session?: unknown;
  tools?: unknown;
};

const SUMMARY_MAX = 140;
const TEXT_MAX = 40_000;

/**
 * @param lines oldest first
 * @param shown earlier lines, in which calls are looked for whose results come now
 */
export function blocksOf(lines: RunLine[], shown: RunLine[] = []): { blocks: Block[]; late: LateResult[] } {
  const blocks: Block[] = [];
  const late: LateResult[] = [];
  const calls = new Map<string, Block & { kind: 'call' }>();
  const before = new Map(
    shown.flatMap((line): [string, number][] => {
      const id = extraOf(line).tool_use?.id;
      return typeof id === 'string' ? [[id, line.seq]] : [];
    }),
  );
  for (const line of lines) {
    const extra = extraOf(line);
    if (extra.tool_result) {
      const result = resultOf(line, extra.tool_result);
      const id = String(extra.tool_result.id ?? '');
      const call = calls.get(id);
      const callSeq = before.get(id);
      if (call && !call.result) call.result = result;
      else if (callSeq !== undefined) late.push({ callSeq, result });
      else blocks.push({ ...commonOf(line), kind: 'result', name: textOf(extra.tool_result.name), result });
      continue;
    }
    const block = blockOf(line, extra);
    if (block.kind === 'call') calls.set(String(extra.tool_use?.id ?? ''), block);
    blocks.push(block);
  }
  return { blocks, late };
}

function blockOf(line: RunLine, extra: Extra): Block {
  const common = commonOf(line);
  const body = line.body.replace(/^sub-agent /, '');
  if (extra.tool_use) {
    const input = pretty(extra.tool_use.input);
    return {
      ...common,
      kind: 'call',
      name: textOf(extra.tool_use.name),
      input,
      summary: inBrief(extra.tool_use.input),
      result: undefined,
    };
  }
  const [, prefix = '', rest = ''] = /^(assistant|thinking|result|result-error|stderr): ?([\s\S]*)$/.exec(body) ?? [];
  const whole = typeof extra.text === 'string' ? extra.text : prefix === '' ? body : rest;
  switch (prefix) {
    case 'assistant':
      return { ...common, kind: 'said', html: markdown(whole) };
    case 'thinking':
      return { ...common, kind: 'thought', text: clip(whole, TEXT_MAX), summary: clip(flat(whole), SUMMARY_MAX) };
    case 'stderr':
      return { ...common, kind: 'line', text: whole, tone: 'stderr' };
    case 'result':
    case 'result-error':
      return {
        ...common,
        kind: 'line',
        text: `${prefix}: ${clip(whole, TEXT_MAX)}`,
        tone: prefix === 'result' ? 'remark' : 'stderr',
      };
    default:
      return otherOf(common, body, { whole, extra });
  }
}

function otherOf(
  common: Pick<Block, 'seq' | 'at' | 'by'>,
  body: string,
  { whole, extra }: { whole: string; extra: Extra },
): Block {
  const exit = /^=== exit: ([\s\S]*) ===$/.exec(body)?.[1];
  if (exit !== undefined) return { ...common, kind: 'end', text: exit, isGood: exit === 'ok' };
  if (body === '--- session start ---') return { ...common, kind: 'start', facts: factsOf(extra) };
  const isRemark =
    /^(\[|=== activation:|api_retry:|rate limit:|permission denied:|the conversation was summarised)/.test(body);
  return { ...common, kind: 'line', text: clip(whole, TEXT_MAX), tone: isRemark ? 'remark' : 'plain' };
}

const factsOf = ({ model, version, tools, session }: Extra): { name: string; value: string }[] =>
  [
    { name: 'Model', value: textOf(model) },
    { name: 'Version', value: textOf(version) },
    { name: 'Session', value: textOf(session) },
    { name: 'Tools', value: Array.isArray(tools) ? tools.map(textOf).join(', ') : '' },
  ].filter(({ value }) => value !== '');

const commonOf = ({ seq, at, body }: RunLine) => ({
  seq,
  at: moment(at),
  by: body.startsWith('sub-agent ') ? 'sub-agent' : '',
});

function resultOf(line: RunLine, { isError, content }: NonNullable<Extra['tool_result']>): CallResult {
  const text = contentText(content) || line.body.replace(/^(sub-agent )?tool_result(-error)?: ?/, '');
  return {
    isError: isError === true,
    text: clip(pretty(text), TEXT_MAX),
    summary: clip(flat(text), SUMMARY_MAX),
    at: moment(line.at),
  };
}

/** A result is a text, or blocks of it; what is no text is named by its type. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return content == null ? '' : (JSON.stringify(content) ?? '');
  return content
    .map((block: { text?: unknown; type?: unknown } | null) =>
      typeof block?.text === 'string' ? block.text : `[${textOf(block?.type)}]`,
    )
    .join('\n');
}

/** JSON is laid out, whether it comes as such or as text. */
function pretty(value: unknown): string {
  if (typeof value !== 'string') return value === undefined ? '' : clip(JSON.stringify(value, null, 2) ?? '', TEXT_MAX);
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

/** `streamId: s-desk, body: Two bridges…` */
function inBrief(input: unknown): string {
  if (typeof input !== 'object' || input === null) return clip(flat(textOf(input)), SUMMARY_MAX);
  const parts = Object.entries(input).map(
    ([name, value]) => `${name}: ${clip(flat(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')), 60)}`,
  );
  return clip(parts.join(', '), SUMMARY_MAX);
}

/** An agent of one's own may print its calls as plain lines; a result then belongs to the call before it. */
function printed(body: string): Extra {
  const [, name, text = ''] = /^tool_use (\S+): ?([\s\S]*)$/.exec(body) ?? [];
  if (name !== undefined) return { tool_use: { id: '', name, input: asJson(text) } };
  const [, error, content] = /^tool_result(-error)?: ?([\s\S]*)$/.exec(body) ?? [];
  return content === undefined ? {} : { tool_result: { id: '', isError: error !== undefined, content } };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function extraOf({ extra, body }: RunLine): Extra {
  if (extra === null) return printed(body);
  try {
    const parsed = JSON.parse(extra) as unknown;
    if (typeof parsed !== 'object' || parsed === null) return {};
    const known = parsed as Extra;
    // A long line is kept whole beside its beginning.
    const isPrinted = body.startsWith('tool_') && !known.tool_use && !known.tool_result;
    return isPrinted && typeof known.text === 'string' ? printed(known.text) : known;
  } catch {
    return {};
  }
}

const flat = (text: string): string => text.slice(0, 2_000).replace(/\s+/g, ' ').trim();
const textOf = (value: unknown): string => (typeof value === 'string' ? value : value == null ? '' : String(value));
