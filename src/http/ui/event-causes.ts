// Why something happened: from an entry to what caused it, up to the first of the chain.
import { activationStreamId } from '../../domain/ids.ts';
import type { Entry } from '../../store/entries.ts';
import { toView } from '../../store/event-reader.ts';
import type { Queries } from '../../store/queries.ts';
import { activationHref, eventHref, workerHref } from './links.ts';
import { type Part, plain, sentence } from './sentences.ts';
import { clip, type Moment, moment, money } from './shown.ts';
import type { Visit } from './visit.ts';

/** One link of the chain, the first cause first. */
export type Cause = {
  kind: 'event' | 'run' | 'fact' | 'hidden';
  parts: Part[];
  about: string;
  when: Moment;
  isSelf: boolean;
};

const STEPS_MAX = 60;

type Deps = { queries: Pick<Queries, 'entry' | 'activation'> };

/** The chain that ends with this entry; `isWhole` unless it is longer than what is shown. */
export function causesOf({ queries }: Deps, visit: Visit, seq: number): { steps: Cause[]; isWhole: boolean } {
  const steps: Cause[] = [];
  let at: number | null = seq;
  for (let n = 0; at !== null && n < STEPS_MAX; n++) {
    const entry = queries.entry(at);
    if (!entry) break;
    // Opening the Stream of two is part of writing the first message on it.
    if (entry.event.type !== 'StreamCreated') steps.unshift(stepOf(visit, entry, entry.seq === seq));
    const run = entry.activationId === null ? undefined : queries.activation(entry.activationId);
    const next: number | null = entry.event.type === 'StreamCreated' ? entry.causedBy : causeOf(queries, entry);
    if (run && entry.event.type !== 'StreamCreated' && entry.event.type !== 'ActivationStarted')
      steps.unshift(runStep(visit, run));
    at = next;
  }
  return { steps, isWhole: at === null };
}

const causeOf = (queries: Deps['queries'], { causedBy }: Entry): number | null =>
  causedBy !== null && queries.entry(causedBy) ? causedBy : null;

function stepOf(visit: Visit, entry: Entry, isSelf: boolean): Cause {
  const when = moment(entry.at);
  const view = toView(entry);
  if (!view)
    return {
      kind: 'fact',
      parts: [{ text: plain(sentence(entry)), href: `/ui/journal?about=${encodeURIComponent(entry.subject ?? '')}` }],
      about: '',
      when,
      isSelf,
    };
  if (!visit.mayRead(view.streamId))
    return { kind: 'hidden', parts: [{ text: 'An Event on a Stream that you may not read' }], about: '', when, isSelf };
  const from = view.source || view.message?.from || (entry.actor === 'system' ? 'The daemon' : 'The outside');
  return {
    kind: 'event',
    parts: [
      { text: clip(from, 80), ...(view.source === '' ? {} : { href: workerHref(view.source) }) },
      { text: ' said on ' },
      { text: view.streamId, href: eventHref(view.streamId, view.id) },
    ],
    about: clip(view.redacted ? 'erased' : view.message?.subject || view.body.trim(), 140),
    when,
    isSelf,
  };
}

function runStep(visit: Visit, run: NonNullable<ReturnType<Queries['activation']>>): Cause {
  const when = moment(run.startedAt);
  const { costUsd } = JSON.parse(run.usage ?? '{}') as { costUsd?: number };
  const about = [run.attempt > 1 ? `attempt ${run.attempt}` : '', run.exit ?? run.state, costUsd ? money(costUsd) : ''];
  const mayRead = visit.mayRead(activationStreamId(run.worker));
  return {
    kind: 'run',
    parts: [
      { text: 'woke ' },
      { text: run.worker, ...(mayRead ? { href: activationHref(run.id) } : { href: workerHref(run.worker) }) },
    ],
    about: about.filter(Boolean).join(' · '),
    when,
    isSelf: false,
  };
}
