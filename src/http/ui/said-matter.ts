// What was said and waits for a person: held, parked, not delivered, or left without an answer.
import type { MatterOf } from './attention.ts';
import { activationHref, workerHref } from './links.ts';
import { discard, type MatterRow, type Row, run, sentenceOf } from './matter-actions.ts';
import { count } from './shown.ts';
import { triggerWords } from './trigger-words.ts';
import type { Visit } from './visit.ts';

type Deps = Parameters<typeof triggerWords>[0];

type Kind = 'dead' | 'leaving' | 'event' | 'trigger' | 'parked' | 'expired' | 'unanswered';

/** What holds for each kind; `event` is the id of the Event it is about, or '' when it is about none. */
type About = Pick<MatterRow, 'id' | 'title' | 'href' | 'excerpt' | 'about'>;
type Tellers = { [K in Kind]: (matter: MatterOf<K>, about: About, event: string) => Row };

const tellers: Tellers = {
  event: ({ reason }, about, event) => ({
    ...about,
    tag: 'Held Event',
    tone: 'warm',
    sentence: `It wakes nobody and does not leave until somebody decides: ${sentenceOf(reason)}`,
    actions: [run('Release', 'release', [['id', event]], ''), discard([['id', event]])],
  }),
  leaving: (matter, about, event) => ({
    ...about,
    tag: 'Waits to leave',
    tone: 'warm',
    sentence: `${copies(matter)} to leave: ${sentenceOf(matter.reason || 'a person looks at it first')}`,
    actions: [run('Let it leave', 'release', [['id', event]], ''), discard([['id', event]])],
  }),
  dead: ({ copies: [first], reason }, about, event) => ({
    ...about,
    tag: 'Not delivered',
    tone: 'bad',
    sentence: `Given up after ${count(first?.attempts ?? 0, 'attempt')}: ${sentenceOf(reason)}`,
    actions: [run('Send again', 'retry', [['id', event]], ''), discard([['id', event]])],
  }),
  trigger: triggerRow,
  parked: parkedRow,
  expired: expiredRow,
  unanswered: unansweredRow,
};

/** One matter about something that was said, or that a Worker was asked. */
export function said(deps: Deps, visit: Visit, matter: MatterOf<Kind>): Row {
  const seq = 'seqs' in matter ? (matter.seqs[0] ?? 0) : matter.seq;
  const words = triggerWords(deps, visit, matter.kind === 'unanswered' ? matter.question : seq);
  const about = {
    id: `${matter.kind}-${matter.workerId}-${seq}`,
    title: words.what,
    href: words.href,
    excerpt: words.excerpt,
    about: [...named(matter.workerId), ...(words.stream ? [{ text: words.stream, href: words.streamHref }] : [])],
  };
  const tell = tellers[matter.kind] as (matter: MatterOf<Kind>, about: About, event: string) => Row;
  return tell(matter, about, deps.queries.eventAt(seq)?.id ?? '');
}

function triggerRow({ workerId, reason }: MatterOf<'trigger'>, about: About, event: string): Row {
  const fields = oneOf(workerId, event);
  return {
    ...about,
    tag: 'Held',
    tone: 'warm',
    sentence: `It does not wake ${workerId}: ${sentenceOf(reason)}`,
    actions: [run('Release', 'release', fields, ''), discard(fields)],
  };
}

function parkedRow({ workerId, seqs, reason, activationId }: MatterOf<'parked'>, common: About): Row {
  const more = seqs.length > 1 ? ` and ${seqs.length - 1} more` : '';
  const fields: [string, string][] = [['id', activationId || workerId]];
  return {
    ...common,
    tag: 'Parked',
    tone: 'bad',
    title: common.title + more,
    sentence: `${workerId} could not deal with it; its last run ended with: ${sentenceOf(reason)}`,
    actions: [
      run('Try again', 'retry', fields, ''),
      discard(fields),
      ...(activationId ? [{ label: 'What happened', href: activationHref(activationId) }] : []),
    ],
  };
}

function expiredRow({ workerId, reason }: MatterOf<'expired'>, about: About, event: string): Row {
  const fields = oneOf(workerId, event);
  return {
    ...about,
    tag: 'Expired',
    tone: 'warm',
    sentence: `It waited too long to wake ${workerId}: ${sentenceOf(reason)}`,
    actions: [run('Show it after all', 'retry', fields, ''), discard(fields)],
  };
}

function unansweredRow({ workerId, activationId }: MatterOf<'unanswered'>, common: About): Row {
  const reason = 'You were asked in person and finished without a reply; answer now, or say why not.';
  return {
    ...common,
    tag: 'No answer',
    tone: 'warm',
    sentence: 'Its run ended well, and it said nothing to who asked. Whatever either of them says next settles this.',
    actions: [
      run(
        'Ask again',
        'activate_worker',
        [
          ['workerId', workerId],
          ['reason', reason],
        ],
        '',
      ),
      { label: 'What happened', href: activationHref(activationId) },
    ],
  };
}

/** What has no Event to name it by is named by its Worker. */
const oneOf = (workerId: string, event: string): [string, string][] =>
  event
    ? [
        ['id', event],
        ['workerId', workerId],
      ]
    : [['id', workerId]];

const copies = ({ copies: all }: MatterOf<'dead' | 'leaving'>): string => {
  const [first] = all;
  if (all.length > 1) return `${all.length} copies of it wait`;
  return first?.recipient ? `The copy for ${first.recipient} waits` : 'It waits';
};

const named = (workerId: string): { text: string; href: string }[] =>
  workerId.startsWith('w-') ? [{ text: workerId, href: workerHref(workerId) }] : [];
