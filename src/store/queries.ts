// Reads of the org's nouns, by prepared statements. Reading changes nothing.
import type { WorkerAgent } from '../domain/worker-agent.ts';
import { createAttachmentReader, isFilePart } from './attachments.ts';
import { type AttentionReads, createAttentionReads } from './attention.ts';
import type { Db } from './database.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { and, asc, eq, inArray, isNull, sql } from './drizzle.ts';
import { createEventReader, type EventReader } from './event-reader.ts';
import { createEventStatus, type EventStatusReader } from './event-status.ts';
import { createJournalPages, type JournalPages } from './journal-pages.ts';
import { createOutcomes, type Outcomes } from './outcomes.ts';
import { createRunCounts, type RunCounts } from './run-counts.ts';
import { createRunFigures, type RunFiguresReader } from './run-figures.ts';
import { createRunPages, type RunPages, type RunRange } from './run-pages.ts';
import { activations } from './run-tables.ts';
import { grants, positions, roles, setAside, streams, workers } from './schema.ts';
import { createSearch, type Search } from './search.ts';
import { createSilentShares, type SilentShares } from './silence.ts';
import { createStoppages, type Stoppages } from './stoppages.ts';

export type RoleRow = typeof roles.$inferSelect;
export type PositionRow = typeof positions.$inferSelect;
export type WorkerRow = Omit<typeof workers.$inferSelect, 'positions' | 'openBatch' | 'agent'> & {
  positions: string[];
  agent: WorkerAgent;
};
export type GrantRow = typeof grants.$inferSelect;
export type StreamRow = Omit<typeof streams.$inferSelect, 'transportConfig' | 'members'> & {
  transportConfig: Record<string, unknown>;
  members: string[];
};
export type ActivationRow = Omit<typeof activations.$inferSelect, 'triggers'> & { triggers: number[] };

export type Queries = EventReader &
  Deliveries &
  JournalPages &
  RunFiguresReader &
  Pick<RunPages, 'runLines'> & {
    role(id: string): RoleRow | undefined;
    roles(): RoleRow[];
    position(id: string): PositionRow | undefined;
    positions(): PositionRow[];
    worker(id: string): WorkerRow | undefined;
    /** Employed Workers. */
    workers(): WorkerRow[];
    grant(id: string): GrantRow | undefined;
    grantsOf(workerId: string): GrantRow[];
    stream(id: string): StreamRow | undefined;
    /** Streams that exist. */
    streams(): StreamRow[];
    members(streamId: string): string[];
    activation(id: string): ActivationRow | undefined;
    runningActivations(): ActivationRow[];
    /** Newest first. */
    activationPage(range: RunRange): ActivationRow[];
    attention: AttentionReads;
    /** Newest first. */
    activationsOf(workerId: string, limit: number): ActivationRow[];
    /** Activations that an entry woke, oldest first. */
    activationsBy(triggerSeq: number): ActivationRow[];
    /** Where a trigger was set aside, per Worker. */
    asideOf(seq: number): (typeof setAside.$inferSelect)[];
    /** What is held, parked or expired for a Worker, oldest first, at most 1,000. */
    setAsideOf(workerId: string): (typeof setAside.$inferSelect)[];
    /** The bytes of a file of an Event, by the name of its part; undefined when it has none such or it was erased. */
    file(seq: number, name: string): Buffer | undefined;
    /** The same in small pieces, each read when it is asked for; undefined when it has none such. */
    fileSlices(seq: number, name: string): Iterable<Uint8Array> | undefined;
    eventStatus: EventStatusReader;
    outcomes: Outcomes;
    search: Search;
    stoppages: Stoppages;
    /** How much of what woke Workers led to nothing. */
    silentShares: SilentShares;
    runCounts: RunCounts;
    /** The prompt an activation began with: bytes, and the seq of the entry that holds them; undefined when it was erased. */
    prompt(activationSeq: number): { seq: number; bytes: Uint8Array } | undefined;
    setAside(state: (typeof setAside.$inferSelect)['state'], limit: number): (typeof setAside.$inferSelect)[];
  };

const SET_ASIDE_MAX = 1_000;

export function createQueries(db: Db): Queries {
  const { orm, sqlite } = db;
  const byId = sql.placeholder('id');
  const role = orm.select().from(roles).where(eq(roles.id, byId)).prepare();
  const allRoles = orm.select().from(roles).orderBy(asc(roles.id)).prepare();
  const position = orm.select().from(positions).where(eq(positions.id, byId)).prepare();
  const allPositions = orm.select().from(positions).orderBy(asc(positions.id)).prepare();
  const worker = orm.select().from(workers).where(eq(workers.id, byId)).prepare();
  const allWorkers = orm.select().from(workers).where(isNull(workers.firedAt)).orderBy(asc(workers.id)).prepare();
  const grant = orm.select().from(grants).where(eq(grants.id, byId)).prepare();
  const workerGrants = orm.select().from(grants).where(eq(grants.worker, byId)).orderBy(asc(grants.tool)).prepare();
  const stream = orm.select().from(streams).where(eq(streams.id, byId)).prepare();
  const allStreams = orm.select().from(streams).where(isNull(streams.deletedAt)).orderBy(asc(streams.id)).prepare();
  const members = sqlite
    .prepare('SELECT worker FROM subscriptions WHERE stream = ? AND to_seq IS NULL ORDER BY worker')
    .pluck();
  const activation = orm.select().from(activations).where(eq(activations.id, byId)).prepare();
  const running = orm.select().from(activations).where(sql`${activations.state} = 'running'`).prepare();
  const ofWorker = orm
    .select()
    .from(activations)
    .where(eq(activations.worker, byId))
    .orderBy(sql`${activations.seq} DESC`)
    .limit(sql.placeholder('limit'))
    .prepare();
  const byTrigger = sqlite
    .prepare(
      'SELECT a.id FROM activation_triggers t JOIN activations a ON a.seq = t.activation_seq WHERE t.seq = ? ORDER BY t.activation_seq',
    )
    .pluck();
  const aside = orm
    .select()
    .from(setAside)
    .where(eq(setAside.state, sql.placeholder('state')))
    .orderBy(asc(setAside.entrySeq))
    .limit(sql.placeholder('limit'))
    .prepare();
  const asideOf = orm
    .select()
    .from(setAside)
    .where(eq(setAside.seq, sql.placeholder('seq')))
    .prepare();
  const asideOfWorker = orm
    .select()
    .from(setAside)
    .where(and(eq(setAside.worker, byId), inArray(setAside.state, ['held', 'parked', 'expired'])))
    .orderBy(asc(setAside.seq))
    .limit(SET_ASIDE_MAX)
    .prepare();
  const part = sqlite.prepare('SELECT bytes FROM content WHERE seq = ? AND name = ?').pluck();
  const fileNote = (seq: number, name: string) =>
    ((isFilePart(name) && part.get(seq, name)) || undefined) as Buffer | undefined;
  const readFile = createAttachmentReader(sqlite);
  const findActivation = (id: string) => map(activation.get({ id }), toActivation);
  const reader = createEventReader(db);
  const { runIds, runLines } = createRunPages(db);
  return {
    ...reader,
    ...createDeliveries(db),
    ...createJournalPages(db),
    ...createRunFigures(db),
    role: (id) => role.get({ id }),
    roles: () => allRoles.all(),
    position: (id) => position.get({ id }),
    positions: () => allPositions.all(),
    worker: (id) => map(worker.get({ id }), toWorker),
    workers: () => allWorkers.all().map(toWorker),
    grant: (id) => grant.get({ id }),
    grantsOf: (id) => workerGrants.all({ id }),
    stream: (id) => map(stream.get({ id }), toStream),
    streams: () => allStreams.all().map(toStream),
    members: (streamId) => members.all(streamId) as string[],
    activation: findActivation,
    runningActivations: () => running.all().map(toActivation),
    activationPage: (range) => runIds(range).flatMap((id) => findActivation(id) ?? []),
    runLines,
    attention: createAttentionReads(db),
    activationsOf: (id, limit) => ofWorker.all({ id, limit }).map(toActivation),
    activationsBy: (seq) => (byTrigger.all(seq) as string[]).flatMap((id) => findActivation(id) ?? []),
    asideOf: (seq) => asideOf.all({ seq }),
    setAsideOf: (id) => asideOfWorker.all({ id }),
    file: (seq, name) => map(fileNote(seq, name), readFile.whole),
    fileSlices: (seq, name) => map(fileNote(seq, name), readFile.slices),
    eventStatus: createEventStatus(db),
    outcomes: createOutcomes(db),
    search: createSearch(db),
    stoppages: createStoppages(db),
    silentShares: createSilentShares(db),
    runCounts: createRunCounts(db),
    prompt: (activationSeq) => promptOf(reader, activationSeq),
    setAside: (state, limit) => aside.all({ state, limit }),
  };
}

const map = <A, B>(value: A | undefined, change: (value: A) => B): B | undefined =>
  value === undefined ? undefined : change(value);

function toWorker({ openBatch: _, ...row }: typeof workers.$inferSelect): WorkerRow {
  return {
    ...row,
    positions: JSON.parse(row.positions) as string[],
    agent: JSON.parse(row.agent) as WorkerAgent,
  };
}

function toStream(row: typeof streams.$inferSelect): StreamRow {
  return {
    ...row,
    transportConfig: JSON.parse(row.transportConfig) as Record<string, unknown>,
    members: JSON.parse(row.members) as string[],
  };
}

function toActivation(row: typeof activations.$inferSelect): ActivationRow {
  return { ...row, triggers: JSON.parse(row.triggers) as number[] };
}

/** A run that began with the same words as one before it refers to that one. */
function promptOf({ entry }: EventReader, activationSeq: number): { seq: number; bytes: Uint8Array } | undefined {
  const started = entry(activationSeq);
  if (started?.event.type !== 'ActivationStarted') return undefined;
  const holder = started.event.promptOf === undefined ? started : entry(started.event.promptOf);
  const bytes = holder?.content.find(({ name }) => name === 'prompt')?.bytes;
  return holder && bytes ? { seq: holder.seq, bytes } : undefined;
}
