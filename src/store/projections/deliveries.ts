// Where each delivery stands, by facts alone. Attempts and due times are in the outbox, which no rebuild touches.
import type Database from 'better-sqlite3';
import { HELD } from '../../domain/outbox.ts';
import type { Entry } from '../entries.ts';

/** Also what other facts, such as a pause, do to deliveries. Applied before other tables learn of the entry. */
export function deliveryProjector(sqlite: Database.Database): (entry: Entry) => void {
  const insert = sqlite.prepare(
    `INSERT INTO deliveries VALUES (@deliveryId, @seq, @streamId, @actor, @kind, @recipient,
     CASE WHEN @held IS NOT NULL THEN 'held'
          WHEN EXISTS (SELECT 1 FROM workers WHERE id = @actor AND paused_at IS NOT NULL) THEN 'paused' ELSE 'queued' END,
     coalesce(@held, ''), 0, NULL, NULL, @at, @seq)`,
  );
  const settle = sqlite.prepare(
    `UPDATE deliveries SET state = @state, reason = @reason, attempts = @attempts, message_id = @messageId,
     detail = @detail, at = @at, entry_seq = @seq WHERE id = @deliveryId`,
  );
  const moving = (where: string) =>
    sqlite.prepare(`UPDATE deliveries SET state = @state, reason = @reason, at = @at, entry_seq = @seq WHERE ${where}`);
  const stop = moving("seq = @event AND state IN ('queued', 'paused')");
  const release = moving("seq = @event AND state = 'stopped'");
  const discardEvent = moving("seq = @event AND state IN ('stopped', 'held')");
  const redact = moving("seq = @event AND state NOT IN ('delivered', 'discarded')");
  const pause = moving("worker = @workerId AND state = 'queued'");
  const resume = moving("worker = @workerId AND state = 'paused'");
  const fire = moving("worker = @workerId AND state IN ('queued', 'paused')");
  const hold = moving(
    "stream = @streamId AND state IN ('queued', 'paused') AND (SELECT hold FROM streams WHERE id = @streamId) = 0",
  );
  const deleteStream = moving("stream = @streamId AND state NOT IN ('delivered', 'discarded')");

  return ({ event, seq, at, actor }) => {
    const to = (state: string, reason = '') => ({ state, reason, seq, at });
    switch (event.type) {
      case 'EventPublished':
        for (const { deliveryId, kind, recipient = null, held = null } of event.outbound ?? [])
          insert.run({ deliveryId, seq, streamId: event.streamId, actor, kind, recipient, held, at });
        return;
      case 'EventDelivered': {
        const { deliveryId, attempts, messageId = null, detail = null } = event;
        settle.run({ deliveryId, attempts, messageId, detail, ...to('delivered') });
        return;
      }
      case 'DeliveryDied': {
        const { deliveryId, attempts, reason } = event;
        settle.run({ deliveryId, attempts, messageId: null, detail: null, ...to('dead', reason) });
        return;
      }
      case 'DeliveryRequeued':
      case 'DeliveryDiscarded': {
        const state = event.type === 'DeliveryRequeued' ? to('queued') : to('discarded', `by ${actor}`);
        settle.run({ deliveryId: event.deliveryId, attempts: 0, messageId: null, detail: null, ...state });
        return;
      }
      case 'EventHeld':
        return void stop.run({ event: event.event, ...to('stopped', event.reason) });
      case 'EventReleased':
        return void release.run({ event: event.event, ...to('queued') });
      case 'EventDiscarded':
        return void discardEvent.run({ event: event.event, ...to('discarded', `by ${actor}`) });
      case 'EventRedacted':
        return void redact.run({ event: event.event, ...to('discarded', 'the Event was redacted') });
      case 'WorkerPaused':
        return void pause.run({ workerId: event.workerId, ...to('paused', 'its Worker is paused') });
      case 'WorkerResumed':
        return void resume.run({ workerId: event.workerId, ...to('queued') });
      case 'WorkerFired':
        return void fire.run({ workerId: event.workerId, ...to('held', 'its Worker was fired') });
      case 'StreamUpdated':
        if (event.hold) hold.run({ streamId: event.streamId, ...to('held', HELD) });
        return;
      case 'StreamDeleted':
        return void deleteStream.run({ streamId: event.streamId, ...to('discarded', 'its Stream was deleted') });
      default:
        return; // Nothing else concerns what leaves.
    }
  };
}
