import { type Courier, createCourier } from '../dispatch/courier.ts';
import { createOutbox } from '../store/outbox.ts';
import { transports } from '../transports/catalog.ts';
import { createOutboundRequest } from '../transports/outbound-request.ts';
import type { Core } from './core.ts';
import type { Meters } from './meters.ts';

type Edges = {
  log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
  now(): Date;
  after(delayMs: number, callback: () => void): () => void;
};

/** The courier with the transports of the catalog. */
export function createSending(
  { db, journal, queries, settings }: Core,
  { log, now, after }: Edges,
  meters: Pick<Meters, 'attemptFailed'>,
): Courier {
  return createCourier({
    journal,
    queries,
    settings,
    outbox: createOutbox(db),
    senderOf(kind) {
      const { send, account } = transports.get(kind) ?? {};
      return send && { send, account: () => account && settings.account(account.key) };
    },
    request: createOutboundRequest({ allowPrivate: () => settings.get('outbound.allow_private') }),
    now,
    after,
    onAttemptFailed(failed) {
      meters.attemptFailed(journal.org, failed.streamId);
      log.warn(failed, 'a delivery failed');
    },
    onFailure: (error) => log.error({ err: error }, 'the outbox could not be read or written'),
  });
}
