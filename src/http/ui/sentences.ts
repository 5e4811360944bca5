// Journal entries as sentences: one function for each kind of fact. They give parts, from which plain text and links are made.
import type { DomainEvent } from '../../domain/org.ts';
import type { Entry } from '../../store/entries.ts';
import { eventHref, hrefOf } from './links.ts';

/** A piece of a sentence; `href` where it names something that has a page. */
export type Part = { text: string; href?: string };

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;
/** What happened, to be read after who did it: strings are words, arrays of one are names. */
type Told = (string | [id: string] | Part)[];
type Tellers = { [T in DomainEvent['type']]: (event: Of<T>, entry: Pick<Entry, 'actor'>) => Told };

const tellers: Tellers = {
  OrgPaused: () => ['paused everything'],
  OrgResumed: () => ['let everything go on'],
  RoleCreated: ({ roleId }) => ['wrote the Role', [roleId]],
  RoleUpdated: ({ roleId }) => ['rewrote the Role', [roleId]],
  RoleDeleted: ({ roleId }) => ['deleted the Role', [roleId]],
  PositionCreated: ({ positionId, roleId, parentId }) => [
    'made the Position',
    [positionId],
    'for',
    [roleId],
    ...below(parentId),
  ],
  PositionUpdated: ({ positionId, roleId, parentId }) => [
    'changed the Position',
    [positionId],
    'to',
    [roleId],
    ...below(parentId),
  ],
  PositionDeleted: ({ positionId }) => ['deleted the Position', [positionId]],
  WorkerHired: ({ workerId, positionId, kind }) => [
    'hired',
    [workerId],
    kind === 'ai' ? '(AI) into' : 'into',
    [positionId],
  ],
  IdentityUpdated: ({ workerId }) => ['rewrote who', [workerId], 'is'],
  AgentUpdated: ({ workerId, agent: { kind, model } }) => [
    'chose how',
    [workerId],
    `is played: ${[kind ?? 'as is set for all', ...(model ? [model] : [])].join(', ')}`,
  ],
  WorkerEmailChanged: ({ workerId, email }) =>
    email === null ? ['took the mail address of', [workerId], 'away'] : ['gave', [workerId], 'a mail address'],
  WorkerMoved: ({ workerId, positions }) =>
    positions.length > 0
      ? ['moved', [workerId], 'to', ...names(positions)]
      : ['took', [workerId], 'out of every Position'],
  WorkerFired: ({ workerId }) => ['fired', [workerId]],
  WorkerPaused: ({ workerId }) => ['paused', [workerId]],
  WorkerResumed: ({ workerId }) => ['let', [workerId], 'go on'],
  ActivationRequested: ({ workerId, reason }) => ['asked', [workerId], reason === '' ? 'to run' : `to run: ${reason}`],
  ToolGranted: ({ workerId, tool }) => ['gave', [workerId], `the tool ${tool}`],
  ToolRevoked: ({ workerId, tool }) => ['took the tool', `${tool} from`, [workerId]],
  StreamCreated: ({ streamId, transport, purpose }) => [
    purpose === 'open' ? 'made the Stream' : `opened the ${purpose === 'dm' ? 'conversation' : purpose}`,
    [streamId],
    ...(transport.kind === 'local' ? [] : [`(${transport.kind})`]),
  ],
  StreamUpdated: ({ streamId }) => ['changed the Stream', [streamId]],
  StreamDeleted: ({ streamId }) => ['deleted the Stream', [streamId]],
  WorkerSubscribed: ({ workerId, streamId, filter }, { actor }) => [
    ...(actor === workerId ? ['listens to'] : (['let', [workerId], 'listen to'] satisfies Told)),
    [streamId],
    ...(filter ? ['through a filter'] : []),
  ],
  WorkerUnsubscribed: ({ workerId, streamId }, { actor }) =>
    actor === workerId ? ['listens no more to', [streamId]] : ['ended that', [workerId], 'listens to', [streamId]],
  EventPublished: ({ id, streamId }) => [{ text: 'published', href: eventHref(streamId, id) }, 'on', [streamId]],
  EventHeld: ({ event, streamId, reason }) => [`held Event #${event} on`, [streamId], `: ${reason}`],
  EventReleased: ({ event, streamId }) => [`released Event #${event} on`, [streamId]],
  EventDiscarded: ({ event, streamId }) => [`discarded Event #${event} on`, [streamId]],
  EventRedacted: ({ event, streamId, reason }) => [
    `erased what Event #${event} on`,
    [streamId],
    reason === '' ? 'said' : `said: ${reason}`,
  ],
  EventDelivered: ({ event, streamId }) => [`delivered Event #${event} of`, [streamId]],
  DeliveryDied: ({ event, streamId, reason }) => [`gave up delivering Event #${event} of`, [streamId], `: ${reason}`],
  DeliveryRequeued: ({ event, streamId }) => [`sent Event #${event} of`, [streamId], 'on its way'],
  DeliveryDiscarded: ({ event, streamId }) => [`discarded the delivery of Event #${event} of`, [streamId]],
  SendingStopped: ({ streamId, reason }) => ['stopped sending from', [streamId], `: ${reason}`],
  SendingResumed: ({ streamId }) => ['let', [streamId], 'send again'],
  ActivationStarted: ({ activationId, workerId, triggers, attempt }) => [
    'started',
    { text: 'a run', ...link(activationId) },
    'of',
    [workerId],
    `for ${triggers.length === 1 ? `#${triggers[0]}` : `${triggers.length} triggers`}${attempt > 1 ? `, attempt ${attempt}` : ''}`,
  ],
  ActivationEnded: ({ activationId, workerId, exit, parked }) => [
    'ended',
    { text: 'a run', ...link(activationId) },
    'of',
    [workerId],
    `: ${exit}${parked.length > 0 ? `; ${parked.length} parked` : ''}`,
  ],
  TriggersHeld: ({ workerId, triggers, reason }) => [`held ${triggerCount(triggers)} of`, [workerId], `: ${reason}`],
  TriggersExpired: ({ workerId, triggers, reason }) => [
    `let ${triggerCount(triggers)} of`,
    [workerId],
    `expire: ${reason}`,
  ],
  WorkHeld: ({ workerId, kinds, reason }) => ['held back', ...held(workerId, kinds), `: ${reason}`],
  WorkResumed: ({ workerId, kinds }) => ['let', ...held(workerId, kinds), 'go on'],
  TriggersRequeued: ({ workerId, triggers }) => [`put ${triggerCount(triggers)} back to`, [workerId]],
  TriggersDropped: ({ workerId, triggers, reason }) => [
    `dropped ${triggerCount(triggers)} of`,
    [workerId],
    `: ${reason}`,
  ],
};

/** Who did what: `w-owner hired w-priya into p-cto`. */
export function sentence(entry: Pick<Entry, 'actor' | 'onBehalfOf' | 'event'>): Part[] {
  const who: Part[] = [named(entry.actor)];
  if (entry.onBehalfOf !== null) who.push({ text: 'for' }, named(entry.onBehalfOf));
  return [...who, ...tell(entry.event, entry).map(toPart)];
}

/** The sentence without links. */
export function plain(parts: Part[]): string {
  return parts
    .map(({ text }) => text)
    .join(' ')
    .replaceAll(' :', ':');
}

function tell<T extends DomainEvent['type']>(event: Of<T>, entry: Pick<Entry, 'actor'>): Told {
  return (tellers[event.type as T] as (event: Of<T>, entry: Pick<Entry, 'actor'>) => Told)(event, entry);
}

function toPart(told: Told[number]): Part {
  if (typeof told === 'string') return { text: told };
  return Array.isArray(told) ? named(told[0]) : told;
}

const named = (id: string): Part => ({ text: ACTORS[id] ?? id, ...link(id) });

const ACTORS: Record<string, string> = { system: 'The daemon' };

function link(id: string): { href?: string } {
  const href = hrefOf(id);
  return href === undefined ? {} : { href };
}

const below = (parentId: string | null): Told => (parentId === null ? [] : ['below', [parentId]]);

const names = (ids: string[]): Told => ids.flatMap((id, index): Told => (index === 0 ? [[id]] : ['and', [id]]));

const triggerCount = (triggers: number[]): string =>
  triggers.length === 1 ? '1 trigger' : `${triggers.length} triggers`;

/** Whom a hold is about. */
function held(workerId: string | null, kinds?: string[]): Told {
  if (workerId !== null) return [[workerId]];
  const kind = kinds?.find((each) => each !== '');
  return [kind === undefined ? 'everybody' : `everybody whom ${kind} plays`];
}
