// Tells a person what happens in the org, one line per thing.
import { styleText } from 'node:util';

/** An Event as `GET /events` sends it. */
export type FeedEvent = {
  seq: number;
  id: string;
  streamId: string;
  source: string;
  body: string;
  subject?: string;
  createdAt: string;
};

export type Narrator = {
  act(title: string): void;
  say(text: string): void;
  call(tool: string, args: Record<string, unknown>): void;
  /** One of the answers that were given, on a line. */
  answer(text: string): void;
  /** Somebody outside posted to the daemon. */
  post(url: string, body: string, status: number): void;
  tell(event: FeedEvent): void;
};

type Style = Parameters<typeof styleText>[0];

const BODY_MAX = 100;

export function createNarrator(
  colours: boolean,
  print: (line: string) => void = (line) => console.log(line),
): Narrator {
  const paint = (style: Style, text: string) => (colours ? styleText(style, text, { validateStream: false }) : text);
  let acts = 0;
  const transcript = (worker: string, body: string): string | undefined => {
    const woke = /^=== activation: (.*) ===$/.exec(body);
    if (woke)
      return `${paint('yellow', `${worker} wakes`)}   ${woke[1]?.replace(/event e-\S+ on/g, 'an Event on').replace(/transport:\w+/g, 'outside')}`;
    if (body.startsWith('attempt ')) return `${paint('yellow', `${worker} ${body}`)}`;
    if (body.startsWith('=== exit: '))
      return paint('dim', `${worker} ${body === '=== exit: ok ===' ? 'is done' : body}`);
    const tool = /^tool_use (\w+): (.*)$/.exec(body);
    if (tool) return `${worker} uses ${paint('cyan', tool[1] ?? '')} ${paint('dim', clip(tool[2] ?? ''))}`;
    return body.startsWith('assistant: ') ? `${worker} says  ${body.slice(11)}` : undefined;
  };
  return {
    act(title) {
      acts += 1;
      print(`\n${paint('bold', `${acts}. ${title}`)}`);
    },
    say: (text) => print(`   ${text}`),
    call: (tool, args) =>
      print(`   ${paint('dim', 'owner calls')} ${paint('cyan', tool)} ${paint('dim', clip(summary(args)))}`),
    answer: (text) => print(`   ${clip(text)}`),
    post: (url, body, status) => print(`   $ curl -d '${clip(firstLine(body))}' ${url}  →  ${status}`),
    tell({ streamId, source, body, subject }) {
      if (streamId.startsWith('s-activations-')) {
        const line = transcript(source, body);
        if (line) print(`     ${line}`);
        return;
      }
      if (streamId === 's-notices') return print(`     ${paint('magenta', `notice   ${subject ?? ''}`)}`);
      print(
        `     ${paint('green', streamId)}   ${source || 'outside'}: ${paint('bold', clip(firstLine(body) || `(${subject ?? ''})`))}`,
      );
    },
  };
}

function summary(args: Record<string, unknown>): string {
  return Object.entries(args)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? firstLine(value) : JSON.stringify(value)}`)
    .join(' ');
}

const firstLine = (text: string) => (text.includes('\n') ? `${text.split('\n')[0]} …` : text);
const clip = (text: string) => (text.length > BODY_MAX ? `${text.slice(0, BODY_MAX - 1)}…` : text);
