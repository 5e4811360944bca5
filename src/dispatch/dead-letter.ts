import type { DeliveryFailure } from '../domain/delivery.ts';
import type { Due, Outbox } from '../store/outbox.ts';

/** Refused messages of one Stream that are announced within an hour; more have one cause, which is known by then. */
const ANNOUNCED_PER_HOUR = 3;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Tells people that a message will not arrive; once while a target is down, not once for each message that waited for it. */
export function deadLetterNotice(
  outbox: Pick<Outbox, 'deathsSince'>,
  { stream, attempts }: Pick<Due, 'stream' | 'attempts'>,
  { eventId, failure, nowMs }: { eventId: string; failure: DeliveryFailure; nowMs: number },
): { subject: string; body: string } | undefined {
  const since = (ms: number) => outbox.deathsSince(stream, new Date(nowMs - ms).toISOString());
  const reason = failure.message;
  switch (failure.what) {
    case 'gone':
      return {
        subject: `The target of ${stream} is gone`,
        body:
          `Event ${eventId} could not be delivered: ${reason}. Nothing more is sent from ${stream} until you say so: ` +
          'update_stream with its transport, or retry the Event; what was published meanwhile waits. discard gives the Event up.',
      };
    case 'refused':
      if (since(HOUR_MS).deaths >= ANNOUNCED_PER_HOUR) return undefined;
      return {
        subject: `A message of ${stream} was refused`,
        body: `Event ${eventId} is a dead letter: ${reason}. retry sends it again once the cause is mended; discard gives it up.`,
      };
    case 'retry': {
      const { deaths, deliveredSince } = since(DAY_MS);
      if (deaths > 0 && !deliveredSince) return undefined;
      return {
        subject: `The target of ${stream} cannot be reached`,
        body:
          `Event ${eventId} is a dead letter after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${reason}. Others that waited as long are dead letters too; ` +
          'get_stream counts them. Newer ones are tried on. retry sends one again, discard gives it up.',
      };
    }
  }
}
