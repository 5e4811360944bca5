// What became of Events on their way out, for tools and pages.
import type { Db } from './database.ts';

export type DeliveryState = 'queued' | 'paused' | 'stopped' | 'held' | 'delivered' | 'dead' | 'discarded';

export type DeliveryRow = {
  id: string;
  /** seq of the Event. */
  seq: number;
  stream: string;
  /** Who published it: a Worker id or `system`. */
  worker: string;
  kind: string;
  recipient: string | null;
  /** `stopped`: its Event is held; `paused`: its Worker is. */
  state: DeliveryState;
  reason: string;
  attempts: number;
  messageId: string | null;
  detail: string | null;
  /** Of the fact it stands by. */
  at: string;
  /** While it waits: when it is tried next, and why the last attempt failed. */
  nextAt: string | null;
  lastError: string | null;
  /** seq of the fact it stands by. */
  entrySeq: number;
};

/** How a Stream's sending goes. */
export type OutboundHealth = {
  queued: number;
  held: number;
  dead: number;
  lastDeliveredAt: string | null;
  /** The newest failure that is not over: of a dead letter, or of a delivery that is tried again. */
  lastFailure: { at: string | null; reason: string } | null;
};

export type Deliveries = {
  deliveriesOf(seq: number): DeliveryRow[];
  /** The Event that left under this id, such as an RFC Message-ID, and the Worker whom that copy was for. */
  eventOfSentMessageId(messageId: string): { seq: number; stream: string; recipient: string | null } | undefined;
  outboundHealth(streamId: string): OutboundHealth;
  /** Newest first: what a Stream sent or could not send. */
  lastDeliveries(streamId: string, limit: number): DeliveryRow[];
  /** What waits for a person, oldest first: held, or dead letters. */
  outboundAttention(limit: number): DeliveryRow[];
};

const ROW = `SELECT d.id, d.seq, d.stream, d.worker, d.kind, d.recipient, d.state, d.reason,
  coalesce(o.attempts, d.attempts) AS attempts, d.message_id AS messageId, d.detail, d.at, o.next_at AS nextAt,
  o.last_error AS lastError, d.entry_seq AS entrySeq FROM deliveries d LEFT JOIN outbox o ON o.id = d.id`;

export function createDeliveries({ sqlite }: Db): Deliveries {
  const ofEvent = sqlite.prepare(`${ROW} WHERE d.seq = ? ORDER BY d.id`);
  const ofMessage = sqlite.prepare(
    'SELECT seq, stream, recipient FROM deliveries WHERE message_id = ? ORDER BY entry_seq DESC LIMIT 1',
  );
  const count = sqlite.prepare('SELECT count(*) FROM deliveries WHERE stream = ? AND state = ?').pluck();
  const lastDelivered = sqlite.prepare(
    "SELECT at FROM deliveries WHERE stream = ? AND state = 'delivered' ORDER BY entry_seq DESC LIMIT 1",
  );
  const retrying = sqlite.prepare(
    'SELECT last_error AS reason FROM outbox WHERE stream = ? AND next_at IS NOT NULL AND last_error IS NOT NULL LIMIT 1',
  );
  const lastDead = sqlite.prepare(
    "SELECT at, reason FROM deliveries WHERE stream = ? AND state = 'dead' ORDER BY entry_seq DESC LIMIT 1",
  );
  const ofStream = sqlite.prepare(`${ROW} WHERE d.stream = ? ORDER BY d.entry_seq DESC LIMIT ?`);
  const inState = sqlite.prepare(`${ROW} WHERE d.state = ? ORDER BY d.entry_seq LIMIT ?`);
  return {
    deliveriesOf: (seq) => ofEvent.all(seq) as DeliveryRow[],
    eventOfSentMessageId: (messageId) => ofMessage.get(messageId) as ReturnType<Deliveries['eventOfSentMessageId']>,
    outboundHealth(streamId) {
      const counted = (state: DeliveryState) => count.get(streamId, state) as number;
      const trying = retrying.get(streamId) as { reason: string } | undefined;
      const dead = lastDead.get(streamId) as { at: string; reason: string } | undefined;
      const delivered = lastDelivered.get(streamId) as { at: string } | undefined;
      return {
        queued: counted('queued') + counted('paused') + counted('stopped'),
        held: counted('held'),
        dead: counted('dead'),
        lastDeliveredAt: delivered?.at ?? null,
        lastFailure: trying ? { at: null, reason: trying.reason } : (dead ?? null),
      };
    },
    lastDeliveries: (streamId, limit) => ofStream.all(streamId, limit) as DeliveryRow[],
    outboundAttention(limit) {
      const rows = ['held', 'dead'].flatMap((state) => inState.all(state, limit) as DeliveryRow[]);
      return rows.sort((a, b) => a.entrySeq - b.entrySeq).slice(0, limit);
    },
  };
}
