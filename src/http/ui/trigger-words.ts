// What woke a Worker, in words: an Event, its hire, or that somebody asked it to run.
import type { Message } from '../../domain/message.ts';
import type { Org } from '../../domain/org.ts';
import type { Queries } from '../../store/queries.ts';
import { eventHref, streamHref } from './links.ts';
import { clip, type Moment, moment } from './shown.ts';
import type { Visit } from './visit.ts';

export type TriggerWords = {
  /** Its subject or its beginning. */
  what: string;
  href: string;
  from: string;
  stream: string;
  streamHref: string;
  /** Why it woke this Worker. */
  why: string;
  /** The first words of the text, when `what` does not say them already. */
  excerpt: string;
  at: Moment | undefined;
};

const WHAT_MAX = 90;
const EXCERPT_MAX = 240;

type Deps = { journal: { org: Org }; queries: Pick<Queries, 'entry' | 'eventAt'> };

const NOTHING: TriggerWords = {
  what: '',
  href: '',
  from: '',
  stream: '',
  streamHref: '',
  why: '',
  excerpt: '',
  at: undefined,
};

/** @param workerId whom it woke, or '' where nobody was woken */
export function triggerWords({ journal, queries }: Deps, visit: Visit, seq: number, workerId = ''): TriggerWords {
  const entry = queries.entry(seq);
  if (!entry) return { ...NOTHING, what: `#${seq}` };
  const { event, actor } = entry;
  const at = moment(entry.at);
  switch (event.type) {
    case 'WorkerHired':
      return { ...NOTHING, what: 'Its first day', from: actor, why: 'It was hired, and looks around.', at };
    case 'ActivationRequested':
      return {
        ...NOTHING,
        what: event.reason === '' ? 'A request to run' : clip(event.reason, WHAT_MAX),
        from: actor,
        why: `${actor} asked it to run.`,
        excerpt: event.reason.length > WHAT_MAX ? clip(event.reason, EXCERPT_MAX) : '',
        at,
      };
    case 'EventPublished':
      break;
    default:
      return { ...NOTHING, what: `#${seq}`, at };
  }
  const { streamId } = event;
  if (!visit.mayRead(streamId)) return { ...NOTHING, what: 'An Event you may not read', at };
  const view = queries.eventAt(seq);
  const message: Message = view?.message ?? {};
  const text = (view?.body ?? '').replace(/\s+/g, ' ').trim();
  const subject = message.subject?.trim() ?? '';
  return {
    what: view?.redacted ? 'An Event that was erased' : clip(subject || text || 'An Event without words', WHAT_MAX),
    href: eventHref(streamId, event.id),
    from: clip(message.from ?? view?.source ?? '', 80),
    stream: streamId,
    streamHref: streamHref(streamId),
    why: whyOf(journal.org, { streamId, workerId, to: message.to ?? [] }),
    excerpt: subject === '' && text.length <= WHAT_MAX ? '' : clip(text, EXCERPT_MAX),
    at,
  };
}

function whyOf(org: Org, { streamId, workerId, to }: { streamId: string; workerId: string; to: string[] }): string {
  if (workerId === '') return '';
  if (org.streams.get(streamId)?.purpose === 'dm') return 'It was written to it alone.';
  const subscription = org.subscriptions.get(streamId)?.get(workerId);
  const listens = `It ${subscription ? 'listens' : 'listened'} to ${streamId}`;
  if (to.includes(workerId)) return `${listens}, and was named.`;
  return `${listens}${subscription?.filter ? ' through a filter' : ''}.`;
}
