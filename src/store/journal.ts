// The journal. The only writer of org facts: decided, appended and projected together, or not at all.
import type { Routing } from '../domain/delivery.ts';
import type { Cause, Via } from '../domain/entry.ts';
import { OrgError } from '../domain/errors.ts';
import { evolve } from '../domain/evolve.ts';
import { NOTICES } from '../domain/ids.ts';
import { type Command, emptyOrg, type Org } from '../domain/org.ts';
import { takeGroup } from './commit-group.ts';
import { createConsequences } from './consequences.ts';
import type { Db } from './database.ts';
import { type CommitLimits, createDecisions } from './decisions.ts';
import { endProcess, isDiskFailure, isUnavailable } from './disk-errors.ts';
import { type Entry, filedUnder, toRow } from './entries.ts';
import { emptyWal } from './erasure.ts';
import { createIdempotency, type Once } from './idempotency.ts';
import { type CommitListener, createListeners } from './listeners.ts';
import { createLog } from './log.ts';
import { createTranscripts, type TranscriptLine, type TranscriptRow } from './transcripts.ts';

export type CommitOptions = {
  via?: Via;
  /** The Worker in whose name the actor acts. */
  onBehalfOf?: string;
  /** The chain this change belongs to; without one it begins its own. */
  cause?: Cause;
  /** Refuses or recognises a repeated delivery. */
  once?: Once;
};

export type Committed = {
  /** Empty when there was nothing to do. */
  entries: Entry[];
  /** Set when `once` was seen before: the seq of the entry it led to then. */
  repeatOf?: number;
};

export type Journal = {
  /** The decision state. Read it, never change it. */
  readonly org: Org;
  /**
   * Decides and records a command. The promise settles after the commit that holds its entries is on disk; commands
   * that arrive in the same turn of the event loop share one.
   * @throws OrgError when the command is refused; nothing is recorded then
   */
  commit(actor: string, command: Command, options?: CommitOptions): Promise<Committed>;
  /** Adds lines to transcripts; they share the seq counter and are written within 100 ms, or with the next commit. */
  transcribe(lines: TranscriptLine[]): void;
  /** Resolves when everything handed over so far is on disk. */
  flush(): Promise<void>;
  /** Called after each commit with what it wrote. Listeners mark and wake; they must not fail. */
  onCommit(listener: CommitListener): () => void;
  /** The seq of the newest entry or transcript line. */
  readonly lastSeq: number;
  close(): void;
};

export type JournalDeps = {
  db: Db;
  now?: () => Date;
  limits?: () => CommitLimits;
  tools?: ReadonlySet<string>;
  /** Where Events leave; without it none do. */
  routing?: Routing;
  /** The disk refused a write or a sync: nothing written from here on can be trusted. Defaults to ending the process. */
  onDiskFailure?: (error: unknown) => void;
  /** Told of bugs that no caller can be told of: a listener that fails, a transcript line that cannot be written. */
  onBug?: (error: unknown) => void;
};

type Pending = {
  actor: string;
  command: Command;
  options: CommitOptions;
  resolve(committed: Committed): void;
  reject(error: unknown): void;
};

const TRANSCRIPT_DELAY_MS = 100;
/** Lines that could not be written, as on a full disk, are tried again after this time. */
const TRANSCRIPT_RETRY_MS = 2_000;

export function openJournal(deps: JournalDeps): Journal {
  const { sqlite } = deps.db;
  const now = deps.now ?? (() => new Date());
  const limits = deps.limits ?? (() => ({ maxHops: 8 }));
  const tools = deps.tools ?? new Set<string>();
  const log = createLog(deps.db);
  const consequences = createConsequences(sqlite, deps.routing ?? (() => []));
  const decided = createDecisions(sqlite, consequences);
  const idempotency = createIdempotency(sqlite);
  const transcripts = createTranscripts(deps.db);
  const listeners = createListeners(deps.onBug);

  let org = loadOrg();
  const queue: Pending[] = [];
  let lines: TranscriptLine[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let transcriptTimer: NodeJS.Timeout | undefined;
  let walHoldsErased = false;
  /** The disk took no lines the last time; they are tried again later, and keep nobody waiting. */
  let linesRefused = false;

  function loadOrg(): Org {
    const loaded = emptyOrg();
    log.reload();
    for (const entry of log.stateEntries()) evolve(loaded, entry.event, entry);
    return loaded;
  }

  function decideAndAppend({ actor, command, options }: Pending, at: string): Committed {
    const seen = options.once && idempotency.find(options.once);
    if (seen !== undefined) return { entries: [], repeatOf: seen };
    const { cause, via } = options;
    const seq = log.lastSeq + 1;
    const { events, hops, root } = decided(org, { actor, command, via, cause, seq, at, limits: limits(), tools });
    const entries: Entry[] = [];
    for (const event of events) {
      const first = entries[0]?.seq;
      const { row, parts } = toRow(
        {
          seq: log.lastSeq + 1,
          v: 1,
          ...filedUnder(event),
          actor: event.type === 'EventPublished' && event.streamId === NOTICES ? 'system' : actor,
          onBehalfOf: options.onBehalfOf ?? null,
          via: options.via ?? 'system',
          causedBy: first ?? cause?.causedBy ?? null,
          root,
          hops,
          activationId: cause?.activationId ?? null,
          at,
        },
        event,
        log.head,
      );
      const entry = log.append(row, parts, event);
      consequences.follow(org, entry);
      evolve(org, event, entry);
      entries.push(entry);
    }
    const landed = entries.find(({ stream }) => stream !== null) ?? entries[0];
    if (options.once && landed) idempotency.remember(options.once, landed.seq, at);
    return { entries };
  }

  function runGroup(group: Pending[], transcript: TranscriptLine[]): void {
    const at = now().toISOString();
    const outcomes: (Committed | { refusal: OrgError })[] = [];
    let rows: TranscriptRow[] = [];
    try {
      sqlite.exec('BEGIN IMMEDIATE');
      // Lines first: an agent says what it is about to do, then does it.
      rows = transcripts.insert(transcript, () => log.takeSeq());
      for (const pending of group) outcomes.push(decideOrRefuse(pending, at));
      sqlite.exec('COMMIT');
    } catch (error) {
      recover(error, group, transcript);
      return;
    }
    answer(group, outcomes, rows);
  }

  function decideOrRefuse(pending: Pending, at: string): Committed | { refusal: OrgError } {
    try {
      return decideAndAppend(pending, at);
    } catch (error) {
      // A refusal is thrown by decide, before anything is appended, so it undoes only itself.
      if (error instanceof OrgError) return { refusal: error };
      throw error;
    }
  }

  /** Nothing of the group is on disk. One command's bug must not fail its neighbours, so they are tried again one by one. */
  function recover(error: unknown, group: Pending[], transcript: TranscriptLine[]): void {
    if (sqlite.inTransaction) sqlite.exec('ROLLBACK');
    const isOver = isDiskFailure(error) || !sqlite.open;
    if (!isOver) org = loadOrg();
    if (!isOver && !isUnavailable(error) && group.length + transcript.length > 1) {
      if (group.length > 0) runGroup([], transcript);
      else for (const line of transcript) runGroup([], [line]);
      for (const pending of group) runGroup([pending], []);
      return;
    }
    for (const { reject } of group) reject(error);
    if (isDiskFailure(error)) (deps.onDiskFailure ?? endProcess)(error);
    else if (isUnavailable(error) && transcript.length > 0) {
      lines = transcript.concat(lines);
      linesRefused = true;
      transcriptTimer ??= setTimeout(drain, TRANSCRIPT_RETRY_MS);
    } else if (group.length === 0) listeners.onBug(error);
  }

  function answer(group: Pending[], outcomes: (Committed | { refusal: OrgError })[], rows: TranscriptRow[]): void {
    if (rows.length > 0) linesRefused = false;
    const written: Entry[] = [];
    for (const outcome of outcomes) if ('entries' in outcome) written.push(...outcome.entries);
    walHoldsErased ||= written.some(({ event }) => event.type === 'EventRedacted');
    if (walHoldsErased) walHoldsErased = !emptyWal(sqlite);
    for (const [index, outcome] of outcomes.entries()) {
      if ('refusal' in outcome) group[index]?.reject(outcome.refusal);
      else group[index]?.resolve(outcome);
    }
    listeners.tell(written, rows);
  }

  function drain(): void {
    scheduled = undefined;
    clearTimeout(transcriptTimer);
    transcriptTimer = undefined;
    const { group, transcript } = takeGroup(queue, lines, linesRefused);
    if (group.length + transcript.length > 0) runGroup(group, transcript);
    if (queue.length > 0 || (lines.length > 0 && !linesRefused)) schedule();
  }

  /** Lines that a full disk refuses stay behind; waiting for them here would never end. */
  function drainAll(): void {
    do drain();
    while (queue.length > 0 || (lines.length > 0 && !linesRefused));
  }

  function schedule(): void {
    scheduled ??= setImmediate(drain);
  }

  return {
    get org() {
      return org;
    },
    get lastSeq() {
      return log.lastSeq;
    },
    commit(actor, command, options = {}) {
      return new Promise((resolve, reject) => {
        queue.push({ actor, command, options, resolve, reject });
        schedule();
      });
    },
    transcribe(added) {
      lines.push(...added);
      transcriptTimer ??= setTimeout(drain, TRANSCRIPT_DELAY_MS);
    },
    flush: async () => drainAll(),
    onCommit: listeners.add,
    close() {
      drainAll();
      clearTimeout(transcriptTimer);
      if (scheduled) clearImmediate(scheduled);
    },
  };
}
