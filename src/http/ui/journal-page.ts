// GET /ui/journal: every fact as a sentence, newest first.
import { activationStreamId, OWNER } from '../../domain/ids.ts';
import { mayRead } from '../../domain/may-read.ts';
import type { DomainEvent, Org } from '../../domain/org.ts';
import type { Entry } from '../../store/entries.ts';
import type { Journal } from '../../store/journal.ts';
import type { Queries } from '../../store/queries.ts';
import type { Verification } from '../../store/verify.ts';
import type { Ui } from './kit.ts';
import { sentence } from './sentences.ts';
import { moment } from './shown.ts';
import type { Visit } from './visit.ts';

export type JournalPageDeps = {
  journal: Pick<Journal, 'org' | 'lastSeq'>;
  queries: Pick<Queries, 'journalPage'>;
  /** Walks the whole chain, beside everything else. */
  verify(): Promise<Verification>;
};

const PAGE = 50;

/** What people choose among; every kind of fact is in one of them. */
const GROUPS: Record<string, { name: string; types: DomainEvent['type'][] }> = {
  people: {
    name: 'Workers and seats',
    types: [
      ...([
        'WorkerHired',
        'WorkerMoved',
        'WorkerFired',
        'WorkerPaused',
        'WorkerResumed',
        'IdentityUpdated',
        'WorkerEmailChanged',
        'AgentUpdated',
      ] as const),
      ...(['PositionCreated', 'PositionUpdated', 'PositionDeleted'] as const),
    ],
  },
  roles: { name: 'Roles', types: ['RoleCreated', 'RoleUpdated', 'RoleDeleted'] },
  grants: { name: 'Tools given and taken', types: ['ToolGranted', 'ToolRevoked'] },
  streams: {
    name: 'Streams and who listens',
    types: ['StreamCreated', 'StreamUpdated', 'StreamDeleted', 'WorkerSubscribed', 'WorkerUnsubscribed'],
  },
  events: {
    name: 'Events',
    types: ['EventPublished', 'EventHeld', 'EventReleased', 'EventDiscarded', 'EventRedacted'],
  },
  runs: {
    name: 'Runs',
    types: [
      ...(['ActivationRequested', 'ActivationStarted', 'ActivationEnded'] as const),
      ...(['TriggersHeld', 'TriggersRequeued', 'TriggersDropped', 'TriggersExpired'] as const),
    ],
  },
  org: { name: 'Everything paused, held or resumed', types: ['OrgPaused', 'OrgResumed', 'WorkHeld', 'WorkResumed'] },
};

export function journalPages(ui: Ui, deps: JournalPageDeps): void {
  const { journal, queries } = deps;
  let verified: { at: string; lastSeq: number; result: Verification } | undefined;

  const verification = () => {
    if (!verified)
      return { state: 'unknown', at: undefined, text: 'Not verified since the daemon started.', problems: [] };
    const { at, lastSeq, result } = verified;
    const since = journal.lastSeq > lastSeq ? ' What came since is not part of it.' : '';
    const redacted = result.redacted > 0 ? ` ${result.redacted} of them were erased, on the record.` : '';
    return result.problems.length === 0
      ? {
          state: 'good',
          at: moment(at),
          text: `${result.entries} entries, the chain is whole.${redacted}${since}`,
          problems: [],
        }
      : {
          state: 'bad',
          at: moment(at),
          text: `${result.problems.length} problems in ${result.entries} entries: somebody changed the journal.`,
          problems: result.problems.slice(0, 10),
        };
  };

  ui.page('/journal', (visit) => {
    const filter = { what: visit.param('what'), who: visit.param('who').trim(), about: visit.param('about').trim() };
    const before = Number(visit.param('before')) || undefined;
    const after = Number(visit.param('after')) || undefined;
    const page = queries.journalPage({
      limit: PAGE,
      ...(before ? { before } : {}),
      ...(after ? { after } : {}),
      ...(GROUPS[filter.what] ? { types: GROUPS[filter.what]?.types ?? [] } : {}),
      ...(filter.who ? { actor: filter.who } : {}),
      ...(filter.about ? { about: filter.about } : {}),
    });
    const rows = page.entries.filter((entry) => mayKnow(journal.org, visit, entry)).map(rowOf);
    const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ''));
    const at = (more: Record<string, string>) =>
      `/ui/journal?${new URLSearchParams({ ...Object.fromEntries(query), ...more })}`;
    return {
      title: 'Journal',
      section: 'journal',
      page: 'journal',
      partial: after ? 'journal-newer' : 'journal-rows',
      topics: ['journal'],
      data: {
        rows,
        filter,
        newer: at({ after: String(journal.lastSeq) }),
        older: page.before === undefined ? '' : at({ before: String(page.before) }),
        groups: Object.entries(GROUPS).map(([id, { name }]) => ({ id, name, isChosen: id === filter.what })),
        verification: verification(),
        isOwner: visit.isOwner,
      },
    };
  });

  ui.form('/journal/verify', async (visit) => {
    if (visit.workerId !== OWNER)
      return { to: '/ui/journal', flash: { kind: 'refused', text: 'Only the owner has it verified.' } };
    const { lastSeq } = journal;
    verified = { lastSeq, result: await deps.verify(), at: new Date().toISOString() };
    return { to: '/ui/journal' };
  });
}

const VIA: Record<string, string> = {
  mcp: 'by tool',
  ui: 'on a page',
  cli: 'by command line',
  chat: 'in a chat',
  transport: 'from outside',
  system: '',
};

function rowOf(entry: Entry) {
  return {
    seq: entry.seq,
    ...moment(entry.at),
    parts: sentence(entry),
    via: VIA[entry.via] ?? entry.via,
    causedBy: entry.causedBy ?? 0,
  };
}

/** What was said and run stays among those who may read it; the rest is the org's own, which everybody in it sees. */
function mayKnow(org: Org, { workerId, isOwner }: Visit, { event }: Entry): boolean {
  if (isOwner) return true;
  switch (event.type) {
    case 'StreamCreated':
    case 'StreamUpdated':
    case 'StreamDeleted':
    case 'WorkerSubscribed':
    case 'WorkerUnsubscribed':
    case 'EventPublished':
    case 'EventHeld':
    case 'EventReleased':
    case 'EventDiscarded':
    case 'EventRedacted':
    case 'EventDelivered':
    case 'DeliveryDied':
    case 'DeliveryRequeued':
    case 'DeliveryDiscarded':
    case 'SendingStopped':
    case 'SendingResumed':
      return mayRead(org, workerId, event.streamId);
    case 'ActivationRequested':
    case 'ActivationStarted':
    case 'ActivationEnded':
    case 'TriggersHeld':
    case 'TriggersRequeued':
    case 'TriggersDropped':
    case 'TriggersExpired':
      return mayRead(org, workerId, activationStreamId(event.workerId));
    case 'OrgPaused':
    case 'OrgResumed':
    case 'WorkHeld':
    case 'WorkResumed':
    case 'RoleCreated':
    case 'RoleUpdated':
    case 'RoleDeleted':
    case 'PositionCreated':
    case 'PositionUpdated':
    case 'PositionDeleted':
    case 'WorkerHired':
    case 'IdentityUpdated':
    case 'WorkerEmailChanged':
    case 'AgentUpdated':
    case 'WorkerMoved':
    case 'WorkerFired':
    case 'WorkerPaused':
    case 'WorkerResumed':
    case 'ToolGranted':
    case 'ToolRevoked':
      return true;
  }
}
