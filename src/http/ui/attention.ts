// What waits for a person: the one answer that the number in the frame and the page itself are made of.
import { isLimit } from '../../dispatch/limits.ts';
import type { AgentCheck } from '../../domain/agent.ts';
import { activationStreamId } from '../../domain/ids.ts';
import type { Org } from '../../domain/org.ts';
import type { AsideRow, LeavingRow, UnansweredRow } from '../../store/attention.ts';
import type { Journal } from '../../store/journal.ts';
import { ofKind, PAUSED, WHOLE_ORG } from '../../store/projections/holds.ts';
import type { Queries } from '../../store/queries.ts';
import type { Visit } from './visit.ts';

/** `entrySeq` is that of the fact it stands by, 0 where there is none; `at` is RFC 3339. */
type Common = { at: string; entrySeq: number };

type Leaving = { streamId: string; seq: number; workerId: string; reason: string; copies: LeavingRow[] };

export type Matter = Common &
  (
    | { kind: 'org-paused' }
    | { kind: 'agent'; hold: string; problem: string; fix: string }
    | { kind: 'stalled'; why: string }
    | { kind: 'limit'; hold: string; workerId: string | null; reason: string }
    | { kind: 'sending'; streamId: string; reason: string }
    | ({ kind: 'dead' } & Leaving)
    | ({ kind: 'leaving' } & Leaving)
    | { kind: 'event'; streamId: string; seq: number; workerId: string; reason: string }
    | { kind: 'paced'; workerId: string; seqs: number[] }
    | { kind: 'trigger'; workerId: string; seq: number; reason: string }
    | { kind: 'parked'; workerId: string; seqs: number[]; reason: string; activationId: string }
    | { kind: 'expired'; workerId: string; seq: number; reason: string }
    | ({ kind: 'unanswered' } & UnansweredRow)
    | { kind: 'worker-paused'; workerId: string }
  );

export type MatterOf<K extends Matter['kind']> = Extract<Matter, { kind: K }>;

export type Attention = {
  /** Newest first, as far as somebody may know of it. */
  matters(visit: Visit): Matter[];
  /** How many there are; `isMore` when some were not counted. */
  count(visit: Visit): { count: number; isMore: boolean };
};

export type AttentionDeps = {
  journal: Pick<Journal, 'org' | 'lastSeq'>;
  queries: Pick<Queries, 'attention'>;
  /** What the agent said of itself when it was last asked. */
  agentSeen(): AgentCheck | undefined;
  stalled(): { since: string; why: string } | undefined;
};

/** Of each kind; beyond it one only knows that there is more. */
const READ_MAX = 500;
/** A question that nobody came back to for so long is left alone. */
const UNANSWERED_MS = 3 * 86_400_000;
const UNANSWERED_MAX = 50;

/** What the journal says is read once for each state of the journal, whoever asks. */
export function createAttention(deps: AttentionDeps): Attention {
  const { journal, queries } = deps;
  let read: { lastSeq: number; matters: Matter[]; isMore: boolean } | undefined;

  function recorded() {
    if (read?.lastSeq !== journal.lastSeq)
      read = { lastSeq: journal.lastSeq, ...readAll(journal.org, queries.attention) };
    return read;
  }

  function matters(visit: Visit): Matter[] {
    const all = [...live(deps), ...recorded().matters];
    return all.filter((matter) => mayKnow(visit, matter)).sort((a, b) => (a.at < b.at ? 1 : -1));
  }

  return {
    matters,
    count: (visit) => ({ count: matters(visit).length, isMore: visit.isOwner && recorded().isMore }),
  };
}

/** What no fact stands for. */
function live({ journal, agentSeen, stalled }: AttentionDeps): Matter[] {
  const seen = agentSeen();
  const stall = stalled();
  const now = { at: new Date().toISOString(), entrySeq: 0 };
  // A run that could not begin has said so in the journal, with the reason.
  const isHeld = [...journal.org.holds.keys()].some((hold) => hold.startsWith('agent:'));
  return [
    ...(seen?.ok === false && !isHeld
      ? [{ ...now, kind: 'agent' as const, hold: '', problem: seen.problem, fix: seen.fix }]
      : []),
    ...(stall ? [{ ...now, at: stall.since, kind: 'stalled' as const, why: stall.why }] : []),
  ];
}

type Reads = Queries['attention'];

function readAll(org: Org, reads: Reads): { matters: Matter[]; isMore: boolean } {
  const since = new Date(Date.now() - UNANSWERED_MS).toISOString();
  const held = reads.newestAside('held', READ_MAX);
  const parked = reads.newestAside('parked', READ_MAX);
  const expired = reads.newestAside('expired', READ_MAX);
  const leaving = reads.newestLeaving('held', READ_MAX);
  const dead = reads.newestLeaving('dead', READ_MAX);
  return {
    matters: [
      ...stopped(org, reads),
      ...byEvent('dead', dead),
      ...byEvent('leaving', leaving),
      ...heldEvents(org, reads),
      ...held.map(({ workerId, seq, reason, entrySeq, at }): Matter => {
        return { kind: 'trigger', workerId, seq, reason, entrySeq, at };
      }),
      ...byRun(parked),
      ...expired.map(({ workerId, seq, reason, entrySeq, at }): Matter => {
        return { kind: 'expired', workerId, seq, reason, entrySeq, at };
      }),
      ...reads
        .unanswered(since, UNANSWERED_MAX)
        .map((row): Matter => ({ kind: 'unanswered', entrySeq: row.seq, ...row })),
    ],
    isMore:
      [held, parked, expired, leaving, dead].some(({ length }) => length === READ_MAX) ||
      org.heldEvents.size > READ_MAX,
  };
}

/** Everything that keeps others from working. */
function stopped({ paused, workers, streams, holds }: Org, reads: Reads): Matter[] {
  const began = (scope: string, hold: string) => ({ at: reads.stoppedSince(scope, hold) ?? '', entrySeq: 0 });
  const matters: Matter[] = paused ? [{ kind: 'org-paused', ...began(WHOLE_ORG, PAUSED) }] : [];
  for (const [hold, { workerId, kinds, reason }] of holds) {
    const scope = kinds?.[0] === undefined ? WHOLE_ORG : ofKind(kinds[0]);
    const common = began(workerId ?? scope, hold);
    if (isLimit(hold)) matters.push({ kind: 'limit', hold, workerId, reason, ...common });
    else matters.push({ kind: 'agent', hold, problem: reason, fix: '', ...common });
  }
  for (const [workerId, worker] of workers)
    if (worker.paused && worker.firedAt === null)
      matters.push({ kind: 'worker-paused', workerId, ...began(workerId, PAUSED) });
  for (const [streamId, { sendingStopped: reason, deletedAt }] of streams)
    if (reason !== null && deletedAt === null)
      matters.push({ kind: 'sending', streamId, reason, at: reads.sendingStoppedAt(streamId) ?? '', entrySeq: 0 });
  return matters;
}

/** A message to many is one matter. */
function byEvent(kind: 'dead' | 'leaving', rows: LeavingRow[]): Matter[] {
  return [...Map.groupBy(rows, ({ seq }) => seq).values()].flatMap((copies): Matter[] => {
    const [newest] = copies;
    return newest ? [{ kind, ...newest, copies }] : [];
  });
}

/** What one run was given up for is one matter. */
function byRun(rows: AsideRow[]): Matter[] {
  return [...Map.groupBy(rows, ({ entrySeq }) => entrySeq).values()].flatMap((together): Matter[] => {
    const [first] = together;
    if (!first) return [];
    const { workerId, reason, at, entrySeq, activationId } = first;
    const seqs = together.map(({ seq }) => seq);
    return [{ kind: 'parked', workerId, seqs, reason, activationId: activationId ?? '', at, entrySeq }];
  });
}

/** What only waits its turn is one matter for each Worker. */
function heldEvents({ heldEvents: held, paced }: Org, reads: Reads): Matter[] {
  const inTurn = [...paced].flatMap(([workerId, all]): Matter[] => {
    const seqs = [...all];
    const oldest = reads.heldEvent(seqs[0] ?? 0);
    return oldest ? [{ kind: 'paced', workerId, seqs, at: oldest.at, entrySeq: oldest.entrySeq }] : [];
  });
  const newest = held.entries().drop(Math.max(0, held.size - READ_MAX));
  return [
    ...inTurn,
    ...newest.flatMap(([seq, { streamId, publisher }]): Matter[] => {
      const row = paced.get(publisher)?.has(seq) ? undefined : reads.heldEvent(seq);
      return row ? [{ kind: 'event', streamId, seq, workerId: publisher, ...row }] : [];
    }),
  ];
}

function mayKnow(visit: Visit, matter: Matter): boolean {
  if (visit.isOwner) return true;
  switch (matter.kind) {
    case 'org-paused':
    case 'agent':
    case 'stalled':
      return visit.holds('resume_org');
    case 'limit':
      return matter.workerId === null ? visit.holds('resume_org') : mayFollow(visit, matter.workerId);
    case 'sending':
    case 'dead':
    case 'leaving':
    case 'event':
      return visit.mayRead(matter.streamId);
    case 'unanswered':
      return visit.mayRead(matter.streamId) && mayFollow(visit, matter.workerId);
    case 'paced':
    case 'trigger':
    case 'parked':
    case 'expired':
    case 'worker-paused':
      return mayFollow(visit, matter.workerId);
  }
}

const mayFollow = (visit: Visit, workerId: string): boolean => visit.mayRead(activationStreamId(workerId));
