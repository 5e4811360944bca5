// One Stream: who listens, how it reaches outside, its settings, and the form by which one sends to it.
import { parseMailboxes } from '../../domain/email-address.ts';
import type { StreamRow } from '../../store/queries.ts';
import { overlapUntil } from '../../store/stream-secrets.ts';
import { foreseenOf } from './foreseen.ts';
import { streamHref, workerHref } from './links.ts';
import { count, moment } from './shown.ts';
import type { StreamsPageDeps } from './streams-page.ts';
import { healthOf } from './transport-health.ts';
import type { Visit } from './visit.ts';

const MEMBERS_SHOWN = 60;

/** The part that changes by itself. */
export function streamHead(deps: StreamsPageDeps, visit: Visit, row: StreamRow) {
  const { journal, queries } = deps;
  const { id, transportKind, transportConfig } = row;
  const info = deps.transportInfos.get(transportKind);
  const transport = { kind: transportKind, config: transportConfig };
  const members = queries.members(id);
  const isOpen = row.purpose === 'open' && row.deletedAt === null;
  return {
    id,
    name: row.name,
    description: row.description,
    kind: transportKind,
    isLocal: transportKind === 'local',
    isPrivate: row.private,
    hold: row.hold,
    isByConversation: row.batch === 'conversation',
    deleted: row.deletedAt === null ? undefined : moment(row.deletedAt),
    made: moment(row.createdAt),
    madeBy: row.createdBy,
    // Lines are no Events, and nobody listens to them.
    isOfLines: row.purpose === 'transcript' || row.purpose === 'chat',
    events: count(row.eventCount, 'Event'),
    purpose: row.purpose,
    url: `/ui/streams/head?${new URLSearchParams({ id })}`,
    listens: `live:stream:${id}`,
    members: members.slice(0, MEMBERS_SHOWN).map((workerId) => ({
      id: workerId,
      href: workerHref(workerId),
      isPerson: journal.org.workers.get(workerId)?.kind === 'human',
      isFiltered: journal.org.subscriptions.get(id)?.get(workerId)?.filter != null,
    })),
    moreMembers: Math.max(0, members.length - MEMBERS_SHOWN),
    isListening: members.includes(visit.workerId),
    health: healthOf(deps, id),
    reach:
      row.deletedAt === null
        ? reachOf({ ...info?.describeInbound?.(id, transport), ...info?.describeTimes?.(transport) })
        : [],
    may: {
      listen: isOpen && visit.holds('subscribe') && visit.holds('unsubscribe'),
      invite: isOpen && visit.holds('invite_workers'),
    },
  };
}

const NAMES: Record<string, string> = { url: 'Takes in at', curl: 'Try it', address: 'Mail address', next: 'Next' };

/** What a person needs in order to send to it from outside. */
function reachOf(described: Record<string, string>) {
  return Object.entries(described).map(([name, value]) => ({
    name: NAMES[name] ?? name.replaceAll('_', ' '),
    value,
    isCopied: name !== 'next' || /^https?:/.test(value),
  }));
}

/** The forms beside it, which hold what somebody types and so stay as they are. */
export function streamForms(deps: StreamsPageDeps, visit: Visit, row: StreamRow, answerTo: string) {
  const { journal, queries } = deps;
  const isOpen = row.purpose === 'open' && row.deletedAt === null;
  const members = new Set(queries.members(row.id));
  return {
    settings: isOpen && visit.holds('update_stream') ? settingsOf(deps, row) : undefined,
    rotation: isOpen && visit.holds('rotate_secret') ? rotationOf(deps, row) : undefined,
    mayDelete: isOpen && visit.holds('delete_stream'),
    invitable:
      isOpen && visit.holds('invite_workers')
        ? [...journal.org.workers].flatMap(([id, { firedAt }]) => (firedAt === null && !members.has(id) ? [id] : []))
        : [],
    send: sendForm(deps, visit, row, answerTo),
  };
}

/** The secret that signs, where the Stream has one; never the secret itself. */
function rotationOf({ settings, transportInfos }: StreamsPageDeps, { id, transportKind, transportConfig }: StreamRow) {
  if (transportInfos.get(transportKind)?.signs(transportConfig) !== true) return undefined;
  return { oldUntil: overlapUntil(settings, id, new Date()) };
}

export function settingsOf({ transportInfos }: Pick<StreamsPageDeps, 'transportInfos'>, row?: StreamRow) {
  const config = JSON.stringify(row?.transportConfig ?? {}, null, 2);
  return {
    id: row?.id ?? '',
    name: row?.name ?? '',
    description: row?.description ?? '',
    kinds: [...transportInfos.keys()].map((kind) => ({ kind, isChosen: kind === (row?.transportKind ?? 'local') })),
    config: config === '{}' ? '' : config,
    isPrivate: row?.private ?? false,
    hold: row?.hold ?? false,
    batch: row?.batch ?? 'stream',
  };
}

function sendForm(deps: StreamsPageDeps, visit: Visit, row: StreamRow, answerTo: string) {
  if (!visit.holds('publish') || (row.purpose !== 'open' && row.purpose !== 'dm')) return undefined;
  const refusal = whyNot(deps, row);
  if (refusal !== '') return { refusal };
  const answered = answerTo === '' ? undefined : deps.queries.event(answerTo);
  const message = answered?.streamId === row.id ? answered.message : undefined;
  const subject = message?.subject ?? '';
  return {
    refusal: '',
    isMail: row.transportKind === 'email',
    subject: subject === '' || /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    to: message && answered ? answered.source || addressOf(message.from ?? '') : '',
    thread: message?.thread_id ?? '',
    inReplyTo: message?.message_id ?? '',
    answers:
      message && answered ? { from: answered.source || (message.from ?? 'it'), away: streamHref(row.id) } : undefined,
    foreseen: foreseenOf(deps, visit, row.id, {
      from: visit.workerId,
      ...(message?.thread_id ? { thread_id: message.thread_id } : {}),
      ...(message?.message_id ? { in_reply_to: message.message_id } : {}),
    }),
  };
}

/** Without the name that mail puts before it, which anybody may choose. */
const addressOf = (from: string): string => parseMailboxes(from)[0]?.address || from;

/** Why nobody sends to it by hand; empty when one can. */
export function whyNot(
  { transportInfos }: Pick<StreamsPageDeps, 'transportInfos'>,
  { deletedAt, transportKind }: Pick<StreamRow, 'deletedAt' | 'transportKind'>,
): string {
  if (deletedAt !== null) return 'This Stream was deleted; its history stays.';
  if (transportKind === 'cron') return 'Events come here by its schedule alone.';
  return transportInfos.get(transportKind)?.inboundOnly === undefined
    ? ''
    : `The ${transportKind} transport is inbound only: what happens there lands here, and nothing is sent from here.`;
}
