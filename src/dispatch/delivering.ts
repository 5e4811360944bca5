// What follows from an attempt: delivered, tried again later, or a dead letter. The policy of retries in one place.
import { DeliveryFailure, type Receipt } from '../domain/delivery.ts';
import type { Cause } from '../domain/entry.ts';
import type { Command } from '../domain/org.ts';
import type { Entry } from '../store/entries.ts';
import type { Journal } from '../store/journal.ts';
import type { Due, Outbox } from '../store/outbox.ts';
import { deadLetterNotice } from './dead-letter.ts';
import { type AttemptDeps, attempt } from './delivery-attempt.ts';
import type { Pace } from './pace.ts';
import { untilRecorded } from './record-end.ts';

export type DeliveringDeps = AttemptDeps & {
  journal: Journal;
  outbox: Outbox;
  /** An attempt failed; told for the log. */
  onAttemptFailed(failed: {
    streamId: string;
    eventId: string;
    deliveryId: string;
    /** Of the run that published it. */
    activationId?: string;
    attempt: number;
    reason: string;
  }): void;
  /** Something could not be read or recorded, as when the disk is full; it is tried again. */
  onFailure(error: unknown): void;
};

export type Flying = {
  /** Aborted when the daemon stops and does not wait any longer. */
  closing: AbortSignal;
  jitter(): number;
  isInFlight(deliveryId: string): boolean;
};

const ATTEMPTS_MAX = 10;
/** Before the second, third … attempt; together a little less than {@link LIFE_MS}. */
const DELAYS_S = [10, 60, 300, 900, 2_700, 5_400, 10_800, 21_600, 43_200];
/** After the first attempt; later a delivery is given up. */
export const LIFE_MS = 24 * 3_600_000;
/** Given up in one go, when a target has been down for too long. */
const GIVEN_UP_AT_ONCE = 100;

/** Tries a delivery once and records what came of it. Rejects when that cannot be read or recorded. */
export function createDelivering(
  deps: DeliveringDeps,
  { closing, jitter, isInFlight }: Flying,
): (row: Due, pace: Pace) => Promise<void> {
  const { journal, outbox, queries } = deps;

  async function deliver(row: Due, pace: Pace): Promise<void> {
    const entry = queries.entry(row.seq);
    const attempted = await attempt(deps, row, entry, closing);
    if (attempted === 'interrupted') return;
    if ('receipt' in attempted) {
      pace.up();
      return delivered(row, entry, attempted.receipt);
    }
    const { failure } = attempted;
    const now = deps.now();
    const tried = { ...row, attempts: row.attempts + 1, firstAt: row.firstAt ?? now.toISOString() };
    deps.onAttemptFailed({ ...namesOf(tried, entry), attempt: tried.attempts, reason: failure.message });
    if (failure.what !== 'retry') pace.up();
    else pace.down(now.getTime(), failure.retryAfterMs);
    const endMs = Date.parse(tried.firstAt) + LIFE_MS;
    if (failure.what !== 'retry' || tried.attempts >= ATTEMPTS_MAX || now.getTime() >= endMs)
      await dead(tried, entry, failure);
    else retryLater(tried, failure, endMs);
    if ((pace.downSinceMs ?? Number.POSITIVE_INFINITY) + LIFE_MS <= now.getTime()) await giveUpOld(row.stream, failure);
  }

  function retryLater(row: Due & { firstAt: string }, failure: DeliveryFailure, endMs: number): void {
    const nowMs = deps.now().getTime();
    const delayMs = Math.max((DELAYS_S[row.attempts - 1] ?? 0) * 1_000 * jitter(), failure.retryAfterMs ?? 0);
    const nextAt = new Date(Math.min(nowMs + delayMs, endMs)).toISOString();
    outbox.failed({ id: row.id, attempts: row.attempts, firstAt: row.firstAt, nextAt, error: failure.message });
  }

  function delivered(row: Due, entry: Entry | undefined, { messageId, detail }: Receipt): Promise<void> {
    const receipt = { ...(messageId === undefined ? {} : { messageId }), ...(detail === undefined ? {} : { detail }) };
    return record(row, entry, { type: 'RecordDelivered', ...nameOf(row), attempts: row.attempts + 1, ...receipt });
  }

  function dead(row: Due, entry: Entry | undefined, failure: DeliveryFailure): Promise<void> {
    const { eventId } = namesOf(row, entry);
    const notice = deadLetterNotice(outbox, row, { eventId, failure, nowMs: deps.now().getTime() });
    const outcome = { attempts: row.attempts, reason: failure.message, gone: failure.what === 'gone' };
    return record(row, entry, { type: 'RecordDead', ...nameOf(row), ...outcome, ...(notice ? { notice } : {}) });
  }

  /** What waited behind a target that was down all the time was never tried, and yet its time is over. */
  async function giveUpOld(streamId: string, { message }: DeliveryFailure): Promise<void> {
    const before = new Date(deps.now().getTime() - LIFE_MS).toISOString();
    for (const row of outbox.olderThan(streamId, before, GIVEN_UP_AT_ONCE)) {
      if (isInFlight(row.id)) continue;
      const failure = new DeliveryFailure('retry', `its target was down for a day: ${message}`);
      await dead(row, queries.entry(row.seq), failure);
    }
  }

  /** What left has left: only its record is tried again, since sending it again would send it twice. */
  function record(row: Due, entry: Entry | undefined, command: Command): Promise<void> {
    const cause: Cause = { causedBy: row.seq, root: entry?.root ?? row.seq, hops: entry?.hops ?? 0 };
    return untilRecorded(deps, closing, () => journal.commit('system', command, { cause }));
  }

  return deliver;
}

const nameOf = ({ id: deliveryId, seq: event, stream: streamId }: Due) => ({ event, streamId, deliveryId });

function namesOf(row: Due, entry: Entry | undefined) {
  const eventId = entry?.event.type === 'EventPublished' ? entry.event.id : '';
  const run = entry?.activationId ? { activationId: entry.activationId } : {};
  return { streamId: row.stream, eventId, deliveryId: row.id, ...run };
}
