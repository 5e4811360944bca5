// An Event as a card: who said what to whom, and one last line that says what came of it.
import { OWNER } from '../../domain/ids.ts';
import type { Org } from '../../domain/org.ts';
import type { EventView } from '../../store/event-reader.ts';
import { bodyOf, filesOf } from './event-body.ts';
import { eventHref, streamHref, workerHref } from './links.ts';
import type { Part } from './sentences.ts';
import { clip, moment } from './shown.ts';

export type Card = ReturnType<typeof cardOf>;

/** What came of an Event: a line of words and names, and whether it went well, waits, or went wrong. */
export type Outcome = { parts: Part[]; state: 'good' | 'running' | 'warm' | 'bad' | 'quiet' };

export type CardOptions = {
  /** On a list of several Streams each card names its own. */
  namesStream: boolean;
  /** Only the beginning of a long text. */
  isBrief: boolean;
};

const SUBJECT_MAX = 300;
const ADDRESSES_MAX = 6;

/** Without the outcome, so the same for everybody who may read the Event. */
export function cardOf(org: Org, view: EventView, { namesStream, isBrief }: CardOptions) {
  const { id, seq, streamId, source, message, createdAt, redacted } = view;
  const stream = org.streams.get(streamId);
  const isLine = stream?.purpose === 'transcript' || stream?.purpose === 'chat';
  const { html, isCut } = redacted ? { html: '', isCut: false } : bodyOf(view, stream?.transport.kind ?? '', isBrief);
  const said = message?.from ?? '';
  const from = source || said || (streamId === 's-notices' ? 'The daemon' : 'From outside');
  return {
    id,
    seq,
    href: eventHref(streamId, id),
    isLine,
    isRedacted: redacted === true,
    from: {
      name: clip(from, 120),
      href: source === '' ? '' : workerHref(source),
      isPerson: org.workers.get(source)?.kind === 'human',
      // A Worker may say it speaks for somebody; what the daemon knows comes first.
      says: source !== '' && said !== '' && said !== source ? clip(said, 120) : '',
      isNamedOutside: source === '' && said !== '' && streamId !== 's-notices',
    },
    to: addresses(message?.to),
    stream: namesStream ? { name: clip(stream?.name ?? streamId, 60), href: streamHref(streamId) } : undefined,
    when: moment(createdAt),
    subject: clip(message?.subject ?? '', SUBJECT_MAX),
    html,
    isCut,
    files: filesOf(view),
    envelope: envelopeOf(view),
    thread: message?.thread_id
      ? {
          name: clip(message.thread_id, 80),
          href: `${streamHref(streamId)}&thread=${encodeURIComponent(message.thread_id)}`,
        }
      : undefined,
    canAnswer: !isLine && !redacted && source !== OWNER,
  };
}

function addresses(list: string[] = []): string {
  const more = list.length - ADDRESSES_MAX;
  return clip(list.slice(0, ADDRESSES_MAX).join(', '), 240) + (more > 0 ? ` and ${more} more` : '');
}

const EXTRA_MAX = 4_000;

/** What is known of a Message besides what it says, for those who look closer. */
export function envelopeOf({ id, message = {} }: EventView): { name: string; value: string; isLong?: true }[] {
  const { from, to, cc, thread_id: thread, in_reply_to: inReplyTo, message_id: messageId, extra } = message;
  const fields: [string, string | undefined][] = [
    ['From', from],
    ['To', to?.join(', ')],
    ['Cc', cc?.join(', ')],
    ['Thread', thread],
    ['Answers', inReplyTo],
    ['Message id', messageId],
    ['Content', message.body_content_type],
  ];
  const rows: { name: string; value: string; isLong?: true }[] = fields.flatMap(([name, value]) =>
    value ? [{ name, value: clip(value, 1_000) }] : [],
  );
  if (extra !== undefined)
    rows.push({ name: 'Beyond', value: clip(JSON.stringify(extra, null, 2), EXTRA_MAX), isLong: true });
  return [...rows, { name: 'Event', value: id }];
}
