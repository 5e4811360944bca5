// A conversation as turns: what was asked, what came, how it ended. Made of its lines, so a reload shows what was shown live.
import type { TurnEnd } from '../../dispatch/chat-lines.ts';
import type { RunLine } from '../../store/run-pages.ts';
import { markdown, withCode } from './markdown.ts';
import { clip, type Moment, moment, money } from './shown.ts';
import { type Block, blocksOf } from './transcript.ts';

export type TurnView = {
  /** seq of what was asked. */
  seq: number;
  /** seq of its last line. */
  lastSeq: number;
  at: Moment;
  you: string;
  /** What the agent was told, when that is not what was typed. */
  sent: string;
  blocks: (Block | { kind: 'remark'; seq: number; text: string })[];
  end: EndView | undefined;
};

export type EndView = {
  state: TurnEnd['state'];
  /** What is wrong and what to do; empty when nothing is. */
  sentence: string;
  /** HTML. */
  fix: string;
  note: string;
};

type Extra = { you?: { text?: string; sent?: string }; remark?: string; end?: TurnEnd };

const SENT_MAX = 20_000;

/** @param lines oldest first; what comes before the first question is left out */
export function turnsOf(lines: RunLine[]): TurnView[] {
  const turns: { turn: TurnView; lines: RunLine[] }[] = [];
  for (const line of lines) {
    const { you } = extraOf(line);
    if (you) {
      const turn = { seq: line.seq, lastSeq: line.seq, at: moment(line.at), blocks: [], end: undefined };
      turns.push({ turn: { ...turn, you: you.text ?? '', sent: clip(you.sent ?? '', SENT_MAX) }, lines: [] });
    } else turns.at(-1)?.lines.push(line);
  }
  return turns.map(({ turn, lines: own }) => ({ ...turn, ...answerOf(own), lastSeq: own.at(-1)?.seq ?? turn.seq }));
}

function answerOf(lines: RunLine[]): Pick<TurnView, 'blocks' | 'end'> {
  const spoken = lines.filter((line) => !extraOf(line).end && extraOf(line).remark === undefined);
  const remarks = lines.flatMap((line) => {
    const { remark } = extraOf(line);
    return remark === undefined ? [] : [{ kind: 'remark' as const, seq: line.seq, text: remark }];
  });
  const blocks = [...blocksOf(spoken).blocks.map(copyable), ...remarks].sort((a, b) => a.seq - b.seq);
  const last = lines.at(-1);
  const end = last && extraOf(last).end;
  return { blocks, end: end && endOf(end) };
}

function endOf({ state, problem, model = '', costUsd, ms = 0 }: TurnEnd): EndView {
  const seconds = ms < 1_000 ? '' : ms < 90_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
  const cost = costUsd === undefined ? '' : money(costUsd);
  const note = [WORDS[state], model, seconds, cost].filter(Boolean).join(' · ');
  return { state, sentence: problem?.sentence ?? '', fix: withCode(problem?.fix ?? ''), note };
}

const WORDS: Record<TurnEnd['state'], string> = { done: '', stopped: 'Stopped', failed: '', 'cut off': 'Cut off' };

/** What is being said, as far as it has come. */
export const growingHtml = (text: string): string => (text.trim() === '' ? '' : withCopy(markdown(text)));

const copyable = (block: Block): Block => (block.kind === 'said' ? { ...block, html: withCopy(block.html) } : block);

/** Our own markup around what {@link markdown} has cleaned: there, `<pre>` stands for nothing but code. */
const withCopy = (html: string): string =>
  html
    .replaceAll(
      '<pre>',
      '<div class="code"><button type="button" class="copy" data-copy-code>Copy</button><pre tabindex="0">',
    )
    .replaceAll('</pre>', '</pre></div>');

function extraOf({ extra }: RunLine): Extra {
  return extra === null ? {} : (JSON.parse(extra) as Extra);
}
