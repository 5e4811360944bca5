// What each AI Worker has not been shown yet. A query over the journal, never a queue: nothing is written per subscriber.
import type { OpenBatch } from '../domain/activation.ts';
import { passes, type SubscriptionFilter } from '../domain/filter.ts';
import { decodeMessage, type Message } from '../domain/message.ts';
import type { Db } from './database.ts';
import type { Entry } from './entries.ts';
import { createEntryReader } from './entry-reader.ts';
import { BY_HAND } from './projections/activations.ts';

export type BatchLimits = {
  /** Most triggers in one activation. */
  triggers: number;
  /** Most bytes of Messages in one activation; the first trigger always fits. */
  bytes: number;
};

/** What the next activation of a Worker is to be shown. */
export type Batch = {
  workerId: string;
  /** Ascending by seq, all from inside the org or all from outside. */
  triggers: Entry[];
  attempt: number;
  /** Why it is shown again; undefined the first time. */
  reason?: string;
  /** RFC 3339; in the future while a retry waits. */
  notBefore?: string;
  /** Triggers of the same open batch that come after this one, when it is worked off one by one. */
  rest: number[];
  oneByOne: boolean;
  /** The checkpoint before this batch. */
  checkpoint: number;
  /** Triggers that were held or parked and let go again: by whom, and when (RFC 3339). */
  again: Map<number, { byHand: boolean; at: string }>;
};

/** Whether people or the outside wait for a Worker, only others do, or nobody. */
export type Urgency = 'urgent' | 'ordinary' | 'none';

export type Inbox = {
  /** The next batch, or undefined when there is nothing to show. */
  next(workerId: string, limits: BatchLimits): Batch | undefined;
  /** How urgent the next batch of about this many triggers is; cheaper than reading it. */
  urgency(workerId: string, triggers: number): Urgency;
  /** Whether {@link next} would find something. */
  hasWork(workerId: string): boolean;
  /** AI Workers, employed, that have something to be shown. */
  workersWithWork(): string[];
  /** What is left of a batch whose runs failed or were cut off. */
  openBatch(workerId: string): OpenBatch | undefined;
  /** How many triggers wait, counted up to the given number. */
  waiting(workerId: string, most: number): number;
};

type Interval = { stream: string; fromSeq: number; after: number; upTo: number; filter: string | null };
/** Filtered intervals whose place is remembered; those not looked at for longest are read from their beginning again. */
export const KEPT_OUT_MAX = 20_000;
/** Events looked at in one go behind a filter. */
const FILTER_SLICE = 100;

type WorkerRow = { checkpoint: number; open_batch: string | null; fired_at: string | null };

const intervalsSql = `
  SELECT s.stream AS stream, max(s.from_seq, @checkpoint) AS after, coalesce(s.to_seq, 9007199254740991) AS upTo,
         s.from_seq AS fromSeq, s.filter AS filter
  FROM subscriptions s JOIN streams t ON t.id = s.stream
  WHERE s.worker = @worker AND t.last_seq > max(s.from_seq, @checkpoint) AND t.purpose IN ('open', 'dm')
    AND t.deleted_at IS NULL AND (s.to_seq IS NULL OR s.to_seq > @checkpoint)`;

const eventsSql = `
  SELECT seq FROM journal j
  WHERE stream = @stream AND seq > @after AND seq <= @upTo AND actor <> @worker AND actor <> 'system'
    AND NOT EXISTS (SELECT 1 FROM held_events h WHERE h.seq = j.seq)
    AND NOT EXISTS (SELECT 1 FROM redactions r WHERE r.seq = j.seq)
    AND NOT EXISTS (SELECT 1 FROM set_aside a WHERE a.worker = @worker AND a.seq = j.seq)
  ORDER BY seq LIMIT @most`;

export function createInbox(db: Db): Inbox {
  const { sqlite } = db;
  const workerRow = sqlite.prepare('SELECT checkpoint, open_batch, fired_at FROM workers WHERE id = ?');
  const intervals = sqlite.prepare(intervalsSql);
  const events = sqlite.prepare(eventsSql).pluck();
  const wakes = sqlite
    .prepare(
      `SELECT seq FROM wakes w WHERE worker = @worker AND seq > @checkpoint
       AND NOT EXISTS (SELECT 1 FROM set_aside a WHERE a.worker = @worker AND a.seq = w.seq) ORDER BY seq LIMIT @most`,
    )
    .pluck();
  const requeued = sqlite
    .prepare("SELECT seq FROM set_aside WHERE worker = @worker AND state = 'requeued' ORDER BY seq LIMIT @most")
    .pluck();
  const letGo = sqlite.prepare(
    `SELECT a.seq AS seq, a.reason AS reason, r.at AS at FROM json_each(@seqs) wanted
     CROSS JOIN set_aside a ON a.worker = @worker AND a.seq = wanted.value JOIN journal r ON r.seq = a.entry_seq
     WHERE a.state = 'requeued'`,
  );
  const hopsOf = sqlite.prepare('SELECT hops FROM journal WHERE seq = ?').pluck();
  const aiWorkers = sqlite.prepare("SELECT id FROM workers WHERE kind = 'ai' AND fired_at IS NULL ORDER BY id").pluck();
  const onDeletedStream = sqlite
    .prepare('SELECT 1 FROM journal j JOIN streams s ON s.id = j.stream WHERE j.seq = ? AND s.deleted_at IS NOT NULL')
    .pluck();
  const batchOf = sqlite.prepare('SELECT batch FROM streams WHERE id = ?').pluck();
  const entries = createEntryReader(db, 'message');
  // Lost at a restart, which reads the same Events once more.
  const keptOut = new Map<string, { filter: string | null; through: number }>();
  const keepOut = (key: string, known: { filter: string | null; through: number }) => {
    keptOut.delete(key);
    keptOut.set(key, known);
    const [oldest] = keptOut.keys();
    if (keptOut.size > KEPT_OUT_MAX && oldest !== undefined) keptOut.delete(oldest);
  };

  const scan = ({ stream, after, upTo }: Interval, worker: string, most: number) =>
    events.all({ stream, after, upTo, worker, most }) as number[];

  /** What a Stream of conversations shows together; undefined where that does not matter. An Event without a thread stands alone. */
  function conversations(): (entry: Entry) => string | undefined {
    const batches = new Map<string, unknown>();
    return (entry) => {
      if (entry.stream === null) return undefined;
      const batch = batches.get(entry.stream) ?? batchOf.get(entry.stream);
      batches.set(entry.stream, batch);
      return batch === 'conversation' ? `${entry.stream} ${messageOf(entry).thread_id ?? entry.seq}` : undefined;
    };
  }

  /** Reads on past what the filter keeps out, and remembers how far, so that the next look begins there. */
  function filtered(interval: Interval, worker: string, most: number): number[] {
    const key = `${worker} ${interval.stream} ${interval.fromSeq}`;
    const filter = JSON.parse(interval.filter ?? '{}') as SubscriptionFilter;
    const known = keptOut.get(key);
    let after = known?.filter === interval.filter ? Math.max(interval.after, known?.through ?? 0) : interval.after;
    const found: number[] = [];
    while (found.length < most) {
      const seqs = scan({ ...interval, after }, worker, FILTER_SLICE);
      for (const entry of entries(seqs)) {
        if (passes(filter, messageOf(entry))) found.push(entry.seq);
        else if (found.length === 0) keepOut(key, { filter: interval.filter, through: entry.seq });
        if (found.length === most) break;
      }
      if (seqs.length < FILTER_SLICE) break;
      after = seqs.at(-1) ?? after;
    }
    return found;
  }

  function pendingSeqs(worker: string, checkpoint: number, most: number): number[] {
    const seqs = new Set<number>([
      ...(requeued.all({ worker, most }) as number[]),
      ...(wakes.all({ worker, checkpoint, most }) as number[]),
    ]);
    for (const interval of intervals.all({ worker, checkpoint }) as Interval[]) {
      for (const seq of interval.filter === null ? scan(interval, worker, most) : filtered(interval, worker, most))
        seqs.add(seq);
    }
    return [...seqs].sort((a, b) => a - b).slice(0, most);
  }

  /** What a deleted Stream has not taken with it. */
  function openBatchOf(row: WorkerRow): OpenBatch | undefined {
    if (!row.open_batch) return undefined;
    const open = JSON.parse(row.open_batch) as OpenBatch;
    const triggers = open.triggers.filter((seq) => !onDeletedStream.get(seq));
    return triggers.length === 0 ? undefined : { ...open, triggers };
  }

  function reopened(workerId: string, checkpoint: number, open: OpenBatch): Batch {
    const { attempt, reason, notBefore, oneByOne } = open;
    const shown = oneByOne ? open.triggers.slice(0, 1) : open.triggers;
    const rest = open.triggers.slice(shown.length);
    const triggers = entries(shown);
    const again = letGoAgain(workerId, triggers);
    return { workerId, triggers, attempt, reason, notBefore, rest, oneByOne, checkpoint, again };
  }

  function letGoAgain(workerId: string, triggers: Entry[]): Batch['again'] {
    const seqs = JSON.stringify(triggers.map(({ seq }) => seq));
    const rows = letGo.all({ worker: workerId, seqs }) as { seq: number; reason: string; at: string }[];
    return new Map(rows.map(({ seq, reason, at }) => [seq, { byHand: reason === BY_HAND, at }]));
  }

  return {
    next(workerId, limits) {
      const row = workerRow.get(workerId) as WorkerRow | undefined;
      if (!row || row.fired_at !== null) return undefined;
      const open = openBatchOf(row);
      if (open) return reopened(workerId, row.checkpoint, open);
      const candidates = entries(pendingSeqs(workerId, row.checkpoint, limits.triggers));
      const triggers = bounded(candidates, limits.bytes, conversations());
      if (triggers.length === 0) return undefined;
      const again = letGoAgain(workerId, triggers);
      return { workerId, triggers, attempt: 1, rest: [], oneByOne: false, checkpoint: row.checkpoint, again };
    },
    urgency(workerId, most) {
      const row = workerRow.get(workerId) as WorkerRow | undefined;
      if (!row || row.fired_at !== null) return 'none';
      const seqs = openBatchOf(row)?.triggers ?? pendingSeqs(workerId, row.checkpoint, most);
      if (seqs.length === 0) return 'none';
      return seqs.some((seq) => hopsOf.get(seq) === 0) ? 'urgent' : 'ordinary';
    },
    hasWork(workerId) {
      return this.waiting(workerId, 1) > 0;
    },
    workersWithWork() {
      return (aiWorkers.all() as string[]).filter((workerId) => this.hasWork(workerId));
    },
    openBatch(workerId) {
      const row = workerRow.get(workerId) as WorkerRow | undefined;
      return row && openBatchOf(row);
    },
    waiting(workerId, most) {
      const row = workerRow.get(workerId) as WorkerRow | undefined;
      if (!row || row.fired_at !== null) return 0;
      const open = openBatchOf(row)?.triggers ?? [];
      if (open.length >= most) return most;
      return new Set([...open, ...pendingSeqs(workerId, row.checkpoint, most)]).size;
    },
  };
}

function messageOf(entry: Entry): Message {
  const bytes = entry.content.find(({ name }) => name === 'message')?.bytes;
  return (bytes && decodeMessage(bytes)) ?? {};
}

/**
 * The longest beginning that is small enough, does not mix what came from outside with what came from inside, and holds one
 * conversation where a Stream asks for that.
 */
function bounded(candidates: Entry[], bytesMax: number, conversationOf: (entry: Entry) => string | undefined): Entry[] {
  const [first] = candidates;
  if (!first) return [];
  const conversation = conversationOf(first);
  let bytes = 0;
  const kept: Entry[] = [];
  for (const entry of candidates) {
    bytes += entry.content.reduce((sum, part) => sum + (part.name === 'message' ? part.bytes.length : 0), 0);
    const isOther = isOutside(entry) !== isOutside(first) || conversationOf(entry) !== conversation;
    if (kept.length > 0 && (bytes > bytesMax || isOther)) break;
    kept.push(entry);
  }
  return kept;
}

export const isOutside = (entry: Pick<Entry, 'actor'>): boolean => entry.actor.startsWith('transport:');
