// How far the times of a Stream's schedule have been kept. Derived from the journal, so that it cannot differ from what
// was published, whenever the daemon dies.
import { decodeMessage } from '../domain/message.ts';
import type { StreamTransport } from '../domain/stream.ts';
import type { Db } from './database.ts';

export type DueTimes = {
  /** The moment after which times are still to be kept: the last one kept, or when the Stream got this schedule. */
  keptUntil(streamId: string, transport: StreamTransport): Date;
};

export function createDueTimes({ sqlite }: Db): DueTimes {
  const newest = sqlite
    .prepare(
      `SELECT c.bytes FROM journal j JOIN content c ON c.seq = j.seq AND c.name = 'message'
       WHERE j.stream = ? AND j.actor = ? ORDER BY j.seq DESC LIMIT 1`,
    )
    .pluck();
  const changes = sqlite.prepare(
    "SELECT at, data FROM journal WHERE subject = ? AND type IN ('StreamCreated', 'StreamUpdated') ORDER BY seq DESC",
  );

  /** A new name is no new schedule. */
  function scheduledAt(streamId: string, transport: StreamTransport): number {
    const wanted = JSON.stringify(transport);
    let at = 0;
    for (const change of changes.iterate(streamId) as Iterable<{ at: string; data: string }>) {
      if (JSON.stringify((JSON.parse(change.data) as { transport: unknown }).transport) !== wanted) break;
      at = Date.parse(change.at);
    }
    return at;
  }

  return {
    keptUntil(streamId, transport) {
      const bytes = newest.get(streamId, `transport:${transport.kind}`) as Buffer | null | undefined;
      const { due } = ((bytes && decodeMessage(bytes)?.extra) ?? {}) as { due?: string };
      return new Date(Math.max(scheduledAt(streamId, transport), due === undefined ? 0 : Date.parse(due) || 0));
    },
  };
}
