// What came of what somebody did by chat: the facts their agent made during a turn, whom they woke, and what those answered.
import type { Entry } from '../../store/entries.ts';
import { type EventView, toView } from '../../store/event-reader.ts';
import type { OutcomeRun } from '../../store/outcomes.ts';
import type { Queries } from '../../store/queries.ts';
import { bodyOf } from './event-body.ts';
import type { Outcome } from './event-card.ts';
import { type OutcomeDeps, outcomeOf } from './event-outcome.ts';
import { activationHref, eventHref, workerHref } from './links.ts';
import { type Part, sentence } from './sentences.ts';
import { clip, type Moment, moment, money } from './shown.ts';
import type { Visit } from './visit.ts';

export type Caused = {
  seq: number;
  parts: Part[];
  about: string;
  at: Moment;
  outcome: Outcome | undefined;
  /** What others said because of it, in order. */
  answers: { seq: number; from: Part; stream: Part; html: string; at: Moment; depth: number }[];
};

export type CausedDeps = OutcomeDeps & {
  queries: Pick<Queries, 'outcomes' | 'entry' | 'eventAt' | 'chatDoings'>;
};

const DOINGS_MAX = 20;
const ANSWERS_MAX = 12;
const DEPTH_MAX = 3;
const RUNS_MAX = 5;

/** @param from,to seqs between which they were made, both exclusive */
export function causedOf(deps: CausedDeps, visit: Visit, { from, to }: { from: number; to: number }): Caused[] {
  return deps.queries.chatDoings(visit.workerId, { from, to, limit: DOINGS_MAX }).flatMap((seq) => {
    const entry = deps.queries.entry(seq);
    return entry ? [causedBy(deps, visit, entry)] : [];
  });
}

function causedBy(deps: CausedDeps, visit: Visit, entry: Entry): Caused {
  const { seq, at } = entry;
  const view = toView(entry);
  const answers: Caused['answers'] = [];
  collect(deps, visit, { seq, depth: 0, answers });
  if (!view) return { seq, parts: inYourWords(entry), about: '', at: moment(at), outcome: wokenBy(deps, seq), answers };
  return {
    seq,
    parts: [{ text: 'You said on ' }, { text: view.streamId, href: eventHref(view.streamId, view.id) }],
    about: clip(view.message?.subject || view.body.trim(), 140),
    at: moment(at),
    outcome: outcomeOf(deps, view, visit.mayRead),
    answers,
  };
}

/** Their parts are words, of which the first says who. */
function inYourWords(entry: Entry): Part[] {
  const [, ...rest] = sentence(entry);
  return [{ text: 'You' }, ...rest].flatMap((part, index) => (index === 0 ? [part] : [{ text: ' ' }, part]));
}

/** Of a hire, or a request to run: whom it woke. */
function wokenBy({ queries }: CausedDeps, seq: number): Outcome | undefined {
  const [run] = queries.outcomes.runs(seq, 1);
  if (!run) return undefined;
  const isRunning = run.state === 'running';
  const how = isRunning ? ' runs now' : run.state === 'done' ? ' ran' : ` ${run.exit ?? run.state}`;
  const cost = run.costUsd ? ` · ${money(run.costUsd)}` : '';
  return {
    parts: [{ text: 'woke ' }, { text: run.worker, href: activationHref(run.id) }, { text: `,${how}${cost}` }],
    state: isRunning ? 'running' : run.state === 'done' ? 'good' : 'bad',
  };
}

type Walk = { seq: number; depth: number; answers: Caused['answers'] };

function collect(deps: CausedDeps, visit: Visit, { seq, depth, answers }: Walk): void {
  const { outcomes, eventAt } = deps.queries;
  for (const run of outcomes.runs(seq, RUNS_MAX)) {
    for (const said of outcomes.publishedBy(run, ANSWERS_MAX)) {
      const view = eventAt(said);
      if (!view || answers.length >= ANSWERS_MAX || answers.some((each) => each.seq === said)) continue;
      if (visit.mayRead(view.streamId)) answers.push(answerOf(deps, view, run, depth));
      if (depth < DEPTH_MAX) collect(deps, visit, { seq: said, depth: depth + 1, answers });
    }
  }
}

function answerOf({ journal }: CausedDeps, view: EventView, run: OutcomeRun, depth: number): Caused['answers'][number] {
  const kind = journal.org.streams.get(view.streamId)?.transport.kind ?? '';
  return {
    seq: view.seq,
    from: { text: run.worker, href: workerHref(run.worker) },
    stream: { text: view.streamId, href: eventHref(view.streamId, view.id) },
    html: view.redacted ? '' : bodyOf(view, kind, true).html,
    at: moment(view.createdAt),
    depth,
  };
}
