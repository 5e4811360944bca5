import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Routing } from '../../src/domain/delivery.ts';
import { OrgError } from '../../src/domain/errors.ts';
import { evolve } from '../../src/domain/evolve.ts';
import { seqOfEventId } from '../../src/domain/ids.ts';
import { messageOf } from '../../src/domain/message.ts';
import { type Command, emptyOrg } from '../../src/domain/org.ts';
import type { Entry } from '../../src/store/entries.ts';
import { dumpReadTables, rebuildReadTables } from '../../src/store/rebuild.ts';
import { verifyJournal } from '../../src/store/verify.ts';
import { naivePending } from '../support/naive-inbox.ts';
import { naiveStatuses } from '../support/naive-status.ts';
import { openOrg, type TestOrg, testDirectory } from '../support/org.ts';
import { type Asked, beginnings, type Wish, wish } from '../support/random-commands.ts';
import '../support/seed.ts';

type Answer = PromiseSettledResult<{ entries: Entry[]; repeatOf?: number }>;

/** What a wish comes down to, given what there is now; undefined when there is nothing to wish it of. */
function resolve(org: TestOrg, wanted: Wish, run: number): Asked | undefined {
  switch (wanted.kind) {
    case 'command':
      return wanted;
    case 'run':
      return resolveRun(org, wanted, run);
    case 'held': {
      const held = [...org.journal.org.heldEvents];
      const [event, { streamId }] = held[wanted.pick % held.length] ?? [wanted.pick, { streamId: 's-0' }];
      return { actor: 'w-owner', command: { type: wanted.how, event, streamId } };
    }
    case 'delivery':
      return resolveDelivery(org, wanted);
    case 'redact': {
      const events = org.queries.events(
        org.queries
          .streams()
          .map(({ id }) => id)
          .filter((id) => !id.startsWith('s-act')),
        { limit: 50 },
      );
      const event = events[wanted.pick % Math.max(1, events.length)];
      if (!event) return undefined;
      return {
        actor: 'w-owner',
        command: { type: 'RedactEvent', event: event.seq, streamId: event.streamId, alsoErase: [], reason: 'r' },
      };
    }
    case 'aside': {
      const pending = org.inbox.next(wanted.worker, { triggers: 20, bytes: 1e6 })?.triggers ?? [];
      const aside = (['held', 'parked', 'dropped'] as const).flatMap((state) => org.queries.setAside(state, 100));
      const seqs = [...pending, ...aside.filter(({ worker }) => worker === wanted.worker)].map(({ seq }) => seq);
      const trigger = seqs[wanted.pick % seqs.length];
      if (trigger === undefined) return undefined;
      return {
        actor: 'system',
        command: { type: wanted.how, workerId: wanted.worker, triggers: [trigger], reason: 'r' },
      };
    }
    case 'transcribe': {
      org.journal.transcribe([
        { worker: wanted.worker, activationId: 'a-x', at: '2026-01-01T00:00:00.000Z', body: wanted.body },
      ]);
      return undefined;
    }
  }
}

function resolveDelivery(org: TestOrg, { how, pick }: Extract<Wish, { kind: 'delivery' }>): Asked | undefined {
  const rows = org.db.sqlite.prepare('SELECT id, seq, stream, state FROM deliveries ORDER BY id').all() as {
    id: string;
    seq: number;
    stream: string;
    state: string;
  }[];
  // The courier tries what is queued; people ask for anything.
  const open = ['taken', 'dead', 'gone'].includes(how) ? rows.filter(({ state }) => state === 'queued') : rows;
  const row = open[pick % open.length];
  if (!row) return undefined;
  const { id: deliveryId, seq: event, stream: streamId } = row;
  const name = { event, streamId };
  const several = { ...name, deliveryIds: [deliveryId] };
  const outcome = { attempts: 1, reason: how, gone: how === 'gone', notice: { subject: how, body: 'x' } };
  const commands: Record<typeof how, Command> = {
    taken: { type: 'RecordDelivered', ...name, deliveryId, attempts: 1, messageId: `<${pick}>` },
    dead: { type: 'RecordDead', ...name, deliveryId, ...outcome },
    gone: { type: 'RecordDead', ...name, deliveryId, ...outcome },
    retry: { type: 'RequeueDeliveries', from: 'failed', ...several },
    release: { type: 'RequeueDeliveries', from: 'held', ...several },
    discard: { type: 'DiscardDeliveries', ...several },
    resume: { type: 'ResumeSending', streamId },
  };
  return { actor: how === 'taken' || outcome.gone || how === 'dead' ? 'system' : 'w-owner', command: commands[how] };
}

/** The outbox holds what can still leave and nothing else, and the first queued one of each lane has its time. */
function expectOutbox({ db: { sqlite } }: TestOrg) {
  const rows = sqlite
    .prepare('SELECT o.*, d.state FROM outbox o LEFT JOIN deliveries d ON d.id = o.id ORDER BY o.seq')
    .all() as { id: string; stream: string; lane: string; next_at: string | null; state: string | null }[];
  const open = sqlite
    .prepare("SELECT id FROM deliveries WHERE state NOT IN ('delivered', 'dead', 'discarded') ORDER BY seq")
    .pluck()
    .all();
  expect(rows.map(({ id }) => id)).toEqual(open);
  const firsts = new Set<string>();
  for (const { stream, lane, state, next_at: nextAt } of rows) {
    if (state !== 'queued') expect(nextAt).toBeNull();
    else if (!firsts.has(`${stream} ${lane}`)) {
      firsts.add(`${stream} ${lane}`);
      expect(nextAt).not.toBeNull();
    }
  }
}

/** Streams of the kind `webhook` send; a thread is a lane. */
const routing: Routing = (org, { streamId, content }) =>
  org.streams.get(streamId)?.transport.kind === 'webhook'
    ? [{ kind: 'webhook', lane: messageOf(content).thread_id ?? '' }]
    : [];

function resolveRun(
  org: TestOrg,
  { worker: workerId, outcome, most }: Extract<Wish, { kind: 'run' }>,
  run: number,
): Asked | undefined {
  const [running] = org.queries.runningActivations().filter(({ worker }) => worker === workerId);
  const batch = org.inbox.next(workerId, { triggers: most, bytes: 500 });
  if (!running) {
    if (!batch) return undefined;
    const triggers = batch.triggers.map(({ seq }) => seq);
    const ranWith = { roles: [], identity: 1, grants: 1 };
    const content = [{ name: 'prompt', bytes: Buffer.from('Act.') }];
    const start = {
      activationId: `a-${run}`,
      workerId,
      triggers,
      attempt: batch.attempt,
      agent: { kind: 'command' },
      ranWith,
      content,
    };
    return { actor: 'system', command: { type: 'StartActivation', ...start } };
  }
  const { id: activationId, triggers } = running;
  const open = {
    triggers,
    attempt: 2,
    oneByOne: outcome === 'failed',
    notBefore: '2026-01-01T00:00:00.000Z',
    reason: outcome,
  };
  const isOver = outcome === 'done' || outcome === 'parked';
  const end = {
    outcome: outcome === 'parked' ? ('failed' as const) : outcome,
    exit: outcome,
    throughSeq: isOver ? Math.max(...triggers) : 0,
    settled: isOver ? triggers : [],
    parked: outcome === 'parked' ? triggers : [],
    open: isOver ? null : open,
  };
  return {
    actor: 'system',
    command: { type: 'EndActivation', activationId, workerId, ...end, published: 0, changed: 0, usage: {} },
  };
}

/** Asks for all of it, several wishes in a turn; now and then the disk is full when a turn is to be committed. */
async function askFor(org: TestOrg, turns: { wishes: Wish[]; isFull: boolean }[]): Promise<Answer[]> {
  const exec = org.db.sqlite.exec.bind(org.db.sqlite);
  let isFull = false;
  org.db.sqlite.exec = (statement) => {
    if (isFull && statement === 'COMMIT') throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    return exec(statement);
  };
  const answers: Answer[] = [];
  for (const [index, turn] of turns.entries()) {
    isFull = turn.isFull;
    const before = isFull ? structuredClone(org.journal.org) : undefined;
    const started = new Set<string>();
    const asked = turn.wishes.flatMap((wanted) => {
      // Two runs of one Worker never begin or end in one turn.
      if (wanted.kind === 'run' && (started.has(wanted.worker) || !started.add(wanted.worker))) return [];
      return resolve(org, wanted, index * 100 + started.size) ?? [];
    });
    answers.push(
      ...(await Promise.allSettled(asked.map(({ actor, command, options }) => org.commit(actor, command, options)))),
    );
    if (before) expect(org.journal.org).toEqual(before);
  }
  isFull = false;
  await org.journal.flush();
  return answers;
}

function expectSound(org: TestOrg, answers: Answer[]) {
  const all = org.queries.entriesAfter(0, 1e6);
  expectAnswered(answers, all);
  expectSameState(org, all);
  expectLedger(org, all);
  expect(verifyJournal(org.db).problems).toEqual([]);
  for (const { event, seq } of all) if (event.type === 'EventPublished') expect(seqOfEventId(event.id)).toBe(seq);
  const live = dumpReadTables(org.db);
  rebuildReadTables(org.db);
  expect(dumpReadTables(org.db)).toBe(live);
  rebuildReadTables(org.db);
  expect(dumpReadTables(org.db)).toBe(live);
  expectOutbox(org);
  for (const [workerId] of org.journal.org.workers) expectInbox(org, workerId, all);
}

/** A refusal left nothing, everything else is in the journal as it was answered, and nothing else is. */
function expectAnswered(answers: Answer[], all: Entry[]) {
  const redacted = new Set(
    all.flatMap(({ event }) => (event.type === 'EventRedacted' ? [event.event, ...event.alsoErased] : [])),
  );
  const answered: Entry[] = [];
  for (const answer of answers) {
    if (answer.status === 'fulfilled') answered.push(...answer.value.entries);
    else if (answer.reason.code !== 'SQLITE_FULL') expect(answer.reason).toBeInstanceOf(OrgError);
  }
  expect(answered.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(all.map(({ seq }) => seq));
  const stored = new Map(all.map((entry) => [entry.seq, entry]));
  for (const { event, seq } of answered) if (!redacted.has(seq)) expect(stored.get(seq)?.event).toEqual(event);
}

function expectSameState(org: TestOrg, all: Entry[]) {
  const replayed = emptyOrg();
  for (const entry of all) evolve(replayed, entry.event, entry);
  expect(replayed).toEqual(org.journal.org);
}

/** For each Event and each Worker that listened exactly one state, and the AI Workers' are what the journal says. */
function expectLedger(org: TestOrg, all: Entry[]) {
  const naive = naiveStatuses(all);
  const found = new Map<string, string>();
  for (const { event, seq, actor } of all) {
    if (event.type !== 'EventPublished') continue;
    const landed = { seq, stream: event.streamId, publisher: actor };
    const rows: string[] = [];
    for (let after = ''; ; ) {
      const page = org.queries.eventStatus.page(landed, after, 4);
      for (const { workerId, state } of page) {
        rows.push(workerId);
        seen.add(state);
        if (org.journal.org.workers.get(workerId)?.kind === 'ai') found.set(`${seq} ${workerId}`, state);
      }
      if (page.length < 4) break;
      after = page.at(-1)!.workerId;
    }
    expect(rows).toEqual([...new Set(rows)].sort());
    expect(org.queries.eventStatus.total(landed)).toBe(rows.length);
  }
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(naive));
}

/** States that came up in any of the histories. */
const seen = new Set<string>();

function expectInbox(org: TestOrg, workerId: string, all: Entry[]) {
  const pending = naivePending(workerId, all);
  const open = org.inbox.openBatch(workerId);
  const most = 1e6;
  if (pending === undefined) return expect(org.inbox.waiting(workerId, most)).toBe(0);
  expect(org.inbox.waiting(workerId, most)).toBe(new Set([...pending, ...(open?.triggers ?? [])]).size);
  const shown = org.inbox.next(workerId, { triggers: most, bytes: most })?.triggers.map(({ seq }) => seq) ?? [];
  if (!open) expect(shown).toEqual(pending.slice(0, shown.length));
  expect(shown.length > 0).toBe(pending.length > 0 || open !== undefined);
}

const turn = fc.record({
  wishes: fc.array(wish, { minLength: 1, maxLength: 8 }),
  isFull: fc.nat(30).map((n) => n === 0),
});

test('whatever is asked in whatever order: refusals leave nothing, and what is recorded is sound', async () => {
  const types = new Map<string, number>();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 30, maxLength: 60, size: 'max' }), async (turns) => {
      const file = join(testDirectory(), 'org.db');
      const org = openOrg(file, { limits: () => ({ maxHops: 8 }), routing });
      const found = { type: 'FoundOrg', ownerRole: 'x', ownerIdentity: 'x', grants: [] } as const satisfies Command;
      const first: Asked[] = [{ actor: 'system', command: { ...found, grants: [] } }, ...beginnings];
      const answers = await Promise.allSettled(first.map(({ actor, command }) => org.commit(actor, command)));
      answers.push(...(await askFor(org, turns)));
      expectSound(org, answers);
      const live = structuredClone(org.journal.org);
      const last = org.journal.lastSeq;
      org.close();
      const again = openOrg(file);
      expect(again.journal.org).toEqual(live);
      expect(again.journal.lastSeq).toBe(last);
      for (const { event } of again.queries.entriesAfter(0, 1e6))
        types.set(event.type, (types.get(event.type) ?? 0) + 1);
      again.close();
      count += answers.length;
    }),
    { numRuns: Number(process.env.HELIX_RUNS ?? 15), endOnFailure: process.env.HELIX_SHRINK === undefined },
  );
  console.log(
    `${count} commands; ${JSON.stringify(Object.fromEntries(types))}; states: ${[...seen].sort().join(', ')}`,
  );
  expect(count).toBeGreaterThan(2_000);
  expect(seen.size).toBeGreaterThan(8);
});
