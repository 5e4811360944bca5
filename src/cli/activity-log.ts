// What happens in the org, for the log: that runs begin and end, that something came in or could not leave. No texts.
import type { Logger } from 'pino';
import type { Entry } from '../store/entries.ts';
import type { Journal } from '../store/journal.ts';

/** @returns what stops it */
export function logActivity({ onCommit }: Pick<Journal, 'onCommit'>, log: Pick<Logger, 'info' | 'warn'>): () => void {
  return onCommit((entries) => {
    for (const entry of entries) say(log, entry);
  });
}

function say(log: Pick<Logger, 'info' | 'warn'>, { event, actor, seq }: Entry): void {
  switch (event.type) {
    case 'ActivationStarted': {
      const { activationId, workerId, attempt, triggers } = event;
      return log.info({ activationId, workerId, attempt, triggers: triggers.length }, 'a run began');
    }
    case 'ActivationEnded': {
      const { activationId, workerId, outcome, exit, published, parked } = event;
      const fields = { activationId, workerId, outcome, exit, published };
      return parked.length > 0
        ? log.warn({ ...fields, parked: parked.length }, 'a run ended and was given up')
        : log.info(fields, 'a run ended');
    }
    case 'EventPublished':
      return actor.startsWith('transport:')
        ? log.info({ seq, eventId: event.id, streamId: event.streamId }, 'something came in')
        : undefined;
    case 'DeliveryDied':
      return log.warn(
        { deliveryId: event.deliveryId, streamId: event.streamId, reason: event.reason },
        'a delivery was given up',
      );
    default:
      return undefined; // The journal has everything else.
  }
}
