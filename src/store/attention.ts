// What waits for a person, newest first and bounded, so that every page can count it.
import type { Db } from './database.ts';
import { LASTS } from './projections/holds.ts';

/** A trigger that is set aside for one Worker; `activationId` is that of the run it was parked by. */
export type AsideRow = {
  workerId: string;
  seq: number;
  reason: string;
  entrySeq: number;
  at: string;
  activationId: string | null;
};

/** Ways out of one Event that stand by the same fact or state. */
export type LeavingRow = {
  seq: number;
  streamId: string;
  workerId: string;
  reason: string;
  attempts: number;
  recipient: string | null;
  entrySeq: number;
  at: string;
};

/** The daemon's remark that somebody's question was left without an answer; `seq` is its own. */
export type UnansweredRow = {
  seq: number;
  at: string;
  streamId: string;
  workerId: string;
  activationId: string;
  /** seq of the question. */
  question: number;
};

export type AttentionReads = {
  newestAside(state: 'held' | 'parked' | 'expired', limit: number): AsideRow[];
  newestLeaving(state: 'held' | 'dead', limit: number): LeavingRow[];
  /** Why and when an Event was held. */
  heldEvent(seq: number): { reason: string; entrySeq: number; at: string } | undefined;
  /** When what lasts began: `scope` is a Worker's id, or `org`; `hold` is `paused` or the hold's name. */
  stoppedSince(scope: string, hold: string): string | undefined;
  /** When a Stream's sending was stopped. */
  sendingStoppedAt(streamId: string): string | undefined;
  /** After a time (RFC 3339), as long as neither side has said anything since and nobody asked the Worker to run. */
  unanswered(since: string, limit: number): UnansweredRow[];
};

/** Later Events on a Stream among which a word of either side is looked for. */
const LOOKED_AT = 200;

const REMARKS = `SELECT j.seq, j.at, j.stream AS streamId, a.worker AS workerId, a.id AS activationId,
  a.ended_seq AS endedSeq, a.triggers
  FROM journal j JOIN activations a ON a.id = j.activation_id
  WHERE j.type = 'EventPublished' AND j.actor = 'system' AND j.stream <> 's-notices' AND j.activation_id IS NOT NULL
  ORDER BY j.seq DESC LIMIT ?`;

type Remark = Omit<UnansweredRow, 'question'> & { endedSeq: number; triggers: string };

export function createAttentionReads({ sqlite }: Db): AttentionReads {
  const aside = sqlite.prepare(
    `SELECT s.worker AS workerId, s.seq, s.reason, s.entry_seq AS entrySeq, j.at, json_extract(j.data, '$.activationId') AS activationId
     FROM set_aside s JOIN journal j ON j.seq = s.entry_seq WHERE s.state = ? ORDER BY s.entry_seq DESC LIMIT ?`,
  );
  const leaving = sqlite.prepare(
    `SELECT seq, stream AS streamId, worker AS workerId, reason, attempts, recipient, entry_seq AS entrySeq, at
     FROM deliveries WHERE state = ? ORDER BY entry_seq DESC LIMIT ?`,
  );
  const held = sqlite.prepare(
    `SELECT h.reason, h.entry_seq AS entrySeq, j.at FROM held_events h JOIN journal j ON j.seq = h.entry_seq WHERE h.seq = ?`,
  );
  const stopped = sqlite
    .prepare(`SELECT from_at FROM stoppages WHERE scope = ? AND to_at = '${LASTS}' AND hold = ?`)
    .pluck();
  const sending = sqlite
    .prepare("SELECT at FROM journal WHERE subject = ? AND +type = 'SendingStopped' ORDER BY seq DESC LIMIT 1")
    .pluck();
  const remarks = sqlite.prepare(REMARKS);
  const spoken = sqlite
    .prepare(
      `SELECT 1 FROM (SELECT actor FROM journal WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ${LOOKED_AT})
       WHERE actor IN (?, ?) LIMIT 1`,
    )
    .pluck();
  const actorOn = sqlite.prepare('SELECT actor FROM journal WHERE seq = ? AND +stream = ?').pluck();
  const askedToRun = sqlite.prepare('SELECT 1 FROM wakes WHERE worker = ? AND seq > ? LIMIT 1').pluck();
  return {
    newestAside: (state, limit) => aside.all(state, limit) as AsideRow[],
    newestLeaving: (state, limit) => leaving.all(state, limit) as LeavingRow[],
    heldEvent: (seq) => held.get(seq) as ReturnType<AttentionReads['heldEvent']>,
    stoppedSince: (scope, hold) => stopped.get(scope, hold) as string | undefined,
    sendingStoppedAt: (streamId) => sending.get(streamId) as string | undefined,
    unanswered(since, limit) {
      return (remarks.all(limit) as Remark[]).flatMap(({ endedSeq, triggers, ...row }) => {
        const { seq, at, streamId, workerId } = row;
        const question = (JSON.parse(triggers) as number[]).findLast(
          (each) => actorOn.get(each, streamId) !== undefined,
        );
        if (question === undefined) return [];
        const asker = actorOn.get(question, streamId) as string;
        const isOpen = at > since && !spoken.get(streamId, seq, workerId, asker) && !askedToRun.get(workerId, endedSeq);
        return isOpen ? [{ ...row, question }] : [];
      });
    },
  };
}
