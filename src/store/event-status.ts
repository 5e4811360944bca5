// What became of an Event for each Worker that listened when it landed. Exactly one state per Worker.
import { asksDirectly, type OpenBatch } from '../domain/activation.ts';
import { passes, type SubscriptionFilter } from '../domain/filter.ts';
import { decodeMessage, type Message } from '../domain/message.ts';
import type { Db } from './database.ts';
import { createStoppages, isPause } from './stoppages.ts';

export type WakeState =
  | 'queued'
  | 'in_activation'
  | 'handled'
  | 'held'
  | 'filtered'
  | 'expired'
  | 'parked'
  | 'dropped'
  | 'skipped'
  | 'read_only'
  | 'redacted';

export type WakeStatus = { workerId: string; state: WakeState; reason: string; activationId?: string };

type Status = Omit<WakeStatus, 'workerId'>;

type Listener = {
  id: string;
  kind: string;
  checkpoint: number;
  open_batch: string | null;
  fired_at: string | null;
  filter: string | null;
};

type Run = { id: string; state: string; exit: string | null; published: number | null; changed: number | null };

const listenersSql = `
  SELECT w.id, w.kind, w.checkpoint, w.open_batch, w.fired_at, s.filter
  FROM subscriptions s JOIN workers w ON w.id = s.worker
  WHERE s.stream = @stream AND s.from_seq < @seq AND (s.to_seq IS NULL OR s.to_seq >= @seq) AND s.worker > @after
  ORDER BY s.worker LIMIT @limit`;

/** An Event as the journal files it; `publisher` is its actor, empty or `transport:…` for the outside. */
export type Landed = { seq: number; stream: string; publisher: string };

export type EventStatusReader = {
  /** Up to `limit` Workers in id order, from after the given one. */
  page(event: Landed, after: string, limit: number): WakeStatus[];
  /** Workers that listened when the Event landed. */
  total(event: { seq: number; stream: string }): number;
};

export function createEventStatus(db: Db): EventStatusReader {
  const { sqlite } = db;
  const listeners = sqlite.prepare(listenersSql);
  const count = sqlite
    .prepare(
      'SELECT count(*) FROM subscriptions WHERE stream = @stream AND from_seq < @seq AND (to_seq IS NULL OR to_seq >= @seq)',
    )
    .pluck();
  const lastRun = sqlite.prepare(
    `SELECT a.id, a.state, a.exit, a.published, a.changed FROM activation_triggers t
     JOIN activations a ON a.seq = t.activation_seq WHERE t.seq = ? AND a.worker = ? ORDER BY a.seq DESC LIMIT 1`,
  );
  const aside = sqlite.prepare('SELECT state, reason FROM set_aside WHERE worker = ? AND seq = ?');
  const heldEvent = sqlite.prepare('SELECT state, reason FROM held_events WHERE seq = ?');
  const message = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();
  const actor = sqlite.prepare('SELECT actor FROM journal WHERE seq = ?').pluck();
  const redacted = sqlite.prepare('SELECT 1 FROM redactions WHERE seq = ?').pluck();
  const streamRow = sqlite.prepare('SELECT purpose, deleted_at FROM streams WHERE id = ?');
  const stoppages = createStoppages(db);

  function messageOf(seq: number): Message {
    const bytes = message.get(seq) as Buffer | null | undefined;
    return (bytes && decodeMessage(bytes)) || {};
  }

  function keptOut(filter: string | null, seq: number): boolean {
    return filter !== null && !passes(JSON.parse(filter) as SubscriptionFilter, messageOf(seq));
  }

  function statusOf(worker: Listener, event: Landed): Status {
    if (worker.id === event.publisher) return { state: 'skipped', reason: 'published it' };
    if (worker.kind === 'human') return { state: 'read_only', reason: 'a person reads it when they look' };
    const { purpose, deleted_at: deletedAt } = streamRow.get(event.stream) as {
      purpose: string;
      deleted_at: string | null;
    };
    if (purpose !== 'open' && purpose !== 'dm') return { state: 'skipped', reason: 'this Stream wakes nobody' };
    if (actor.get(event.seq) === 'system') return { state: 'skipped', reason: 'what the daemon says wakes nobody' };
    const run = lastRun.get(event.seq, worker.id) as Run | undefined;
    if (run?.state === 'running') return { state: 'in_activation', reason: 'being worked on', activationId: run.id };
    const put = aside.get(worker.id, event.seq) as { state: string; reason: string } | undefined;
    if (put && put.state !== 'requeued') {
      return { state: put.state as WakeState, reason: put.reason, ...(run ? { activationId: run.id } : {}) };
    }
    const held = heldEvent.get(event.seq) as { state: string; reason: string } | undefined;
    if (held?.state === 'held') return { state: 'held', reason: held.reason };
    if (held?.state === 'quiet') return { state: 'filtered', reason: held.reason };
    if (held?.state === 'discarded') return { state: 'dropped', reason: 'discarded' };
    const waits = put !== undefined || openTriggers(worker).includes(event.seq);
    if (!run && !waits && keptOut(worker.filter, event.seq))
      return { state: 'filtered', reason: 'its filter does not let this through' };
    if (!waits && run?.state === 'done') return handled(worker.id, event, purpose, run);
    if (!waits && worker.checkpoint >= event.seq) return { state: 'dropped', reason: 'passed without a run' };
    if (!waits && held) return { state: 'dropped', reason: 'listened no more when it was released' };
    if (worker.fired_at !== null) return { state: 'dropped', reason: 'fired' };
    if (deletedAt !== null) return { state: 'dropped', reason: 'its Stream was deleted' };
    if (!waits && redacted.get(event.seq)) return { state: 'redacted', reason: 'redacted before it was shown' };
    return waiting(worker.id, run);
  }

  function handled(workerId: string, { seq, publisher }: Landed, purpose: string, run: Run): Status {
    const isAsked = publisher.startsWith('w-') && asksDirectly(messageOf(seq), purpose, workerId);
    const isSilent = run.published === 0 && run.changed === 0;
    const reason =
      isAsked && run.published === 0
        ? 'finished without reply'
        : isSilent
          ? 'its activation ended well; it published and changed nothing'
          : 'its activation ended well';
    return { state: 'handled', reason, activationId: run.id };
  }

  function waiting(workerId: string, run: Run | undefined): Status {
    const [stoppage] = stoppages.current(workerId);
    const before = run ? `; the last run ended with: ${run.exit}` : '';
    if (!stoppage) return { state: 'queued', reason: `waits for its turn${before}` };
    return { state: isPause(stoppage) ? 'queued' : 'held', reason: `${stoppage.reason}${before}` };
  }

  return {
    page: (event, after, limit) =>
      (listeners.all({ stream: event.stream, seq: event.seq, after, limit }) as Listener[]).map((worker) => ({
        workerId: worker.id,
        ...statusOf(worker, event),
      })),
    total: ({ seq, stream }) => count.get({ stream, seq }) as number,
  };
}

const openTriggers = ({ open_batch: open }: Listener): number[] =>
  open ? (JSON.parse(open) as OpenBatch).triggers : [];
