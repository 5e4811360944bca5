// Where something from outside lands, when what we sent before tells more than the request: answers stay in the thread of what
// they answer, a report lands where its mail was published, our own mail is known again, and a colleague's answer is theirs.
import type { ContentPart } from '../domain/entry.ts';
import { OrgError } from '../domain/errors.ts';
import { decodeMessage, encodeMessage, type Message } from '../domain/message.ts';
import type { Command, Org } from '../domain/org.ts';
import type { EventView } from '../store/event-reader.ts';
import type { Queries } from '../store/queries.ts';
import { isReplyToken, seqOfReplyToken } from '../transports/email-reply-address.ts';
import type { Inbound, Ties } from '../transports/transport.ts';

export type PlacingDeps = {
  org: Org;
  queries: Pick<Queries, 'event' | 'eventAt'>;
  /** Proves reply addresses; undefined while none was given out. */
  replyKey: string | undefined;
};

export type Placed = { actor: string; streamId: string; command: Command } & Pick<Inbound, 'origin' | 'delivery'>;

const OWN = 'it comes from our own address';

/** @returns undefined for what is about nothing of ours. @throws OrgError when no Stream is meant */
export function place(deps: PlacingDeps, kind: string, inbound: Inbound): Placed | undefined {
  const { streamId, content, quiet, origin, ties, delivery } = inbound;
  const actor = `transport:${kind}`;
  const placed = ties
    ? (placeReport(deps, actor, inbound, ties) ??
      placeReply(deps, actor, inbound, ties) ??
      placeMail(deps, actor, inbound, ties))
    : { actor, streamId, command: publish(streamId, content, quiet) };
  return placed && { ...(origin ? { origin } : {}), ...(delivery ? { delivery } : {}), ...placed };
}

type Publish = Extract<Command, { type: 'Publish' }>;

const publish = (streamId: string, content: ContentPart[], quiet: string | undefined): Publish => ({
  type: 'Publish',
  streamId,
  content,
  ...(quiet === undefined ? {} : { quiet }),
});

function placeReport(deps: PlacingDeps, actor: string, { content, quiet }: Inbound, ties: Ties): Placed | undefined {
  const about = ties.reportOn === undefined ? undefined : deps.queries.event(ties.reportOn);
  const stream = about && deps.org.streams.get(about.streamId);
  // A notice about mail that notices could not be sent by would be sent by mail.
  if (!about || stream?.deletedAt !== null || stream.purpose === 'notices') return undefined;
  const threaded = withMessage(content, (message) => threadedWith(about, message));
  const { streamId, id } = about;
  return { actor, streamId, command: publish(streamId, threaded, quiet), origin: { eventId: id } };
}

function placeMail(deps: PlacingDeps, actor: string, inbound: Inbound, ties: Ties): Placed | undefined {
  if (ties.reportOn !== undefined) return undefined;
  const { content } = inbound;
  if (inbound.streamId === '' && !ties.refusal) return undefined;
  const answered = nearestAnswered(deps, inbound.streamId, ties);
  const streamId = inbound.streamId || answered?.event.streamId;
  if (!streamId) throw new OrgError(ties.refusal?.code ?? 'not_found', ties.refusal?.message ?? 'no Stream is meant');
  const ours = ties.ours === undefined ? undefined : deps.queries.event(ties.ours);
  const quiet = inbound.quiet ?? silence(ours, streamId, ties);
  const placed =
    answered?.event.streamId === streamId
      ? withMessage(content, (message) => threadedWith(answered.event, message, answered.messageId))
      : content;
  const cause = ours ?? (quiet === undefined ? undefined : answered?.event);
  const origin = cause ? { origin: { eventId: cause.id } } : {};
  return { actor, streamId, command: publish(streamId, placed, quiet), ...origin };
}

/** Our own mail wakes those it was written to, but nobody of the Stream that sent it. */
function silence(ours: EventView | undefined, streamId: string, { fromUs }: Ties): string | undefined {
  if (ours) return ours.streamId === streamId ? 'this Stream sent it' : undefined;
  return fromUs ? OWN : undefined;
}

/** The newest of what it answers that we sent, on its own Stream where it has one. */
function nearestAnswered({ queries, org }: PlacingDeps, streamId: string, { answers }: Ties) {
  for (const { eventId, messageId } of [...answers].reverse()) {
    const event = queries.event(eventId);
    if (!event || (streamId !== '' && event.streamId !== streamId)) continue;
    const stream = org.streams.get(event.streamId);
    if (stream?.purpose === 'open' && stream.deletedAt === null) return { event, messageId };
  }
  return undefined;
}

/** In the thread of what it answers; where that began one, the thread is known by the id it was sent with. */
function threadedWith(event: EventView, message: Message, messageId?: string): Message {
  const thread = event.message?.thread_id ?? messageId;
  return thread === undefined ? message : { ...message, thread_id: thread };
}

/** What a person answers by mail is theirs, whoever else may write to that address is not heard. */
function placeReply(deps: PlacingDeps, actor: string, inbound: Inbound, ties: Ties): Placed | undefined {
  const found = inbound.streamId === '' ? addressee(deps, ties.tokens) : undefined;
  if (!found) return undefined;
  const { event, workerId } = found;
  const { streamId } = event;
  const worker = deps.org.workers.get(workerId);
  const isTheirs = worker?.email?.toLowerCase() === ties.sender.toLowerCase();
  const quiet = inbound.quiet ?? (isTheirs ? undefined : `it came to ${workerId}'s reply address from another sender`);
  const content = withMessage(inbound.content, (mail) => answerTo(event, mail, ties.reply));
  if (quiet !== undefined)
    return { actor, streamId, command: publish(streamId, content, quiet), origin: { eventId: event.id } };
  const theirs = withMessage(content, (answer) => ({ ...answer, from: workerId }));
  const asker = event.source;
  // One who asked on a Stream without listening to it would not hear the answer there.
  const hears = asker === '' || deps.org.subscriptions.get(streamId)?.has(asker) === true;
  if (hears) return { actor: workerId, streamId, command: publish(streamId, theirs, undefined) };
  return { actor: workerId, streamId, command: { type: 'SendDm', toWorkerId: asker, body: ties.reply } };
}

function addressee({ org, queries, replyKey: key }: PlacingDeps, tokens: readonly string[]) {
  if (key === undefined) return undefined;
  for (const token of tokens) {
    const seq = seqOfReplyToken(token);
    const event = seq === undefined ? undefined : queries.eventAt(seq);
    if (!event) continue;
    const { to = [], cc = [] } = event.message ?? {};
    const meant = [...(org.streams.get(event.streamId)?.members ?? []), ...to, ...cc];
    const workerId = meant.find((id) => isReplyToken(token, { key, eventId: event.id, workerId: id }));
    if (workerId !== undefined && org.workers.get(workerId)?.firedAt === null) return { event, workerId };
  }
  return undefined;
}

function answerTo(event: EventView, mail: Message, reply: string): Message {
  const { subject, attachments, message_id: messageId, extra, from } = mail;
  const thread = event.message?.thread_id;
  return {
    ...(from ? { from } : {}),
    ...(event.source === '' ? {} : { to: [event.source] }),
    ...(subject ? { subject } : {}),
    body: reply === '' ? (mail.body ?? '') : reply,
    ...(reply === '' && mail.body_content_type ? { body_content_type: mail.body_content_type } : {}),
    ...(thread === undefined ? {} : { thread_id: thread }),
    in_reply_to: event.id,
    ...(messageId ? { message_id: messageId } : {}),
    ...(attachments ? { attachments } : {}),
    ...(extra === undefined ? {} : { extra }),
  };
}

function withMessage(content: ContentPart[], change: (message: Message) => Message): ContentPart[] {
  return content.map((part) => {
    const message = part.name === 'message' ? decodeMessage(part.bytes) : undefined;
    return message ? { name: part.name, bytes: encodeMessage(change(message)) } : part;
  });
}
