// What became of an Event for each Worker that listened when it landed. Exactly one state per Worker.
import type { OpenBatch } from '../domain/activation.ts';
import { passes, type SubscriptionFilter } from '../domain/filter.ts';
import { decodeMessage } from '../domain/message.ts';
import type { Db } from './database.ts';

export type WakeState =
  | 'queued'
  | 'in_activation'
  | 'handled'
  | 'held'
  | 'filtered'
  | 'parked'
  | 'dropped'
  | 'skipped'
  | 'read_only'
  | 'redacted';

export type WakeStatus = { workerId: string; state: WakeState; reason: string; activationId?: string };

type Listener = {
  id: string;
  kind: string;
  checkpoint: number;
  open_batch: string | null;
  paused_at: string | null;
  fired_at: string | null;
  filter: string | null;
};

const listenersSql = `
  SELECT w.id, w.kind, w.checkpoint, w.open_batch, w.paused_at, w.fired_at, s.filter
  FROM subscriptions s JOIN workers w ON w.id = s.worker
  WHERE s.stream = @stream AND s.from_seq < @seq AND (s.to_seq IS NULL OR s.to_seq >= @seq) AND s.worker > @after
  ORDER BY s.worker LIMIT @limit`;

export type EventStatusReader = {
  /** Up to `limit` Workers in id order, from after the given one. */
  page(event: { seq: number; stream: string; publisher: string }, after: string, limit: number): WakeStatus[];
  /** Workers that listened when the Event landed. */
  total(event: { seq: number; stream: string }): number;
};

export function createEventStatus({ sqlite }: Db): EventStatusReader {
  const listeners = sqlite.prepare(listenersSql);
  const count = sqlite
    .prepare(
      'SELECT count(*) FROM subscriptions WHERE stream = @stream AND from_seq < @seq AND (to_seq IS NULL OR to_seq >= @seq)',
    )
    .pluck();
  const lastRun = sqlite.prepare(
    `SELECT a.id, a.state, a.exit FROM activation_triggers t JOIN activations a ON a.seq = t.activation_seq
     WHERE t.seq = ? AND a.worker = ? ORDER BY a.seq DESC LIMIT 1`,
  );
  const aside = sqlite.prepare('SELECT state, reason FROM set_aside WHERE worker = ? AND seq = ?');
  const heldEvent = sqlite.prepare('SELECT state, reason FROM held_events WHERE seq = ?');
  const message = sqlite.prepare("SELECT bytes FROM content WHERE seq = ? AND name = 'message'").pluck();
  const redacted = sqlite.prepare('SELECT 1 FROM redactions WHERE seq = ?').pluck();
  const deleted = sqlite.prepare('SELECT 1 FROM streams WHERE id = ? AND deleted_at IS NOT NULL').pluck();
  const paused = sqlite
    .prepare(
      "SELECT type FROM journal WHERE shapes_org = 1 AND type IN ('OrgPaused', 'OrgResumed') ORDER BY seq DESC LIMIT 1",
    )
    .pluck();

  function keptOut(filter: string | null, seq: number): boolean {
    if (filter === null) return false;
    const bytes = message.get(seq) as Buffer | null | undefined;
    return !passes(JSON.parse(filter) as SubscriptionFilter, (bytes && decodeMessage(bytes)) || {});
  }

  function statusOf(
    worker: Listener,
    event: { seq: number; stream: string; publisher: string },
  ): Omit<WakeStatus, 'workerId'> {
    if (worker.id === event.publisher) return { state: 'skipped', reason: 'published it' };
    if (worker.kind === 'human') return { state: 'read_only', reason: 'a person reads it when they look' };
    const run = lastRun.get(event.seq, worker.id) as { id: string; state: string; exit: string | null } | undefined;
    if (run?.state === 'running') return { state: 'in_activation', reason: 'being worked on', activationId: run.id };
    const put = aside.get(worker.id, event.seq) as { state: string; reason: string } | undefined;
    if (put && put.state !== 'requeued') {
      return { state: put.state as WakeState, reason: put.reason, ...(run ? { activationId: run.id } : {}) };
    }
    const held = heldEvent.get(event.seq) as { state: string; reason: string } | undefined;
    if (held?.state === 'held') return { state: 'held', reason: held.reason };
    if (held?.state === 'quiet') return { state: 'filtered', reason: held.reason };
    if (held?.state === 'discarded') return { state: 'dropped', reason: 'discarded' };
    if (!run && !put && keptOut(worker.filter, event.seq))
      return { state: 'filtered', reason: 'its filter does not let this through' };
    const waits = put !== undefined || openTriggers(worker).includes(event.seq);
    if (!waits && run && run.state === 'done')
      return { state: 'handled', reason: 'its activation ended well', activationId: run.id };
    if (!waits && worker.checkpoint >= event.seq) return { state: 'dropped', reason: 'passed without a run' };
    if (worker.fired_at !== null) return { state: 'dropped', reason: 'fired' };
    if (deleted.get(event.stream)) return { state: 'dropped', reason: 'its Stream was deleted' };
    if (redacted.get(event.seq) && !run) return { state: 'redacted', reason: 'redacted before it was shown' };
    const reason =
      worker.paused_at !== null
        ? 'the Worker is paused'
        : paused.get() === 'OrgPaused'
          ? 'the org is paused'
          : 'waits for its turn';
    return { state: 'queued', reason: run ? `${reason}; the last run ended with: ${run.exit}` : reason };
  }

  return {
    page: ({ seq, stream, publisher }, after, limit) =>
      (listeners.all({ stream, seq, after, limit }) as Listener[]).map((worker) => ({
        workerId: worker.id,
        ...statusOf(worker, { seq, stream, publisher }),
      })),
    total: ({ seq, stream }) => count.get({ stream, seq }) as number,
  };
}

const openTriggers = ({ open_batch: open }: Listener): number[] =>
  open ? (JSON.parse(open) as OpenBatch).triggers : [];
